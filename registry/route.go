package registry

import (
	"net/http"
	"slices"
	"strings"
)

// kind is what a path names.
type kind int

const (
	kindManifest kind = iota
	kindBlob
	kindUploads
	kindUpload
	kindTags
	kindReferrers
)

// target is what a request is about: a repository and a manifest, blob, upload or listing in it.
type target struct {
	kind kind
	repo string
	ref  string // tag, digest or upload id, as the kind has it
}

// parseTarget reads a path without its "/v2". A repository's name may hold words like "blobs" itself, so paths are
// read from their end.
func parseTarget(path string) (target, error) {
	t, ok := cutTarget(strings.TrimPrefix(path, "/"))
	if !ok {
		return target{}, errNotFound
	}
	if !ValidName(t.repo) {
		return target{}, errName(t.repo)
	}
	return t, nil
}

func cutTarget(path string) (target, bool) {
	if repo, ok := cutSuffixes(path, "/blobs/uploads/", "/blobs/uploads"); ok {
		return target{kindUploads, repo, ""}, true
	}
	if repo, ok := cutSuffixes(path, "/tags/list"); ok {
		return target{kindTags, repo, ""}, true
	}
	head, ref, ok := cutLast(path, "/")
	if !ok || ref == "" {
		return target{}, false
	}
	for _, s := range []struct {
		suffix string
		kind   kind
	}{{"/manifests", kindManifest}, {"/blobs/uploads", kindUpload}, {"/blobs", kindBlob}, {"/referrers", kindReferrers}} {
		if repo, ok := strings.CutSuffix(head, s.suffix); ok {
			return target{s.kind, repo, ref}, true
		}
	}
	return target{}, false
}

func cutSuffixes(s string, suffixes ...string) (string, bool) {
	for _, suffix := range suffixes {
		if before, ok := strings.CutSuffix(s, suffix); ok {
			return before, true
		}
	}
	return "", false
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+len(sep):], true
}

type handler func(http.ResponseWriter, *http.Request, target) error

func (r *Registry) handler(k kind, method string) handler {
	if method == http.MethodHead && k != kindUpload {
		method = http.MethodGet // the handlers leave the body out
	}
	return r.handlers(k)[method]
}

func (r *Registry) handlers(k kind) map[string]handler {
	switch k {
	case kindManifest:
		return map[string]handler{http.MethodGet: r.getManifest, http.MethodPut: r.putManifest, http.MethodDelete: r.deleteManifest}
	case kindBlob:
		return map[string]handler{http.MethodGet: r.getBlob, http.MethodDelete: r.deleteBlob}
	case kindUploads:
		return map[string]handler{http.MethodPost: r.startUpload}
	case kindUpload:
		return map[string]handler{http.MethodGet: r.uploadStatus, http.MethodPatch: r.patchUpload, http.MethodPut: r.finishUpload, http.MethodDelete: r.cancelUpload}
	case kindTags:
		return map[string]handler{http.MethodGet: r.getTags}
	case kindReferrers:
		return map[string]handler{http.MethodGet: r.getReferrers}
	}
	return nil
}

func (r *Registry) allowed(k kind) []string {
	var out []string
	for m := range r.handlers(k) {
		out = append(out, m)
		if m == http.MethodGet && k != kindUpload {
			out = append(out, http.MethodHead)
		}
	}
	slices.Sort(out)
	return out
}
