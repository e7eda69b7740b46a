package trust

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	godigest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Verify applies a policy to an image at a time. An error means that the policy or the subject makes no sense, or that
// the registry did not answer: nothing was decided. Everything else, hostile signatures included, is in the report.
func Verify(ctx context.Context, src Source, s Subject, p Policy, now time.Time) (Report, error) {
	v, err := Compile(p)
	if err != nil {
		return Report{}, fmt.Errorf("the trust policy: %w", err)
	}
	return v.Verify(ctx, src, s, now)
}

// run is one verification.
type run struct {
	v       *Verifier
	src     Source
	subject Subject
	now     time.Time
	raw     map[string][]byte // manifests of the image and the indexes around it
	media   map[string]string
}

// Verify applies the policy: see the function Verify.
func (v *Verifier) Verify(ctx context.Context, src Source, s Subject, now time.Time) (Report, error) {
	if err := godigest.Digest(s.Digest).Validate(); err != nil || !strings.HasPrefix(s.Digest, "sha256:") {
		return Report{}, fmt.Errorf("the image's digest %q is no SHA-256", s.Digest)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, v.limits.Time, fmt.Errorf("verification took longer than %s", v.limits.Time))
	defer cancel()
	r := &run{v: v, src: src, subject: s, now: now, raw: map[string][]byte{}, media: map[string]string{}}
	f, err := r.find(ctx)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return Report{}, fmt.Errorf("verifying %s@%s: %w", s.Repository, s.Digest, err)
	}
	rep := Report{Subject: s, Checked: now.UTC(), Notes: f.notes, Signatures: []Signature{}}
	for _, e := range f.found {
		rep.Signatures = append(rep.Signatures, e.Signature)
	}
	rep.Requirements = r.demands(f.found)
	rep.Met = !slices.ContainsFunc(rep.Requirements, func(q Requirement) bool { return !q.Met })
	return rep, nil
}

// find collects the signatures of the image and of the indexes that list it.
func (r *run) find(ctx context.Context) (*finder, error) {
	f := &finder{src: r.src, repo: r.subject.Repository, limits: &r.v.limits, budget: r.v.limits.Total, seen: map[string]bool{}, judge: r.judge}
	if err := f.at(ctx, r.subject.Digest); err != nil {
		return nil, err
	}
	for i, index := range r.subject.Within {
		if i >= maxWithin {
			f.note("more than %d indexes list the image: the rest was not looked at", maxWithin)
			break
		}
		listed, err := r.lists(ctx, index)
		if err != nil {
			return nil, err
		}
		if !listed {
			f.note("the index %s does not list the image", index)
			continue
		}
		if err := f.at(ctx, index); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// maxWithin bounds the indexes around an image that are looked at.
const maxWithin = 8

// lists reports whether an index names the image.
func (r *run) lists(ctx context.Context, index string) (bool, error) {
	raw, _, err := r.manifest(ctx, index)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the index %s: %w", index, err)
	}
	var x ocispec.Index
	if err := json.Unmarshal(raw, &x); err != nil {
		return false, nil
	}
	return slices.ContainsFunc(x.Manifests, func(d Descriptor) bool { return d.Digest.String() == r.subject.Digest }), nil
}

// manifest returns a manifest that has its digest, and its media type.
func (r *run) manifest(ctx context.Context, digest string) ([]byte, string, error) {
	if raw, ok := r.raw[digest]; ok {
		return raw, r.media[digest], nil
	}
	mediaType, raw, err := r.src.Manifest(ctx, r.subject.Repository, digest)
	if err != nil {
		return nil, "", err
	}
	d := godigest.Digest(digest)
	if d.Validate() != nil || d.Algorithm().FromBytes(raw) != d {
		return nil, "", errors.New("the manifest does not have its digest")
	}
	r.raw[digest], r.media[digest] = raw, mediaType
	return raw, mediaType, nil
}

// judge asks every signer of the policy about a signature.
func (r *run) judge(ctx context.Context, e *evidence) {
	e.by = map[*signer]bool{}
	any := false
	for _, s := range r.signers(e) {
		p, asked := r.check(ctx, e, s)
		any = any || asked
		switch {
		case !asked:
		case p == nil:
			e.by[s], e.Verified = true, true
			if !slices.Contains(e.By, s.name) {
				e.By = append(e.By, s.name)
			}
		default:
			p.Signer = s.name
			if !slices.Contains(e.Problems, *p) {
				e.Problems = append(e.Problems, *p)
			}
		}
	}
	if !any {
		e.Problems = append(e.Problems, *problem(NotAsked, "the policy asks for no %s of this form", e.Kind))
	}
}

// signers are those whom the policy asks for this kind of evidence.
func (r *run) signers(e *evidence) []*signer {
	if e.Kind == KindSignature {
		return r.v.signers
	}
	var all []*signer
	for i := range r.v.attestations {
		if d := &r.v.attestations[i]; d.wants(e.statement.PredicateType) {
			all = append(all, d.signer)
		}
	}
	return all
}
