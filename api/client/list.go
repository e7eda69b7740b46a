package client

import (
	"context"
	"iter"
	"net/url"
)

// page is the body of a listing.
type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

// pages yields every item of a listing, page after page; by is the parameter that takes the next one. An error ends it.
func pages[T any](ctx context.Context, c *Client, path string, query url.Values, by string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if query == nil {
			query = url.Values{}
		}
		for {
			var p page[T]
			if err := c.get(ctx, path, query, &p); err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, v := range p.Items {
				if !yield(v, nil) {
					return
				}
			}
			if p.Next == "" || p.Next == query.Get(by) {
				return
			}
			query.Set(by, p.Next)
		}
	}
}

// values makes a query of pairs; empty ones are left out.
func values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	return v
}
