//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/seawall/seawall/catalog"
)

// vulnerable and clean are Debian packages: the made up advisories reject the first, and say nothing of the second.
const (
	vulnerable = "perl 5.36.0-7"
	clean      = "coreutils 9.1-1"
)

// debian is an image that holds one Debian package, "name version", and one file that makes it unlike any other.
func debian(t *testing.T, pkg, mark string) v1.Image {
	t.Helper()
	var name, version string
	if _, err := fmt.Sscan(pkg, &name, &version); err != nil {
		t.Fatal(err)
	}
	oci := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.ConfigFile(oci, &v1.ConfigFile{Architecture: "amd64", OS: "linux", Config: v1.Config{User: "1000"},
		Created: v1.Time{Time: time.Now().Add(-time.Hour)}})
	if err != nil {
		t.Fatal(err)
	}
	return adding(t, img, tarOf(t, map[string]string{
		"etc/os-release":      "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\n",
		"var/lib/dpkg/status": fmt.Sprintf("Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: %s\nDescription: made up\n\n", name, version),
	}), tarOf(t, map[string]string{"opt/mark": mark}))
}

func adding(t *testing.T, img v1.Image, layers ...[]byte) v1.Image {
	t.Helper()
	for _, content := range layers {
		l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
			tarball.WithMediaType(types.OCILayer))
		if err == nil {
			img, err = mutate.AppendLayers(img, l)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return img
}

func tarOf(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, content := range files {
		err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg})
		if err == nil {
			_, err = io.WriteString(w, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// noise is a tar with a file of n bytes that do not compress.
func noise(n int) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Name: "opt/noise", Mode: 0o644, Size: int64(n), Typeflag: tar.TypeReg})
	_, _ = io.CopyN(w, rand.Reader, int64(n))
	_ = w.Close()
	return b.Bytes()
}

// saved writes an image in docker save's format.
func saved(t *testing.T, img v1.Image, tag string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.tar")
	ref, err := name.NewTag(tag)
	if err == nil {
		err = tarball.WriteToFile(path, ref, img)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// index is two images as one for two platforms.
func index(t *testing.T, one, other v1.Image) v1.ImageIndex {
	t.Helper()
	return mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex),
		mutate.IndexAddendum{Add: one, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: other, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}})
}

// artifact is content that is no image: a chart, a policy, a model.
func artifact(t *testing.T, kind, content string) v1.Image {
	t.Helper()
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.MediaType(kind))
	img, err := mutate.AppendLayers(img, static.NewLayer([]byte(content), types.MediaType(kind+".content")))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// push pushes an image as the administrator and returns its digest.
func (h *hub) push(repository, tag string, img v1.Image) string {
	h.t.Helper()
	if err := h.tryPush(repository, tag, img); err != nil {
		h.t.Fatalf("pushing %s:%s: %v", repository, tag, err)
	}
	return digestOf(h.t, img)
}

func (h *hub) tryPush(repository, tag string, img v1.Image) error {
	ref, err := h.reference(repository + ":" + tag)
	if err != nil {
		return err
	}
	return remote.Write(ref, img, h.as(login{"admin", adminPassword})...)
}

func (h *hub) reference(path string) (name.Reference, error) {
	return name.ParseReference(h.host+"/"+path, name.Insecure)
}

// as are the options of a client that signs in as somebody and does not try again.
func (h *hub) as(who login) []remote.Option {
	return []remote.Option{remote.WithAuth(basic(who)),
		remote.WithRetryBackoff(remote.Backoff{Steps: 1}), remote.WithRetryStatusCodes()}
}

func basic(who login) authn.Authenticator {
	return &authn.Basic{Username: who.name, Password: who.password}
}

func digestOf(t *testing.T, m interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	d, err := m.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// at is the path of an image in the API.
func at(repository, digest string) string {
	return "/repositories/" + url.PathEscape(repository) + "/images/" + digest
}

// image asks the hub about an image.
func (h *hub) image(repository, digest string) catalog.Manifest {
	h.t.Helper()
	var m catalog.Manifest
	h.call("GET", at(repository, digest), nil, &m)
	return m
}

// scanned waits until an image was scanned and decided.
func (h *hub) scanned(repository, digest string) (m catalog.Manifest) {
	h.t.Helper()
	h.until(repository+"@"+digest+" is scanned", func() bool {
		m = h.image(repository, digest)
		return m.Scan != nil && !m.Scan.Matched.IsZero()
	})
	return m
}

// becomes waits until an image has a status.
func (h *hub) becomes(repository, digest string, want catalog.Status) {
	h.t.Helper()
	var m catalog.Manifest
	h.until(fmt.Sprintf("%s@%s is %s", repository, digest, want), func() bool {
		m = h.image(repository, digest)
		return m.Status == want
	})
}

// referrers are the types of what is attached to an image.
func (h *hub) referrers(repository, digest string) []string {
	h.t.Helper()
	var page struct {
		Items []struct{ ArtifactType string }
	}
	h.call("GET", at(repository, digest)+"/referrers", nil, &page)
	var kinds []string
	for _, r := range page.Items {
		kinds = append(kinds, r.ArtifactType)
	}
	slices.Sort(kinds)
	return kinds
}

// referrerContent pulls what is attached to an image by its type.
func (h *hub) referrerContent(t *testing.T, repository, digest, kind string) []byte {
	t.Helper()
	ref, err := name.NewDigest(h.host+"/"+repository+"@"+digest, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	options := h.as(login{"admin", adminPassword})
	x, err := remote.Referrers(ref, append(options, remote.WithFilter("artifactType", kind))...)
	if err != nil {
		t.Fatal(err)
	}
	m, err := x.IndexManifest()
	if err != nil || len(m.Manifests) != 1 {
		t.Fatalf("%v; %d referrers of type %s, want one", err, len(m.Manifests), kind)
	}
	img, err := remote.Image(ref.Context().Digest(m.Manifests[0].Digest.String()), options...)
	if err != nil {
		t.Fatal(err)
	}
	layers, err := img.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%v; %d layers", err, len(layers))
	}
	r, err := layers[0].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
