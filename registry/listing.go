package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
)

func isGone(err error) bool { return isMissing(err) || errors.Is(err, ErrNotFound) }

// getTags answers GET of a repository's tags: distribution specification, section "Listing Tags".
func (r *Registry) getTags(w http.ResponseWriter, q *http.Request, t target) error {
	ctx, err := r.hooks.Authorize(q, []Need{{t.repo, Pull}})
	if err != nil {
		return err
	}
	tags, err := r.Tags(ctx, t.repo)
	if err != nil {
		return err
	}
	if len(tags) == 0 {
		known, err := r.known(ctx, t.repo)
		if err != nil || !known {
			return orElse(err, errNameUnknown(t.repo))
		}
	}
	page, err := r.page(w, q, tags)
	if err != nil {
		return err
	}
	return writeJSON(w, q, "application/json", map[string]any{"name": t.repo, "tags": page})
}

// Tags are the tags of a repository, sorted.
func (r *Registry) Tags(ctx context.Context, repo string) ([]string, error) {
	tags, err := r.list(ctx, tagsPath(repo))
	if err != nil {
		return nil, fmt.Errorf("listing tags of %s: %w", repo, err)
	}
	return slices.DeleteFunc(tags, func(t string) bool { return !ValidTag(t) }), nil
}

// known says whether anything was ever pushed to a repository.
func (r *Registry) known(ctx context.Context, repo string) (bool, error) {
	for _, what := range []string{linkManifests, linkBlobs} {
		if names, err := r.list(ctx, repoPath(repo)+"/"+what); err != nil || len(names) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}

// serveCatalog answers GET /v2/_catalog, of which the specification says only that it may exist.
func (r *Registry) serveCatalog(w http.ResponseWriter, q *http.Request) error {
	if q.Method != http.MethodGet && q.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		return errUnsupported("this cannot be done with " + q.Method)
	}
	ctx, err := r.hooks.Authorize(q, []Need{{"", List}})
	if err != nil {
		return err
	}
	var names []string
	for name, err := range r.Repositories(ctx) {
		if err != nil {
			return err
		}
		if r.hooks.Visible(ctx, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	page, err := r.page(w, q, names)
	if err != nil {
		return err
	}
	return writeJSON(w, q, "application/json", map[string]any{"repositories": page})
}

// Repositories are the names of all that was ever pushed to, in no order.
func (r *Registry) Repositories(ctx context.Context) iter.Seq2[string, error] {
	return r.repositories(ctx, func(name string) bool { return name == linkManifests || name == linkBlobs })
}

// repositories are those with a file or directory of ours that want wants.
func (r *Registry) repositories(ctx context.Context, want func(name string) bool) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) { r.eachRepository(ctx, "", 0, want, yield) }
}

// ofOurs says whether a name below a repository is of the registry, not of a repository further down.
func ofOurs(name string) bool { return strings.HasPrefix(name, "_") }

func (r *Registry) eachRepository(ctx context.Context, under string, depth int, want func(string) bool, yield func(string, error) bool) bool {
	if depth > 128 { // a name has at most 255 bytes
		return true
	}
	names, err := r.list(ctx, strings.TrimSuffix("/repositories/"+under, "/"))
	if err != nil {
		return yield("", fmt.Errorf("listing repositories: %w", err))
	}
	if under != "" && slices.ContainsFunc(names, want) && !yield(under, nil) {
		return false
	}
	for _, name := range names {
		if !ofOurs(name) && !r.eachRepository(ctx, strings.TrimPrefix(under+"/"+name, "/"), depth+1, want, yield) {
			return false
		}
	}
	return true
}

// links are the digests of one kind of link in a repository.
func (r *Registry) links(ctx context.Context, repo, what string) iter.Seq2[digest.Digest, error] {
	return func(yield func(digest.Digest, error) bool) {
		for _, a := range []digest.Algorithm{digest.SHA256, digest.SHA512} {
			names, err := r.list(ctx, repoPath(repo)+"/"+what+"/"+string(a))
			if err != nil {
				yield("", fmt.Errorf("listing %s of %s: %w", what, repo, err))
				return
			}
			for _, name := range names {
				if d, ok := digestOfPath(string(a), name); ok && !yield(d, nil) {
					return
				}
			}
		}
	}
}

// page cuts the part of a sorted listing that was asked for by n and last, and links to the next one.
func (r *Registry) page(w http.ResponseWriter, q *http.Request, names []string) ([]string, error) {
	query := q.URL.Query()
	n, err := r.pageSize(query)
	if err != nil {
		return nil, err
	}
	if last := query.Get("last"); last != "" {
		i, found := slices.BinarySearch(names, last)
		if found {
			i++
		}
		names = names[i:]
	}
	if len(names) > n {
		names = names[:n]
		if n > 0 {
			link(w, q, url.Values{"last": {names[n-1]}, "n": {strconv.Itoa(n)}})
		}
	}
	if names == nil {
		names = []string{}
	}
	return names, nil
}

func (r *Registry) pageSize(query url.Values) (int, error) {
	s := query.Get("n")
	if s == "" {
		return r.limits.Page, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0, &Error{Status: http.StatusBadRequest, Code: "PAGINATION_NUMBER_INVALID", Message: "n is a number of entries", Detail: bounded(s)}
	}
	return min(n, r.limits.Page), nil
}

// link points to the next page, RFC 5988.
func link(w http.ResponseWriter, q *http.Request, query url.Values) {
	w.Header().Set("Link", "<"+q.URL.EscapedPath()+"?"+query.Encode()+`>; rel="next"`)
}

func writeJSON(w http.ResponseWriter, q *http.Request, contentType string, v any) error {
	p, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing answer: %w", err)
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(p)))
	w.WriteHeader(http.StatusOK)
	if q.Method != http.MethodHead {
		w.Write(p) // the client has gone where this fails
	}
	return nil
}
