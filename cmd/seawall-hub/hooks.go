package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/intake"
	"github.com/seawall/seawall/registry"
)

// hooks answer the registry: auth says who may, intake what is served and what follows.
type hooks struct {
	intake func() *intake.Service // made after the registry
	rules  func(ctx context.Context, repository string) (catalog.Effective, error)
	usage  func(ctx context.Context, repository string) (catalog.Repository, error)
	// manifest is the catalog's.
	manifest func(ctx context.Context, repository, digest string) (catalog.Manifest, error)
	// header is the value of WWW-Authenticate that sends a client to the token endpoint for what the request needs.
	header func(q *http.Request) string
}

func (h *hooks) challenge(q *http.Request) error {
	return &registry.Challenge{Header: h.header(q), Message: "sign in with `docker login`"}
}

// actions are what each of the registry's actions needs. One of them is enough: a signer pushes, but see BeforePut.
var actions = map[registry.Action][]auth.Action{
	registry.Pull:   {auth.ImagePull, auth.ImageHeld},
	registry.Push:   {auth.ImagePush, auth.ImageSign},
	registry.Delete: {auth.ImageDelete},
}

func (h *hooks) Authorize(q *http.Request, needs []registry.Need) (context.Context, error) {
	p := auth.From(q.Context())
	for _, n := range needs {
		if err := h.allow(q, &p, n); err != nil {
			return nil, err
		}
	}
	if len(needs) == 0 && !p.SignedIn() {
		return nil, h.challenge(q)
	}
	if p.Must != "" {
		return nil, &registry.Refused{Message: "sign in to the console first: your " + p.Must + " has to be set"}
	}
	ctx := q.Context()
	if q.Method == http.MethodHead {
		ctx = context.WithValue(ctx, headKey{}, true)
	}
	return ctx, nil
}

// headKey marks a question whether something is there. Who pushes asks it before each upload and gets an honest answer,
// also about what is held: it tells nothing that the pusher does not have.
type headKey struct{}

func (h *hooks) asksToPush(ctx context.Context, repository string) bool {
	p := auth.From(ctx)
	return ctx.Value(headKey{}) != nil && p.May(auth.ImagePush, auth.Repository(repository))
}

func (h *hooks) allow(q *http.Request, p *auth.Principal, n registry.Need) error {
	if n.Action == registry.List {
		if p.SignedIn() {
			return nil // Visible leaves out what they may not see
		}
		return h.challenge(q)
	}
	wide := *p
	wide.Narrow = nil
	switch {
	case mayAny(p, n):
		return nil
	case !p.SignedIn() || mayAny(&wide, n): // with a token for less than this: the client asks for a wider one
		return h.challenge(q)
	}
	return &registry.Refused{Message: fmt.Sprintf("%s may not %s %s: ask an administrator for a role on it", p.Name, n.Action, n.Repository)}
}

func mayAny(p *auth.Principal, n registry.Need) bool {
	return slices.ContainsFunc(actions[n.Action], func(a auth.Action) bool { return p.May(a, auth.Repository(n.Repository)) })
}

func (h *hooks) Visible(ctx context.Context, repository string) bool {
	p := auth.From(ctx)
	return p.May(auth.ImageList, auth.Repository(repository)) || p.May(auth.ImagePull, auth.Repository(repository))
}

func (h *hooks) ServeManifest(ctx context.Context, repository, digest string) error {
	a, err := h.intake().Serve(ctx, repository, digest, h.held(ctx, repository) || attaches(ctx, repository))
	return h.served(a, err, repository, digest)
}

func (h *hooks) ServeBlob(ctx context.Context, repository, digest string) error {
	a, err := h.intake().ServeBlob(ctx, repository, digest, h.held(ctx, repository))
	return h.served(a, err, repository, "")
}

// held reports whether who asks gets what is held back.
func (h *hooks) held(ctx context.Context, repository string) bool {
	p := auth.From(ctx)
	return p.May(auth.ImageHeld, auth.Repository(repository)) || h.asksToPush(ctx, repository)
}

// attaches reports whether who asks may push or sign in the repository. They get manifests of what is held, which say
// nothing but digests: a client reads what it signs first, with a token that is for reading only, and an image that is
// held for want of a signature could not be signed otherwise.
func attaches(ctx context.Context, repository string) bool {
	p := auth.From(ctx)
	p.Narrow = nil
	scope := auth.Repository(repository)
	return p.May(auth.ImagePush, scope) || p.May(auth.ImageSign, scope)
}

func (h *hooks) served(a intake.Answer, err error, repository, digest string) error {
	switch {
	case errors.Is(err, catalog.ErrNotFound):
		return registry.ErrGone
	case err != nil:
		return err
	case a.Serve:
		return nil
	}
	// The message tells the link already where it has one.
	return &registry.Held{Reason: strings.TrimPrefix(a.Message, "held: ")}
}

// BeforePut holds a push to the rules: tags that never move, quotas, and what a signer may push.
func (h *hooks) BeforePut(ctx context.Context, p registry.Put) error {
	rule, err := h.rules(ctx, p.Repository)
	if err != nil {
		return err
	}
	if err := signersOnly(ctx, &p); err != nil {
		return err
	}
	if tag := immutable(&rule, p.Moves); tag != "" {
		return &registry.Refused{Message: fmt.Sprintf("the tag %s never moves (rule %s): push another tag", tag, rule.From["tags"])}
	}
	if err := h.stays(ctx, &p); err != nil {
		return err
	}
	return h.quota(ctx, &rule, &p)
}

// stays keeps a mirror from bringing back what somebody deleted here: only a person, by restoring or pushing, does.
func (h *hooks) stays(ctx context.Context, p *registry.Put) error {
	if who := auth.From(ctx); !p.Manifest || who.Kind != audit.ActorSystem || who.ID != mirrorPart {
		return nil
	}
	m, err := h.manifest(ctx, p.Repository, p.Digest)
	if err == nil && !m.Deleted.IsZero() {
		return &registry.Refused{Message: "it was deleted here: restore it first"}
	}
	if errors.Is(err, catalog.ErrNotFound) {
		return nil
	}
	return err
}

// sidecar is the form of the tags under which signatures of an image are kept where there are no referrers.
var sidecar = regexp.MustCompile(`^sha(256|512)-[0-9a-f]{64,128}(\.[a-z]+)?$`)

// signersOnly keeps who may only sign from pushing what runs, and from moving a tag that is not a signature's.
func signersOnly(ctx context.Context, p *registry.Put) error {
	who := auth.From(ctx)
	if !p.Manifest || who.May(auth.ImagePush, auth.Repository(p.Repository)) {
		return nil
	}
	ordinary := slices.ContainsFunc(p.Tags, func(t string) bool { return !sidecar.MatchString(t) })
	if !p.Runs && !ordinary && (p.Subject != "" || len(p.Tags) > 0) {
		return nil
	}
	return &registry.Refused{Message: who.Name + " may push signatures and attestations only: this is neither"}
}

func immutable(rule *catalog.Effective, moves []string) string {
	if rule.Tags == nil {
		return ""
	}
	for _, tag := range moves {
		for _, pattern := range rule.Tags.Immutable {
			if finding.MatchPath(pattern, tag) {
				return tag
			}
		}
	}
	return ""
}

func (h *hooks) quota(ctx context.Context, rule *catalog.Effective, p *registry.Put) error {
	if rule.Quota == 0 || p.Manifest {
		return nil
	}
	r, err := h.usage(ctx, p.Repository)
	if err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return err
	}
	if r.Size+p.Size <= rule.Quota {
		return nil
	}
	return &registry.Refused{Message: fmt.Sprintf("the quota of %s is %d MiB (rule %s), %d MiB are used: delete images first",
		p.Repository, rule.Quota>>20, rule.From["quota"], r.Size>>20)}
}

func (h *hooks) Pushed(ctx context.Context, m registry.Manifest) error {
	p, request := auth.From(ctx), auth.RequestID(ctx)
	if err := h.intake().Pushed(ctx, described(&m, origin(ctx)), p.Actor, request); err != nil {
		return err
	}
	for _, tag := range m.Tags {
		if err := h.intake().Tagged(ctx, m.Repository, tag, m.Digest, p.Actor, request); err != nil {
			return err
		}
	}
	return nil
}

// described turns what the registry knows of a manifest into the catalog's form.
func described(m *registry.Manifest, from string) catalog.Manifest {
	out := catalog.Manifest{
		Repository: m.Repository, Digest: m.Digest, MediaType: m.MediaType, ArtifactType: m.ArtifactType, Subject: m.Subject,
		Size: m.Size, Platform: m.Platform, Config: m.Config, Blobs: m.Blobs, BlobSizes: m.BlobSizes, Created: m.Created, Origin: from,
		Kind: kindOf(m),
	}
	for _, c := range m.Children {
		out.Children = append(out.Children, c.Digest)
	}
	return out
}

// kindOf goes by what the registry found in the content. What an engine may run is never taken for an artifact, which
// needs no scan: neither a subject, nor a tag of a signature's form, nor a media type of its own makes it one.
func kindOf(m *registry.Manifest) catalog.Kind {
	switch {
	case m.Index:
		return catalog.KindIndex
	case m.Runs:
		return catalog.KindImage
	}
	return catalog.KindArtifact
}

// Deleted is told of what the state began itself, too: then there is nothing left to do.
func (h *hooks) Deleted(ctx context.Context, repository, digest string) error {
	if beganInRegistry(ctx) {
		return nil
	}
	p := auth.From(ctx)
	// A hub that was killed may have stored what the catalog never heard of, or deleted in the catalog alone: the
	// registry's part is still to be done.
	return absent(h.intake().Deleted(begun(ctx), repository, digest, p.Actor, auth.RequestID(ctx), reasonOf(ctx)))
}

func (h *hooks) Untagged(ctx context.Context, repository, tag, _ string) error {
	p := auth.From(ctx)
	return h.intake().Untagged(ctx, repository, tag, p.Actor, auth.RequestID(ctx))
}

// Pulled counts what others pull: the hub's own reading, for a scan, says nothing about use.
func (h *hooks) Pulled(ctx context.Context, repository, digest string) {
	if auth.From(ctx).Kind == audit.ActorSystem {
		return
	}
	h.intake().Pulled(repository, digest)
}

type reasonKey struct{}

// withReason carries why somebody deletes, for the record.
func withReason(ctx context.Context, why string) context.Context {
	return context.WithValue(ctx, reasonKey{}, why)
}

func reasonOf(ctx context.Context) string {
	why, _ := ctx.Value(reasonKey{}).(string)
	return why
}

type originKey struct{}

// withOrigin marks what is pushed as a copy of something elsewhere.
func withOrigin(ctx context.Context, ref string) context.Context {
	return context.WithValue(ctx, originKey{}, ref)
}

func origin(ctx context.Context) string {
	ref, _ := ctx.Value(originKey{}).(string)
	return ref
}
