package image

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// registryServer serves a registry behind wrap and returns its host.
func registryServer(t *testing.T, wrap func(http.Handler) http.Handler, start func(*httptest.Server)) *httptest.Server {
	t.Helper()
	h := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	if wrap != nil {
		h = wrap(h)
	}
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	start(s)
	t.Cleanup(s.Close)
	t.Setenv("HOME", t.TempDir())
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	return s
}

func hostOf(s *httptest.Server) string {
	u, _ := url.Parse(s.URL)
	return u.Host
}

func layerOf(t *testing.T, b []byte) v1.Layer {
	t.Helper()
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(string(b))), nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func imageFor(t *testing.T, p platform, layers ...[]byte) v1.Image {
	t.Helper()
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	cfg, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	cfg = cfg.DeepCopy()
	cfg.OS, cfg.Architecture, cfg.Variant = p.OS, p.Architecture, p.Variant
	if img, err = mutate.ConfigFile(img, cfg); err != nil {
		t.Fatal(err)
	}
	for _, l := range layers {
		if img, err = mutate.AppendLayers(img, layerOf(t, l)); err != nil {
			t.Fatal(err)
		}
	}
	return img
}

func push(t *testing.T, ref string, img v1.Image, opts ...remote.Option) v1.Hash {
	t.Helper()
	r, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(r, img, opts...); err != nil {
		t.Fatal(err)
	}
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestRegistry(t *testing.T) {
	s := registryServer(t, nil, (*httptest.Server).Start)
	ref := hostOf(s) + "/team/app:1"
	digest := push(t, ref, imageFor(t, amd64, tarOf(t, file("etc/a", "1")), tarOf(t, file("etc/b", "2"))))
	for _, asked := range []string{ref, "registry:" + ref, hostOf(s) + "/team/app@" + digest.String()} {
		src := open(t, asked, Options{})
		img := one(t, src)
		if src.Kind != KindRegistry || img.ID != digest.String() || img.IDKind != IDManifest || img.Ref != asked {
			t.Errorf("%s: %+v", asked, img)
		}
		if tagged := !strings.Contains(asked, "@"); tagged != slices.Equal(img.Tags, []string{ref}) {
			t.Errorf("%s: tags %q", asked, img.Tags)
		}
		if l := img.Layers[0]; l.Blob.Local() || l.Blob.Identity() != l.Digest {
			t.Errorf("identity %q", l.Blob.Identity())
		}
		if diff := cmp.Diff([]string{`file etc/a "1"`, `file etc/b "2"`}, walkAll(t, img)); diff != "" {
			t.Error(diff)
		}
	}
	openError(t, hostOf(s)+"/team/none:1", Options{}, fs.ErrNotExist, "tried file: file does not exist; registry:")
	openError(t, "Not A Name", Options{}, nil, "could not parse reference")
}

func TestRegistryIndex(t *testing.T) {
	s := registryServer(t, nil, (*httptest.Server).Start)
	var index v1.ImageIndex = empty.Index
	for _, p := range []platform{amd64, arm64} {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        imageFor(t, p, tarOf(t, file("etc/arch", p.Architecture))),
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: p.OS, Architecture: p.Architecture}},
		})
	}
	ref, err := name.ParseReference(hostOf(s) + "/multi:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref, index); err != nil {
		t.Fatal(err)
	}
	digest, _ := index.Digest()
	img := one(t, open(t, ref.Name(), Options{Platform: "linux/arm64"}))
	if img.Platform != "linux/arm64" || !slices.Contains(img.Aliases, digest.String()) {
		t.Errorf("%+v", img)
	}
	if got := walkAll(t, img); got[0] != `file etc/arch "arm64"` {
		t.Error(got)
	}
	if all := open(t, ref.Name(), Options{AllPlatforms: true}); len(all.Images) != 2 {
		t.Errorf("%d images", len(all.Images))
	}
}

// needLogin answers 401 without the right name and password.
func needLogin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, pass, ok := r.BasicAuth(); !ok || user != "reader" || pass != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func TestRegistryLogin(t *testing.T) {
	s := registryServer(t, needLogin, (*httptest.Server).Start)
	ref := hostOf(s) + "/app:1"
	openError(t, ref, Options{}, nil, "log in")
	auth := base64.StdEncoding.EncodeToString([]byte("reader:secret"))
	login := toJSON(t, map[string]any{"auths": map[string]any{hostOf(s): map[string]string{"auth": auth}}})

	docker := t.TempDir()
	writeFile(t, filepath.Join(docker, "config.json"), login)
	t.Setenv("DOCKER_CONFIG", docker)
	openError(t, ref, Options{}, fs.ErrNotExist, "registry:") // let in, and nothing there

	t.Setenv("DOCKER_CONFIG", t.TempDir())
	podman := t.TempDir()
	writeFile(t, filepath.Join(podman, "containers/auth.json"), login)
	t.Setenv("XDG_RUNTIME_DIR", podman)
	openError(t, ref, Options{}, fs.ErrNotExist, "registry:")
}

func TestRegistryTLS(t *testing.T) {
	s := registryServer(t, nil, (*httptest.Server).StartTLS)
	img, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	ref := hostOf(s) + "/app:1"
	push(t, ref, img, remote.WithTransport(s.Client().Transport))
	openError(t, ref, Options{}, nil, "certificate")
	one(t, open(t, ref, Options{Insecure: true}))
	ca := writeFile(t, filepath.Join(t.TempDir(), "ca.pem"),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	one(t, open(t, ref, Options{CAFile: ca}))
	openError(t, ref, Options{CAFile: "/nonexistent.pem"}, fs.ErrNotExist, "CA file")
	openError(t, ref, Options{CAFile: writeFile(t, ca+".txt", []byte("x"))}, nil, "no PEM certificate")
}

// Credentials never go over plain HTTP to another machine unless that is asked for.
func TestPlainHTTPIsRefused(t *testing.T) {
	rt, err := registryTransport(&Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []string{"http://10.0.0.1/v2/", "http://registry.local/v2/"} {
		req, _ := http.NewRequest(http.MethodGet, u, nil)
		_, err := rt.RoundTrip(req)
		wantError(t, err, errPlainHTTP, "--insecure")
	}
}

// A registry that serves other bytes than the manifest names is caught, whichever they are.
func TestRegistryLies(t *testing.T) {
	var lie string
	liar := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if lie != "" && r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, lie) {
				w.Write([]byte(`{"schemaVersion":2}`))
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	s := registryServer(t, liar, (*httptest.Server).Start)
	pushed := imageFor(t, amd64, tarOf(t, file("etc/a", "1")))
	ref := hostOf(s) + "/app:1"
	digest := push(t, ref, pushed)
	m, err := pushed.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	lie = m.Config.Digest.String()
	openError(t, ref, Options{}, nil, m.Config.Digest.String())
	lie = digest.String()
	openError(t, hostOf(s)+"/app@"+digest.String(), Options{}, nil, digest.String())

	lie = m.Layers[0].Digest.String()
	img := one(t, open(t, ref, Options{}))
	in, c, err := img.Layers[0].Input(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := Walk(context.Background(), in, Limits{}, ignore); err == nil || !strings.Contains(err.Error(), lie) {
		t.Errorf("a wrong layer got through: %v", err)
	}
}
