package mirror

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	upstream "github.com/google/go-containerregistry/pkg/registry"
	containers "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	remotes "github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/seawall/seawall/registry"
	"github.com/seawall/seawall/registry/directory"
)

// sink is our registry in a directory.
func sink(t testing.TB, hooks registry.Hooks) *registry.Registry {
	t.Helper()
	d, err := directory.Open(filepath.Join(t.TempDir(), "registry"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := registry.New(t.Context(), registry.Config{Storage: d, Hooks: hooks})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// elsewhere is another registry, reached by its host.
func elsewhere(t testing.TB) string {
	t.Helper()
	s := httptest.NewServer(upstream.New(upstream.WithReferrersSupport(true), quiet))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func client() *Client { return New(Config{Pause: 1}) }

func reference(t testing.TB, ref string) name.Reference {
	t.Helper()
	r, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func image(t testing.TB, layers int) containers.Image {
	t.Helper()
	i, err := random.Image(2000, int64(layers))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func push(t testing.TB, ref string, what any) string {
	t.Helper()
	var err error
	var h containers.Hash
	switch w := what.(type) {
	case containers.Image:
		if err = remotes.Write(reference(t, ref), w); err == nil {
			h, err = w.Digest()
		}
	case containers.ImageIndex:
		if err = remotes.WriteIndex(reference(t, ref), w); err == nil {
			h, err = w.Digest()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return h.String()
}

// index of an image for each platform.
func index(t testing.TB, platforms ...string) containers.ImageIndex {
	t.Helper()
	out := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, text := range platforms {
		p, err := containers.ParsePlatform(text)
		if err != nil {
			t.Fatal(err)
		}
		out = mutate.AppendManifests(out, mutate.IndexAddendum{Add: image(t, 2), Descriptor: containers.Descriptor{Platform: p}})
	}
	return out
}

// about is an artifact that refers to a manifest of a repository.
func about(t testing.TB, ref, subject, kind string) string {
	t.Helper()
	d, err := remotes.Get(reference(t, ref+"@"+subject))
	if err != nil {
		t.Fatal(err)
	}
	layer := static.NewLayer([]byte(kind+" of "+subject), types.MediaType(kind))
	i, err := mutate.AppendLayers(mutate.MediaType(mutate.ConfigMediaType(empty.Image, types.MediaType(kind)), types.OCIManifestSchema1), layer)
	if err != nil {
		t.Fatal(err)
	}
	i = mutate.Subject(i, d.Descriptor).(containers.Image)
	h, err := i.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return push(t, ref+"@"+h.String(), i)
}

func has(t testing.TB, r *registry.Registry, repo, ref string) string {
	t.Helper()
	_, _, d, err := r.Manifest(context.Background(), repo, ref)
	if err != nil {
		return ""
	}
	return d
}
