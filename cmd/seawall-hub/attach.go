package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/intake"
	"github.com/seawall/seawall/scan/report"
	"github.com/seawall/seawall/trust"
)

// attacher keeps the hub's own referrers: for each a plain artifact, which any client reads, and an attestation that
// the hub signed, which any verifier of Cosign's bundles checks.
type attacher struct {
	shelf shelf
	key   *trust.Key
	own   []byte // by which it knows its artifacts from those that others call its own
}

func newAttacher(s shelf, key *trust.Key, secret []byte) *attacher {
	own := sha256.Sum256(append([]byte("seawall attachments\n"), secret...))
	return &attacher{shelf: s, key: key, own: own[:]}
}

// marked is a fingerprint with a proof that the hub made it, for this image and this kind of artifact.
func (a *attacher) marked(digest, artifactType, print string) string {
	m := hmac.New(sha256.New, a.own)
	fmt.Fprintf(m, "%s\n%s\n%s", digest, artifactType, print)
	return print + " " + hex.EncodeToString(m.Sum(nil))
}

// fingerprint is the annotation by which the hub knows its own artifacts and what they say.
const fingerprint = "dev.seawall.fingerprint"

// SBOM writes the inventory as CycloneDX.
func (a *attacher) SBOM(r *finding.Result) ([]byte, error) { return writeReport("cyclonedx", r) }

// writeReport writes one result in a format of package report. The findings are left out of SBOMs that are attached:
// they change with every advisory.
func writeReport(format string, r *finding.Result) ([]byte, error) {
	var b bytes.Buffer
	bare := finding.Result{Tool: r.Tool, ScannedAt: r.ScannedAt, Inventory: r.Inventory}
	err := report.Write(&b, format, []finding.Result{bare}, report.Options{})
	return b.Bytes(), err
}

func (a *attacher) Attached(ctx context.Context, repository, digest, artifactType string) ([]intake.Attached, error) {
	all, err := a.shelf.Referrers(ctx, repository, digest, artifactType)
	if err != nil {
		return nil, err
	}
	var out []intake.Attached
	for _, d := range all {
		mark := d.Annotations[fingerprint]
		print, _, _ := strings.Cut(mark, " ")
		if hmac.Equal([]byte(mark), []byte(a.marked(digest, artifactType, print))) {
			out = append(out, intake.Attached{Digest: string(d.Digest), Fingerprint: print})
		}
	}
	return out, nil
}

// Attach signs first: an artifact that is there has its attestation.
func (a *attacher) Attach(ctx context.Context, x intake.Attachment) error {
	ctx = auth.With(ctx, itself("intake"))
	subject := trust.Subject{Repository: x.Repository, Digest: x.Digest}
	if _, err := a.key.Attest(ctx, a.shelf, subject, x.PredicateType, x.Payload, trust.Options{Now: time.Now(), Replace: true}); err != nil {
		return err
	}
	return a.artifact(ctx, x)
}

func (a *attacher) Detach(ctx context.Context, repository, referrer string) error {
	err := a.shelf.DeleteManifest(auth.With(ctx, itself("intake")), repository, referrer)
	if errors.Is(err, fs.ErrNotExist) {
		return catalog.ErrNotFound
	}
	return err
}

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	emptyType    = "application/vnd.oci.empty.v1+json" // image specification 1.1, manifest.md, "Guidance for an empty descriptor"
)

type descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int    `json:"size"`
}

func describe(mediaType string, content []byte) descriptor {
	sum := sha256.Sum256(content)
	return descriptor{MediaType: mediaType, Digest: "sha256:" + hex.EncodeToString(sum[:]), Size: len(content)}
}

// artifact pushes the payload as an artifact that refers to the image.
func (a *attacher) artifact(ctx context.Context, x intake.Attachment) error {
	of, content, err := a.shelf.Manifest(ctx, x.Repository, x.Digest)
	if err != nil {
		return err
	}
	empty := []byte("{}")
	config, layer := describe(emptyType, empty), describe(x.ArtifactType, x.Payload)
	subject := describe(of, content)
	subject.Digest = x.Digest
	m, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": manifestType, "artifactType": x.ArtifactType, "config": config,
		"layers": []descriptor{layer}, "subject": subject,
		"annotations": map[string]string{fingerprint: a.marked(x.Digest, x.ArtifactType, x.Fingerprint), "org.opencontainers.image.created": time.Now().UTC().Format(time.RFC3339)},
	})
	if err != nil {
		return err
	}
	for _, blob := range []struct {
		d       descriptor
		content []byte
	}{{config, empty}, {layer, x.Payload}} {
		if err := a.shelf.PushBlob(ctx, x.Repository, blob.d.Digest, blob.content); err != nil {
			return err
		}
	}
	return a.shelf.PushManifest(ctx, x.Repository, describe(manifestType, m).Digest, manifestType, m)
}
