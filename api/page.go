package api

import (
	"strconv"
	"strings"

	"github.com/seawall/seawall/catalog"
)

// defaultLimit and maxLimit bound a page, in items.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// span is the page that was asked for.
type span struct {
	cursor string
	limit  int
}

func (q *query) span() span {
	return span{q.text("cursor"), int(q.number("limit", defaultLimit, 1, maxLimit))}
}

// maxRounds bounds how many pages of the store one page of a caller who sees little is made of.
const maxRounds = 20

// visible gathers the items of a page that see lets through. Asking the store for what is missing, never for more,
// keeps its cursor exact; a page may come out short, with a cursor to go on from.
func visible[T any](at span, see func(*T) bool, fetch func(span) (catalog.Page[T], error)) (List[T], error) {
	out := List[T]{Items: []T{}, Total: -1}
	for range maxRounds {
		p, err := fetch(span{at.cursor, at.limit - len(out.Items)})
		if err != nil {
			return out, err
		}
		for i := range p.Items {
			if see(&p.Items[i]) {
				out.Items = append(out.Items, p.Items[i])
			}
		}
		at.cursor, out.Next = p.Next, p.Next
		if p.Next == "" || len(out.Items) >= at.limit {
			return out, nil
		}
	}
	return out, nil
}

// whole is a page that nothing has to be left out of.
func whole[T any](p catalog.Page[T]) List[T] {
	if p.Items == nil {
		p.Items = []T{}
	}
	return List[T]{p.Items, p.Next, p.Total}
}

// all is a listing that has no pages.
func all[T any](items []T) List[T] {
	if items == nil {
		items = []T{}
	}
	return List[T]{Items: items, Total: len(items)}
}

// slice is one page of items that are all at hand; its cursor is the place to go on from.
func slice[T any](items []T, at span) (List[T], error) {
	from := 0
	if at.cursor != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(at.cursor, "o"))
		if err != nil || n < 0 || !strings.HasPrefix(at.cursor, "o") {
			return List[T]{}, badCursor()
		}
		from = min(n, len(items))
	}
	to := min(from+at.limit, len(items))
	out := List[T]{Items: append([]T{}, items[from:to]...), Total: len(items)}
	if to < len(items) {
		out.Next = "o" + strconv.Itoa(to)
	}
	return out, nil
}

func badCursor() error { return bad("cursor", "must be the next of the page before") }
