package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/seawall/seawall/api"
	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/job"
	"github.com/seawall/seawall/registry"
	"github.com/seawall/seawall/registry/mirror"
)

const kindMirror = "mirror"

// mirrorPart is the part of the hub that copies by rule.
const mirrorPart = "mirror"

// openCopies sets up what copies images from elsewhere: on order, on a schedule, and when one is pulled.
func (h *hub) openCopies(context.Context) error {
	h.copier = mirror.New(mirror.Config{NoPrivate: !h.config.Outbound.AllowPrivate && !h.config.firstLook, Log: h.log})
	h.fetcher = mirror.NewFetcher(mirror.FetcherConfig{Client: h.copier, Sink: h.registry, Rules: h.pullRule,
		As: func(ctx context.Context, from string) context.Context {
			return withOrigin(auth.With(ctx, itself(mirrorPart)), from)
		}})
	return nil
}

// mirrorRule turns an administrator's rule into mirror's.
func (h *hub) mirrorRule(ctx context.Context, pattern string, m *catalog.Mirror) (*mirror.Rule, error) {
	r := &mirror.Rule{Pattern: pattern, Source: m.Source, Platforms: m.Platforms, CA: []byte(m.CA)}
	credential, err := h.credential(ctx, m.Credential)
	r.Credential = credential
	return r, err
}

func (h *hub) credential(ctx context.Context, name string) (mirror.Credential, error) {
	if name == "" {
		return mirror.Credential{}, nil
	}
	c, err := h.db.Credential(ctx, name)
	if errors.Is(err, catalog.ErrNotFound) {
		return mirror.Credential{}, job.Permanent(fmt.Errorf("there is no credential %q", name))
	}
	return mirror.Credential{Host: c.Host, User: c.User, Secret: c.Secret}, err
}

// pullRule is the rule by which a repository is fetched on a pull, nil where it is not.
func (h *hub) pullRule(ctx context.Context, repository string) (*mirror.Rule, error) {
	e, err := h.effective(ctx, repository)
	if err != nil || e.Mirror == nil || !e.Mirror.OnPull {
		return nil, err
	}
	return h.mirrorRule(ctx, e.Pattern, e.Mirror)
}

// importJob copies one image that somebody ordered.
func (h *hub) importJob(ctx context.Context, j *job.Job, progress func(string)) error {
	var r api.ImportRequest
	if err := json.Unmarshal(j.Payload, &r); err != nil {
		return job.Permanent(fmt.Errorf("reading the payload: %w", err))
	}
	credential, err := h.credential(ctx, r.Credential)
	if err != nil {
		return err
	}
	repository, tag := destination(r.Destination)
	who := itself("import")
	who.Actor = j.By
	return h.copy(auth.With(ctx, who), mirror.Source{Ref: r.Source, Credential: credential}, mirror.Dest{Repository: repository, Tag: tag}, progress)
}

// copy copies an image with what is attached to it, and says how it comes along. What will not change by trying again
// ends the job.
func (h *hub) copy(ctx context.Context, from mirror.Source, to mirror.Dest, progress func(string)) error {
	ctx = withOrigin(ctx, from.Ref)
	r, err := h.copier.Copy(ctx, h.registry, from, to, func(p mirror.Progress) {
		progress(fmt.Sprintf("%d manifests, %d blobs, %d MiB", p.Manifests, p.Blobs, p.Bytes>>20))
	})
	var refused *registry.Refused
	if errors.As(err, &refused) || errors.Is(err, registry.ErrNotFound) || mirror.Permanent(err) {
		return job.Permanent(err)
	}
	if err != nil {
		return err
	}
	progress(fmt.Sprintf("copied %d manifests and %d blobs, %d MiB: %s", r.Manifests, r.Blobs, r.Bytes>>20, r.Digest))
	return nil
}

// destination splits "team/app:1"; without a tag the source's is taken.
func destination(text string) (repository, tag string) {
	if at := strings.LastIndexByte(text, ':'); at > strings.LastIndexByte(text, '/') {
		return text[:at], text[at+1:]
	}
	return text, ""
}

// scheduleMirrors orders the copies whose time has come: of the repository that a rule names, or of those that are there
// where its pattern has wildcards.
func (h *hub) scheduleMirrors(ctx context.Context, now time.Time) error {
	rules, err := h.db.Rules(ctx)
	if err != nil {
		return err
	}
	for i := range rules {
		m := rules[i].Mirror
		if m == nil || m.Every <= 0 || len(m.Tags) == 0 {
			continue
		}
		if err := h.periodic(ctx, kindMirror, rules[i].Pattern, time.Duration(m.Every), now); err != nil {
			return err
		}
	}
	return nil
}

// mirrorJob copies all tags that the rule of a pattern selects.
func (h *hub) mirrorJob(ctx context.Context, j *job.Job, progress func(string)) error {
	rules, err := h.db.Rules(ctx)
	if err != nil {
		return err
	}
	for i := range rules {
		if rules[i].Pattern == j.Key && rules[i].Mirror != nil {
			return h.mirrorAll(auth.With(ctx, itself(mirrorPart)), &rules[i], progress)
		}
	}
	return nil // the rule is gone
}

func (h *hub) mirrorAll(ctx context.Context, rule *catalog.Rule, progress func(string)) error {
	r, err := h.mirrorRule(ctx, rule.Pattern, rule.Mirror)
	if err != nil {
		return err
	}
	names, err := h.matching(ctx, rule.Pattern)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		errs = append(errs, h.mirrorTags(ctx, r, name, rule.Mirror.Tags, progress))
	}
	return errors.Join(errs...)
}

func (h *hub) mirrorTags(ctx context.Context, r *mirror.Rule, repository string, patterns []string, progress func(string)) error {
	remote, err := r.Remote(repository)
	if err != nil {
		return job.Permanent(err)
	}
	tags, err := h.copier.Tags(ctx, mirror.Source{Ref: remote, Credential: r.Credential, CA: r.CA}, patterns)
	if err != nil {
		return err
	}
	var errs []error
	for _, tag := range tags {
		from := r.Tagged(remote, tag)
		err := h.copy(ctx, from, mirror.Dest{Repository: repository, Tag: tag}, func(s string) { progress(repository + ":" + tag + ": " + s) })
		if errs = append(errs, err); ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...) // one tag that cannot be copied does not keep the others out
}

// matching lists the repositories that a pattern names.
func (h *hub) matching(ctx context.Context, pattern string) (names []string, err error) {
	if !strings.ContainsAny(pattern, `*?[\`) {
		return []string{pattern}, nil
	}
	for cursor := ""; ; {
		page, err := h.db.Repositories(ctx, "", "name", cursor, 1000)
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			if finding.MatchPath(pattern, page.Items[i].Name) {
				names = append(names, page.Items[i].Name)
			}
		}
		if cursor = page.Next; cursor == "" {
			return names, nil
		}
	}
}

// manifestPath is the path of a manifest in the protocol.
var manifestPath = regexp.MustCompile(`^/v2/(.+)/manifests/([^/]+)$`)

// sourceFailed answers a pull whose source could not be asked, and reports whether it did: what the source does not have is
// the registry's to answer.
func (h *hub) sourceFailed(w http.ResponseWriter, r *http.Request, err error) bool {
	var refused *registry.Refused
	if errors.Is(err, mirror.ErrNotFound) || errors.Is(err, mirror.ErrName) || errors.Is(err, registry.ErrNotFound) || errors.As(err, &refused) {
		return false
	}
	h.log.WarnContext(r.Context(), "the source of a mirrored image failed", slog.String("path", r.URL.Path), slog.Any("error", err))
	status, code := http.StatusServiceUnavailable, "UNKNOWN"
	var limited *mirror.LimitedError
	switch {
	case errors.As(err, &limited):
		status, code = http.StatusTooManyRequests, "TOOMANYREQUESTS"
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(limited.After.Seconds()))))
	case errors.Is(err, mirror.ErrDenied):
		status, code = http.StatusForbidden, "DENIED"
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	message := struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}{code, "the source of this mirror: " + err.Error()}
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{message}}) // the client is gone if this fails
	return true
}

// pullThrough fetches what is asked for, where a rule says so, before next answers. Who may not pull gets next's answer
// without anything being fetched, and so does everybody where the source fails.
func (h *hub) pullThrough(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m := manifestPath.FindStringSubmatch(r.URL.Path); m != nil && (r.Method == http.MethodGet || r.Method == http.MethodHead) && registry.ValidName(m[1]) {
			who := auth.From(r.Context())
			if who.May(auth.ImagePull, auth.Repository(m[1])) {
				if err := h.fetcher.Fetch(r.Context(), m[1], m[2]); err != nil && h.sourceFailed(w, r, err) {
					return
				}
			}
		}
		next.ServeHTTP(w, r)
	})
}
