package mirror

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"

	"github.com/seawall/seawall/registry"
)

// sidecarTag is the form of tags that hold signatures and the like: those are copied with their image.
var sidecarTag = regexp.MustCompile(`^sha(256-[0-9a-f]{64}|512-[0-9a-f]{128})(\.[a-z]+)?$`)

// Tags lists the tags of the source's repository that match one of the shell patterns, sorted; none match all. Tags
// that hold signatures of images are left out.
func (c *Client) Tags(ctx context.Context, src Source, patterns []string) ([]string, error) {
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil {
			return nil, fmt.Errorf("%q is no pattern", p)
		}
	}
	r, err := c.dial(ctx, &src)
	if err != nil {
		return nil, err
	}
	all, err := r.tags(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the tags of %s: %w", r.repo.Name(), err)
	}
	all = slices.DeleteFunc(all, func(tag string) bool { return !wanted(tag, patterns) })
	slices.Sort(all)
	return slices.Compact(all), nil
}

func wanted(tag string, patterns []string) bool {
	if !registry.ValidTag(tag) || sidecarTag.MatchString(tag) {
		return false
	}
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { ok, _ := path.Match(p, tag); return ok })
}

// tags reads page after page, from the last tag of the one before: a Link header is only a sign that there is more, so
// that it cannot lead elsewhere.
func (r *remote) tags(ctx context.Context) (all []string, err error) {
	last := ""
	for {
		query := url.Values{"n": {"1000"}}
		if last != "" {
			query.Set("last", last)
		}
		p, h, err := r.read(ctx, "/tags/list?"+query.Encode(), nil, 16<<20)
		if err != nil {
			return nil, err
		}
		var page struct {
			Tags []string `json:"tags"`
		}
		if err := json.Unmarshal(p, &page); err != nil {
			return nil, fmt.Errorf("%w: the list of tags is no JSON", ErrContent)
		}
		all = append(all, page.Tags...)
		switch n := len(page.Tags); {
		case len(all) > r.client.Limits.Tags:
			return nil, fmt.Errorf("%w: more than %d tags", ErrContent, r.client.Limits.Tags)
		case n == 0 || h.Get("Link") == "" || page.Tags[n-1] == last:
			return all, nil
		default:
			last = page.Tags[n-1]
		}
	}
}
