package registry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/seawall/seawall/registry"
)

// TestErrors has a line for every way to do it wrong, and with them every code of the specification's table.
func TestErrors(t *testing.T) {
	config := directoryConfig(t)
	config.Limits = registry.Limits{Blob: 100_000}
	c := serve(t, config)
	p := c.image("e")
	d := string(digest.FromBytes(p))
	missing := string(digest.FromString("missing"))
	upload := location(c.want(202, "", "POST", "/v2/e/blobs/uploads/", nil), "")
	image, put := v1.MediaTypeImageManifest, "/v2/e/manifests/t"
	without := func(old, new string) string { return strings.Replace(string(p), old, new, 1) }
	for _, test := range []struct {
		name         string
		status       int
		code         string
		method, path string
		body         string
		contentType  string
	}{
		{"no such path", 404, "UNSUPPORTED", "GET", "/v2/e/things", "", ""},
		{"no such path, with a name", 404, "UNSUPPORTED", "GET", "/v2/e/things/x", "", ""},
		{"method on base", 405, "UNSUPPORTED", "POST", "/v2/", "", ""},
		{"method on catalog", 405, "UNSUPPORTED", "DELETE", "/v2/_catalog", "", ""},
		{"method on blob", 405, "UNSUPPORTED", "PUT", "/v2/e/blobs/" + d, "", ""},
		{"method on tags", 405, "UNSUPPORTED", "DELETE", "/v2/e/tags/list", "", ""},
		{"name in capitals", 400, "NAME_INVALID", "GET", "/v2/E/tags/list", "", ""},
		{"name that climbs", 400, "NAME_INVALID", "GET", "/v2/e/.%2e/x/tags/list", "", ""},
		{"name of our own", 400, "NAME_INVALID", "GET", "/v2/e/_tags/manifests/x", "", ""},
		{"name too long", 400, "NAME_INVALID", "GET", "/v2/" + strings.Repeat("a", 256) + "/tags/list", "", ""},
		{"name unknown", 404, "NAME_UNKNOWN", "GET", "/v2/unknown/tags/list", "", ""},
		{"page size", 400, "PAGINATION_NUMBER_INVALID", "GET", "/v2/e/tags/list?n=many", "", ""},
		{"page size below zero", 400, "PAGINATION_NUMBER_INVALID", "GET", "/v2/e/tags/list?n=-1", "", ""},
		{"tag invalid", 400, "TAG_INVALID", "GET", "/v2/e/manifests/-x", "", ""},
		{"tag too long", 400, "TAG_INVALID", "PUT", "/v2/e/manifests/" + strings.Repeat("a", 129), string(p), image},
		{"tag of a query invalid", 400, "TAG_INVALID", "PUT", "/v2/e/manifests/" + d + "?tag=a/b", string(p), image},
		{"blob digest short", 400, "DIGEST_INVALID", "GET", "/v2/e/blobs/sha256:abc", "", ""},
		{"blob digest in capitals", 400, "DIGEST_INVALID", "GET", "/v2/e/blobs/" + strings.ToUpper(d), "", ""},
		{"blob digest of another kind", 400, "DIGEST_INVALID", "GET", "/v2/e/blobs/md5:d41d8cd98f00b204e9800998ecf8427e", "", ""},
		{"blob unknown", 404, "BLOB_UNKNOWN", "GET", "/v2/e/blobs/" + missing, "", ""},
		{"blob of another repository", 404, "BLOB_UNKNOWN", "GET", "/v2/other/blobs/" + d, "", ""},
		{"upload unknown", 404, "BLOB_UPLOAD_UNKNOWN", "GET", "/v2/e/blobs/uploads/x", "", ""},
		{"upload id that climbs", 404, "UNSUPPORTED", "GET", "/v2/e/blobs/uploads/..%2fx/y", "", ""},
		{"upload without digest", 400, "DIGEST_INVALID", "PUT", upload, "x", ""},
		{"upload of another digest kind", 400, "DIGEST_INVALID", "POST", "/v2/e/blobs/uploads/?digest-algorithm=md5", "", ""},
		{"mount of no digest", 400, "DIGEST_INVALID", "POST", "/v2/e/blobs/uploads/?mount=x&from=e", "", ""},
		{"blob too large", 413, "SIZE_INVALID", "POST", "/v2/e/blobs/uploads/?digest=" + missing, strings.Repeat("x", 100_001), ""},
		{"manifest unknown", 404, "MANIFEST_UNKNOWN", "GET", "/v2/e/manifests/none", "", ""},
		{"manifest unknown by digest", 404, "MANIFEST_UNKNOWN", "GET", "/v2/e/manifests/" + missing, "", ""},
		{"manifest digest bad", 400, "DIGEST_INVALID", "PUT", "/v2/e/manifests/sha256:baddigeststring", string(p), image},
		{"manifest digest another", 400, "DIGEST_INVALID", "PUT", "/v2/e/manifests/" + missing, string(p), image},
		{"manifest digest of query another", 400, "DIGEST_INVALID", "PUT", put + "?digest=" + missing, string(p), image},
		{"manifest no JSON", 400, "MANIFEST_INVALID", "PUT", put, "layers", image},
		{"manifest a list", 400, "MANIFEST_INVALID", "PUT", put, "[]", image},
		{"manifest with more behind", 400, "MANIFEST_INVALID", "PUT", put, string(p) + "{}", image},
		{"manifest cut short", 400, "MANIFEST_INVALID", "PUT", put, string(p[:len(p)-1]), image},
		{"manifest too large", 413, "MANIFEST_INVALID", "PUT", put, string(p) + strings.Repeat(" ", 4<<20), image},
		{"manifest of another type than sent", 400, "MANIFEST_INVALID", "PUT", put, string(p), v1.MediaTypeImageIndex},
		{"manifest of a type unknown", 400, "MANIFEST_INVALID", "PUT", put, without(image, "application/x"), "application/x"},
		{"manifest of Docker's first schema", 400, "MANIFEST_INVALID", "PUT", put, `{"schemaVersion":1}`, "application/vnd.docker.distribution.manifest.v1+prettyjws"},
		{"manifest schema", 400, "MANIFEST_INVALID", "PUT", put, without(`"schemaVersion":2`, `"schemaVersion":1`), image},
		{"manifest that is both", 400, "MANIFEST_INVALID", "PUT", put, without(`{`, `{"manifests":[],`), image},
		{"manifest key twice", 400, "MANIFEST_INVALID", "PUT", put, without(`{`, `{"layers":[],`), image},
		{"manifest key in another case", 400, "MANIFEST_INVALID", "PUT", put, without(`"layers"`, `"Layers"`), image},
		{"manifest digest in it bad", 400, "MANIFEST_INVALID", "PUT", put, without("sha256:", "sha256:x"), image},
		{"manifest without config", 400, "MANIFEST_INVALID", "PUT", put, `{"schemaVersion":2,"layers":[]}`, image},
		{"manifest naming missing blob", 404, "MANIFEST_BLOB_UNKNOWN", "PUT", put, without(string(digestIn(p)), missing), image},
		{"index naming missing manifest", 404, "MANIFEST_BLOB_UNKNOWN", "PUT", put, string(index([]byte(`{"mediaType":"` + image + `"}`))), v1.MediaTypeImageIndex},
		{"manifest of blobs elsewhere", 404, "MANIFEST_BLOB_UNKNOWN", "PUT", "/v2/other/manifests/t", string(p), image},
		{"delete of unknown manifest", 404, "MANIFEST_UNKNOWN", "DELETE", "/v2/e/manifests/" + missing, "", ""},
		{"delete of unknown blob", 404, "BLOB_UNKNOWN", "DELETE", "/v2/e/blobs/" + missing, "", ""},
		{"referrers of no digest", 400, "DIGEST_INVALID", "GET", "/v2/e/referrers/tag", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c.t = t
			var header []string
			if test.contentType != "" {
				header = []string{"Content-Type", test.contentType}
			}
			a := c.want(test.status, test.code, test.method, test.path, []byte(test.body), header...)
			if a.Header.Get("Content-Type") != "application/json" {
				t.Errorf("Content-Type of an error: %s", a.Header.Get("Content-Type"))
			}
			if test.status == 405 && a.Header.Get("Allow") == "" {
				t.Error("Allow is missing")
			}
		})
	}
	c.want(400, "SIZE_INVALID", "PATCH", upload, []byte("abc"), "Content-Range", "0-9")
	c.want(400, "BLOB_UPLOAD_INVALID", "PATCH", upload, []byte("abc"), "Content-Range", "0-x")
	c.want(400, "BLOB_UPLOAD_INVALID", "PATCH", upload, []byte("abc"), "Content-Range", "9-0")
}

// digestIn is the digest of the configuration that a manifest names.
func digestIn(p []byte) digest.Digest {
	_, after, _ := strings.Cut(string(p), `"digest":"`)
	d, _, _ := strings.Cut(after, `"`)
	return digest.Digest(d)
}

// scripted are hooks of which a test sets what it wants to say.
type scripted struct {
	registry.Open
	authorize func(needs []registry.Need) error
	serve     func(repo, digest string) error
	blob      func(repo, digest string) error
	before    func(p registry.Put) error
	pushed    func(m registry.Manifest) error
	deleted   func(repo, digest string) error
	untagged  func(repo, tag, digest string) error
	pulled    func(repo, digest string)
}

func (s *scripted) Authorize(q *http.Request, needs []registry.Need) (context.Context, error) {
	if s.authorize != nil {
		return q.Context(), s.authorize(needs)
	}
	return q.Context(), nil
}

func (s *scripted) ServeManifest(_ context.Context, repo, d string) error {
	if s.serve != nil {
		return s.serve(repo, d)
	}
	return nil
}

func (s *scripted) ServeBlob(_ context.Context, repo, d string) error {
	if s.blob != nil {
		return s.blob(repo, d)
	}
	return nil
}

func (s *scripted) BeforePut(_ context.Context, p registry.Put) error {
	if s.before != nil {
		return s.before(p)
	}
	return nil
}

func (s *scripted) Pushed(_ context.Context, m registry.Manifest) error {
	if s.pushed != nil {
		return s.pushed(m)
	}
	return nil
}

func (s *scripted) Deleted(_ context.Context, repo, d string) error {
	if s.deleted != nil {
		return s.deleted(repo, d)
	}
	return nil
}

func (s *scripted) Untagged(_ context.Context, repo, tag, d string) error {
	if s.untagged != nil {
		return s.untagged(repo, tag, d)
	}
	return nil
}

func (s *scripted) Pulled(_ context.Context, repo, d string) {
	if s.pulled != nil {
		s.pulled(repo, d)
	}
}

func hooked(t *testing.T) (client, *scripted) {
	s := &scripted{}
	config := directoryConfig(t)
	config.Hooks = s
	return serve(t, config), s
}

func TestAuthorize(t *testing.T) {
	c, s := hooked(t)
	p := c.image("a/b")
	d := string(c.pushManifest("a/b", "t", p))
	blob := string(digestIn(p))
	var asked string
	s.authorize = func(needs []registry.Need) error {
		asked = fmt.Sprint(needs)
		return &registry.Challenge{Header: `Bearer realm="https://hub/token"`, Message: "sign in"}
	}
	for _, test := range []struct{ method, path, needs string }{
		{"GET", "/v2/", "[]"},
		{"GET", "/v2/_catalog", "[{ list}]"},
		{"GET", "/v2/a/b/tags/list", "[{a/b pull}]"},
		{"GET", "/v2/a/b/manifests/t", "[{a/b pull}]"},
		{"HEAD", "/v2/a/b/manifests/" + d, "[{a/b pull}]"},
		{"GET", "/v2/a/b/blobs/" + blob, "[{a/b pull}]"},
		{"GET", "/v2/a/b/referrers/" + d, "[{a/b pull}]"},
		{"PUT", "/v2/a/b/manifests/t", "[{a/b push}]"},
		{"POST", "/v2/a/b/blobs/uploads/", "[{a/b push}]"},
		{"GET", "/v2/a/b/blobs/uploads/x", "[{a/b push}]"},
		{"PATCH", "/v2/a/b/blobs/uploads/x", "[{a/b push}]"},
		{"PUT", "/v2/a/b/blobs/uploads/x", "[{a/b push}]"},
		{"DELETE", "/v2/a/b/blobs/uploads/x", "[{a/b push}]"},
		{"DELETE", "/v2/a/b/manifests/t", "[{a/b delete}]"},
		{"DELETE", "/v2/a/b/blobs/" + blob, "[{a/b delete}]"},
	} {
		asked = ""
		a := c.want(401, "UNAUTHORIZED", test.method, test.path, nil)
		if asked != test.needs || !strings.HasPrefix(a.Header.Get("Www-Authenticate"), "Bearer ") {
			t.Errorf("%s %s: asked %s, want %s", test.method, test.path, asked, test.needs)
		}
	}
	s.authorize = func([]registry.Need) error { return &registry.Refused{Message: "not you"} }
	c.want(403, "DENIED", "GET", "/v2/a/b/manifests/t", nil)
	s.authorize = func([]registry.Need) error {
		return &registry.Refused{Status: 429, Code: "TOOMANYREQUESTS", Message: "slowly"}
	}
	c.want(429, "TOOMANYREQUESTS", "GET", "/v2/a/b/manifests/t", nil)
}

// TestMountNeedsRead: who may not read the source uploads instead, and learns nothing.
func TestMountNeedsRead(t *testing.T) {
	c, s := hooked(t)
	d := string(c.pushBlob("secret", []byte("content")))
	s.authorize = func(needs []registry.Need) error {
		for _, n := range needs {
			if n.Repository == "secret" {
				return &registry.Refused{Message: "not you"}
			}
		}
		return nil
	}
	for _, from := range []string{"&from=secret", ""} {
		c.want(202, "", "POST", "/v2/mine/blobs/uploads/?mount="+d+from, nil)
		c.want(404, "BLOB_UNKNOWN", "GET", "/v2/mine/blobs/"+d, nil)
	}
	s.authorize = nil
	s.blob = func(repo, _ string) error {
		if repo == "secret" {
			return &registry.Held{Reason: "held"}
		}
		return nil
	}
	c.want(202, "", "POST", "/v2/mine/blobs/uploads/?mount="+d+"&from=secret", nil)
}

func TestHeld(t *testing.T) {
	c, s := hooked(t)
	p := c.image("h")
	d := string(c.pushManifest("h", "t", p))
	s.serve = func(string, string) error {
		return &registry.Held{Reason: "2 critical findings", Link: "https://hub/images/h"}
	}
	s.blob = s.serve
	for _, path := range []string{"/v2/h/manifests/t", "/v2/h/manifests/" + d, "/v2/h/blobs/" + string(digestIn(p))} {
		a := c.want(403, "DENIED", "GET", path, nil)
		if !strings.Contains(string(a.body), "2 critical findings; see https://hub/images/h") {
			t.Errorf("%s: %s", path, a.body)
		}
		c.want(403, "", "HEAD", path, nil)
	}
	s.serve = func(string, string) error { return registry.ErrGone }
	s.blob = s.serve
	c.want(404, "MANIFEST_UNKNOWN", "GET", "/v2/h/manifests/t", nil)
	c.want(404, "BLOB_UNKNOWN", "GET", "/v2/h/blobs/"+string(digestIn(p)), nil)
	s.serve = func(string, string) error { return errors.New("the database is gone") }
	c.want(500, "UNKNOWN", "GET", "/v2/h/manifests/t", nil)
}

func TestPushed(t *testing.T) {
	c, s := hooked(t)
	var got registry.Manifest
	s.pushed = func(m registry.Manifest) error { got = m; return nil }
	p := c.image("p")
	d := c.pushManifest("p", "t", p)
	if got.Repository != "p" || got.Digest != string(d) || fmt.Sprint(got.Tags) != "[t]" || got.Platform != "linux/arm64/v8" ||
		got.Created.IsZero() || len(got.Blobs) != 2 || got.Config != got.Blobs[0] || got.Size <= 3000 || got.Length != int64(len(p)) {
		t.Errorf("told of %+v", got)
	}
	c.pushManifest("p", "x", index(p))
	if !got.Index || len(got.Children) != 1 || got.Children[0].Digest != string(d) {
		t.Errorf("told of %+v", got)
	}

	// A push that the hub cannot note is not acknowledged, and the tag stays where it was.
	s.pushed = func(registry.Manifest) error { return errors.New("the database is gone") }
	c.want(500, "UNKNOWN", "PUT", "/v2/p/manifests/t", c.image("p"), "Content-Type", v1.MediaTypeImageManifest)
	if a := c.want(200, "", "GET", "/v2/p/manifests/t", nil); digest.FromBytes(a.body) != d {
		t.Error("the tag moved")
	}
}

func TestBeforePut(t *testing.T) {
	c, s := hooked(t)
	one := c.image("b")
	c.pushManifest("b", "v1", one)
	var put registry.Put
	s.before = func(p registry.Put) error { put = p; return nil }
	c.pushManifest("b", "v1", one)
	if len(put.Moves) != 0 {
		t.Errorf("moves %v", put.Moves)
	}
	two := c.image("b")
	s.before = func(p registry.Put) error {
		put = p
		return &registry.Refused{Message: "the tag v1 is immutable"}
	}
	c.want(403, "DENIED", "PUT", "/v2/b/manifests/v1", two, "Content-Type", typeOf(two))
	if fmt.Sprint(put.Moves) != "[v1]" || !put.Manifest {
		t.Errorf("asked %+v", put)
	}
	blob := randomBytes(100)
	d := string(digest.FromBytes(blob))
	c.want(403, "DENIED", "POST", "/v2/b/blobs/uploads/?digest="+d, blob)
	if put.Size != 100 || put.Manifest {
		t.Errorf("asked %+v", put)
	}
	c.want(404, "BLOB_UNKNOWN", "GET", "/v2/b/blobs/"+d, nil)
}

func TestDeletedAndUntagged(t *testing.T) {
	c, s := hooked(t)
	d := string(c.pushManifest("d", "t", c.image("d")))
	told := ""
	s.untagged = func(repo, tag, d string) error { told = "untagged " + tag; return errors.New("no") }
	c.want(500, "UNKNOWN", "DELETE", "/v2/d/manifests/t", nil)
	s.deleted = func(repo, d string) error { told = "deleted " + d; return errors.New("no") }
	c.want(500, "UNKNOWN", "DELETE", "/v2/d/manifests/"+d, nil)
	if told != "deleted "+d {
		t.Errorf("told %q", told)
	}
	c.want(200, "", "GET", "/v2/d/manifests/t", nil) // both failed
	pulled := 0
	s.pulled = func(string, string) { pulled++ }
	c.want(200, "", "GET", "/v2/d/manifests/t", nil)
	c.want(200, "", "HEAD", "/v2/d/manifests/t", nil)
	if pulled != 1 {
		t.Errorf("%d pulls", pulled)
	}
}

func TestDirect(t *testing.T) {
	everywhere(t, func(t *testing.T, c client) {
		ctx := t.Context()
		p := c.image("direct")
		m, err := c.reg.PutManifest(ctx, "direct", typeOf(p), p, "t", "s", "t")
		if err != nil || m.Platform != "linux/arm64/v8" {
			t.Fatal(m, err)
		}
		got, mediaType, d, err := c.reg.Manifest(ctx, "direct", "t")
		if err != nil || string(got) != string(p) || mediaType != typeOf(p) || d != m.Digest {
			t.Error(mediaType, d, err)
		}
		blob, err := c.reg.Describe(ctx, "direct", "t")
		if err != nil || blob.Config != m.Config || blob.Created != m.Created {
			t.Errorf("%+v %v", blob, err)
		}
		r, size, err := c.reg.Blob(ctx, "direct", m.Config)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if all, err := io.ReadAll(r); err != nil || int64(len(all)) != size || string(digest.FromBytes(all)) != m.Config {
			t.Errorf("%d of %d bytes: %v", len(all), size, err)
		}
		if _, _, err := c.reg.Blob(ctx, "other", m.Config); !errors.Is(err, registry.ErrNotFound) {
			t.Error(err)
		}
		if err := c.reg.PutBlob(ctx, "direct", m.Config, strings.NewReader("other")); err == nil {
			t.Error("a blob of another digest was taken")
		}
		u, err := c.reg.Usage(ctx)
		if err != nil || u.Blobs != 3 || u.Bytes != m.Size {
			t.Errorf("%+v, want 3 blobs of %d bytes: %v", u, m.Size, err)
		}
	})
}

// Who pushes is told that there is no room, and not sent to a log that they cannot read.
func TestFull(t *testing.T) {
	h := &scripted{pushed: func(registry.Manifest) error {
		return fmt.Errorf("writing: %w", &fs.PathError{Op: "write", Path: "/var/lib/x", Err: syscall.ENOSPC})
	}}
	c := serve(t, registry.Config{Storage: openDir(t), Hooks: h})
	a := c.do("PUT", "/v2/a/b/manifests/latest", c.image("a/b"), "Content-Type", v1.MediaTypeImageManifest)
	if a.StatusCode != 507 || !bytes.Contains(a.body, []byte("storage is full")) || bytes.Contains(a.body, []byte("/var")) {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}
