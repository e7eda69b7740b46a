package registry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/seawall/seawall/registry"
	"github.com/seawall/seawall/registry/directory"
	"github.com/seawall/seawall/registry/s3"
)

// fixedKeys has two keys, of which the second is current unless old is set; gone ones fail.
type fixedKeys struct {
	current string
	gone    string
}

func (k fixedKeys) Current(ctx context.Context) (string, []byte, error) {
	p, err := k.Key(ctx, k.current)
	return k.current, p, err
}

func (k fixedKeys) Key(_ context.Context, id string) ([]byte, error) {
	if id == k.gone || len(id) != 2 {
		return nil, errors.New("there is no such key")
	}
	return bytes.Repeat([]byte(id), 16), nil
}

// backend is a kind of storage that every test of behaviour runs on.
type backend struct {
	name   string
	config func(t testing.TB) registry.Config
}

func backends() []backend {
	seal := func(c registry.Config) registry.Config { c.Keys = fixedKeys{current: "k1"}; return c }
	return []backend{
		{"directory", directoryConfig},
		{"directory sealed", func(t testing.TB) registry.Config { return seal(directoryConfig(t)) }},
		{"s3", s3Config},
		{"s3 alone", func(t testing.TB) registry.Config { c := s3Config(t); c.Shared = false; return c }},
		{"s3 sealed", func(t testing.TB) registry.Config { return seal(s3Config(t)) }},
	}
}

func directoryConfig(t testing.TB) registry.Config {
	d, err := directory.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return registry.Config{Storage: d}
}

// s3Config is a bucket in memory that several processes share, so that nothing of an upload stays in this one.
func s3Config(t testing.TB) registry.Config {
	fake := gofakes3.New(s3mem.New(), gofakes3.WithAutoBucket(true))
	s := httptest.NewServer(fake.Server())
	t.Cleanup(s.Close)
	d, err := s3.Open(t.Context(), s3.Config{Endpoint: s.URL, Bucket: "seawall", AccessKey: "test", SecretKey: "test", PathStyle: true})
	if err != nil {
		t.Fatal(err)
	}
	return registry.Config{Storage: d, Shared: true}
}

// everywhere runs a test on every kind of storage.
func everywhere(t *testing.T, test func(t *testing.T, c client)) {
	t.Helper()
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) { test(t, serve(t, b.config(t))) })
	}
}

// client speaks to a registry over HTTP.
type client struct {
	t   testing.TB
	url string
	reg *registry.Registry
}

func serve(t testing.TB, c registry.Config) client {
	t.Helper()
	c.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	r, err := registry.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(r)
	t.Cleanup(func() {
		s.Close()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return client{t, s.URL, r}
}

type answer struct {
	*http.Response
	body []byte
}

// code is the first error code of an answer, "" without one.
func (a answer) code() string {
	var e struct {
		Errors []struct{ Code, Message string }
	}
	if json.Unmarshal(a.body, &e) != nil || len(e.Errors) == 0 {
		return ""
	}
	return e.Errors[0].Code
}

func (c client) do(method, path string, body []byte, header ...string) answer {
	c.t.Helper()
	a, err := c.try(method, path, body, header...)
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

func (c client) try(method, path string, body []byte, header ...string) (answer, error) {
	if strings.HasPrefix(path, "/") {
		path = c.url + path
	}
	q, err := http.NewRequest(method, path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for i := 0; i < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		return answer{}, err
	}
	defer a.Body.Close()
	p, err := io.ReadAll(a.Body)
	return answer{a, p}, err
}

// want does a request and checks its status and, for errors, its code.
func (c client) want(status int, code, method, path string, body []byte, header ...string) answer {
	c.t.Helper()
	a := c.do(method, path, body, header...)
	if a.StatusCode != status || (method != http.MethodHead && a.code() != code) {
		c.t.Fatalf("%s %s: %d %q, want %d %q: %.300s", method, path, a.StatusCode, a.code(), status, code, a.body)
	}
	return a
}

func randomBytes(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(rand.Uint32())
	}
	return p
}

// location makes an address of a Location header, with a query added.
func location(a answer, query string) string {
	l := a.Header.Get("Location")
	if query == "" {
		return l
	}
	if strings.Contains(l, "?") {
		return l + "&" + query
	}
	return l + "?" + query
}

func (c client) pushBlob(repo string, p []byte) digest.Digest {
	c.t.Helper()
	d := digest.FromBytes(p)
	c.want(201, "", "POST", "/v2/"+repo+"/blobs/uploads/?digest="+string(d), p)
	return d
}

func descriptor(mediaType string, p []byte) v1.Descriptor {
	return v1.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(p), Size: int64(len(p))}
}

// image pushes the blobs of a small image and returns its manifest.
func (c client) image(repo string, change ...func(*v1.Manifest)) []byte {
	c.t.Helper()
	config := []byte(`{"os":"linux","architecture":"arm64","variant":"v8","created":"2024-05-06T07:08:09Z","x":"` + digest.FromBytes(randomBytes(8)).Encoded() + `"}`)
	layer := randomBytes(3000)
	c.pushBlob(repo, config)
	c.pushBlob(repo, layer)
	m := v1.Manifest{MediaType: v1.MediaTypeImageManifest, Config: descriptor(v1.MediaTypeImageConfig, config), Layers: []v1.Descriptor{descriptor(v1.MediaTypeImageLayerGzip, layer)}}
	m.SchemaVersion = 2
	for _, f := range change {
		f(&m)
	}
	return marshal(m)
}

func marshal(v any) []byte {
	p, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return p
}

func (c client) pushManifest(repo, ref string, p []byte) digest.Digest {
	c.t.Helper()
	d := digest.FromBytes(p)
	if ref == "" {
		ref = string(d)
	}
	a := c.want(201, "", "PUT", "/v2/"+repo+"/manifests/"+ref, p, "Content-Type", typeOf(p))
	if got := a.Header.Get("Docker-Content-Digest"); got != string(d) {
		c.t.Fatalf("pushed %s, acknowledged %s", d, got)
	}
	return d
}

func typeOf(p []byte) string {
	var m struct{ MediaType string }
	json.Unmarshal(p, &m)
	return m.MediaType
}

func index(children ...[]byte) []byte {
	x := v1.Index{MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{}}
	x.SchemaVersion = 2
	for _, p := range children {
		x.Manifests = append(x.Manifests, descriptor(typeOf(p), p))
	}
	return marshal(x)
}
