package trust

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	godigest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Where signatures lie.
const (
	typeNotation   = "application/vnd.cncf.notary.signature"
	typeBundle     = "application/vnd.dev.sigstore.bundle" // and what follows: ".v0.3+json"
	typeBundleV03  = "application/vnd.dev.sigstore.bundle.v0.3+json"
	typeCosign     = "application/vnd.dev.cosign.artifact." // sig.v1+json, att.v1+json
	suffixSig      = ".sig"
	suffixAtt      = ".att"
	annotSignature = "dev.cosignproject.cosign/signature"
	annotCert      = "dev.sigstore.cosign/certificate"
	annotChain     = "dev.sigstore.cosign/chain"
	annotBundle    = "dev.sigstore.cosign/bundle"
	annotTimestamp = "dev.sigstore.cosign/rfc3161timestamp"
)

// finder collects what hangs on one digest.
type finder struct {
	src     Source
	repo    string
	limits  *Limits
	budget  int64 // bytes that may still be read
	judge   func(context.Context, *evidence)
	seen    map[string]bool
	found   []*evidence
	notes   []string
	subject string // the digest whose signatures are being read
}

// fixedTag is a tag that Cosign derives from a digest: "sha256-….sig".
func fixedTag(digest, suffix string) string { return strings.Replace(digest, ":", "-", 1) + suffix }

// at collects the signatures of one digest.
func (f *finder) at(ctx context.Context, digest string) error {
	f.subject = digest
	for _, suffix := range []string{suffixSig, suffixAtt} {
		if err := f.legacy(ctx, fixedTag(digest, suffix)); err != nil {
			return err
		}
	}
	list, err := f.src.Referrers(ctx, f.repo, digest, "")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("listing the referrers of %s: %w", digest, err)
	}
	for _, d := range list {
		if !isSignature(d.ArtifactType) && !vague(d.ArtifactType) {
			continue
		}
		if len(f.seen) >= f.limits.Manifests {
			f.note("more than %d signature manifests: the rest was not looked at", f.limits.Manifests)
			break
		}
		if err := f.referrer(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

func isSignature(artifactType string) bool {
	return artifactType == typeNotation || strings.HasPrefix(artifactType, typeBundle) || strings.HasPrefix(artifactType, typeCosign)
}

// vague reports whether an artifact type says nothing: registries differ in where they take it from, and then only the
// manifest tells.
func vague(artifactType string) bool {
	return artifactType == "" || artifactType == ocispec.MediaTypeEmptyJSON || artifactType == ocispec.MediaTypeImageConfig
}

// typeOf is the artifact type by the manifest itself; "" for what is no signature.
func typeOf(raw []byte) string {
	var m ocispec.Manifest
	if json.Unmarshal(raw, &m) != nil {
		return ""
	}
	types := []string{m.ArtifactType, m.Config.MediaType}
	for _, l := range m.Layers {
		types = append(types, l.MediaType)
	}
	for _, t := range types {
		if isSignature(t) {
			return t
		}
	}
	return ""
}

func (f *finder) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for _, n := range f.notes {
		if n == text {
			return
		}
	}
	f.notes = append(f.notes, text)
}

func (f *finder) legacy(ctx context.Context, tag string) error {
	_, raw, err := f.src.Manifest(ctx, f.repo, tag)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the signatures at tag %s: %w", tag, err)
	}
	f.layers(ctx, raw, godigest.FromBytes(raw).String(), FormLegacy)
	return ctx.Err()
}

func (f *finder) referrer(ctx context.Context, d Descriptor) error {
	digest := d.Digest.String()
	if f.seen[digest] {
		return nil
	}
	form := formOf(d.ArtifactType)
	if d.Digest.Validate() != nil {
		f.broken(form, clean(digest), "", Malformed, "the list of referrers has a digest that is none")
		return nil
	}
	if d.Size > f.limits.ManifestSize {
		f.broken(form, digest, "", TooLarge, fmt.Sprintf("the manifest has %d bytes: at most %d are read", d.Size, f.limits.ManifestSize))
		return nil
	}
	_, raw, err := f.src.Manifest(ctx, f.repo, digest)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		f.broken(form, digest, "", Unreachable, "the manifest could not be read: "+clean(err.Error()))
		return nil
	case d.Digest.Algorithm().FromBytes(raw) != d.Digest:
		f.broken(form, digest, "", Malformed, "the manifest does not have its digest: cut off, or altered")
		return nil
	}
	if !isSignature(d.ArtifactType) {
		t := typeOf(raw)
		if t == "" {
			f.seen[digest] = true
			return nil
		}
		form = formOf(t)
	}
	f.layers(ctx, raw, digest, form)
	return ctx.Err()
}

func formOf(artifactType string) Form {
	switch {
	case artifactType == typeNotation:
		return FormNotation
	case strings.HasPrefix(artifactType, typeBundle):
		return FormBundle
	}
	return FormReferrer
}

// broken records something that cannot be judged at all.
func (f *finder) broken(form Form, manifest, blob string, code Code, text string) {
	f.seen[manifest] = true
	f.found = append(f.found, &evidence{
		Signature: Signature{Form: form, Kind: KindSignature, Subject: f.subject, Manifest: manifest, Blob: blob, Problems: []Problem{{Code: code, Text: text}}},
		broken:    true,
	})
}

// layers reads the signatures that a manifest holds.
func (f *finder) layers(ctx context.Context, raw []byte, manifest string, form Form) {
	if f.seen[manifest] {
		return
	}
	f.seen[manifest] = true
	var m ocispec.Manifest
	if int64(len(raw)) > f.limits.ManifestSize {
		f.broken(form, manifest, "", TooLarge, fmt.Sprintf("the manifest has %d bytes: at most %d are read", len(raw), f.limits.ManifestSize))
		return
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		f.broken(form, manifest, "", Malformed, "the manifest is no JSON: "+clean(err.Error()))
		return
	}
	// A registry that answers with referrers of another image is wrong, but what they hold would be judged by its own
	// digest all the same.
	if form != FormLegacy && form != FormReferrer && len(m.Layers) != 1 {
		f.broken(form, manifest, "", Malformed, fmt.Sprintf("the manifest has %d layers: want one", len(m.Layers)))
		return
	}
	for i := range m.Layers {
		if i >= f.limits.Layers || len(f.found) >= f.limits.Signatures {
			f.note("more than %d signatures in a manifest, or %d of the image: the rest was not looked at", f.limits.Layers, f.limits.Signatures)
			return
		}
		f.layer(ctx, &m.Layers[i], manifest, form)
	}
}

func (f *finder) layer(ctx context.Context, d *Descriptor, manifest string, form Form) {
	limit := f.limits.Attestation
	if form == FormNotation || d.MediaType == payloadSimple {
		limit = f.limits.Signature
	}
	blob := d.Digest.String()
	if d.Digest.Validate() != nil {
		f.broken(form, manifest, clean(blob), Malformed, "the manifest names a layer by a digest that is none")
		return
	}
	if d.Size > limit || d.Size > f.budget {
		f.broken(form, manifest, blob, TooLarge, fmt.Sprintf("the signature has %d bytes: at most %d are read", d.Size, min(limit, f.budget)))
		return
	}
	content, err := f.src.Blob(ctx, f.repo, blob, limit)
	switch {
	case err != nil:
		f.broken(form, manifest, blob, Unreachable, "the signature could not be read: "+clean(err.Error()))
		return
	case int64(len(content)) > limit:
		f.broken(form, manifest, blob, TooLarge, fmt.Sprintf("the signature has more than %d bytes", limit))
		return
	case d.Digest.Algorithm().FromBytes(content) != d.Digest:
		f.broken(form, manifest, blob, Malformed, "the content does not have its digest: cut off, or altered")
		return
	}
	f.budget -= int64(len(content))
	e, err := guarded(func() (*evidence, error) { return read(form, d, content) })
	if err != nil {
		f.broken(form, manifest, blob, Malformed, clean(err.Error()))
		return
	}
	e.Subject, e.Manifest, e.Blob = f.subject, manifest, blob
	f.judge(ctx, e)
	e.cosign, e.notation = nil, nil // they hold the content, which may be large
	f.found = append(f.found, e)
}

// read makes evidence of a layer.
func read(form Form, d *Descriptor, content []byte) (*evidence, error) {
	switch {
	case form == FormNotation:
		return readNotation(d.MediaType, content)
	case form == FormBundle:
		return readBundle(content)
	case strings.HasPrefix(d.MediaType, typeBundle):
		return readBundle(content)
	case d.MediaType == payloadSimple:
		return readSimple(form, content, d.Annotations)
	case d.MediaType == mediaEnvelope || strings.HasPrefix(d.MediaType, "application/vnd.in-toto"):
		return readEnvelope(form, content, d.Annotations)
	}
	return nil, fmt.Errorf("a layer of the unknown type %q", d.MediaType)
}

// guarded turns a panic of a library over hostile input into an error.
func guarded[T any](f func() (T, error)) (out T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it cannot be read: %v", r)
		}
	}()
	return f()
}
