package registry_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// The four workflows of the distribution specification 1.1, line by line: pull, push, content discovery, content
// management.

func TestBase(t *testing.T) {
	everywhere(t, func(t *testing.T, c client) {
		for _, path := range []string{"/v2/", "/v2"} {
			a := c.want(200, "", "GET", path, nil)
			if a.Header.Get("Docker-Distribution-Api-Version") != "registry/2.0" {
				t.Error("the version header is missing")
			}
		}
	})
}

func TestEmpty(t *testing.T) {
	everywhere(t, func(t *testing.T, c client) {
		c.want(404, "NAME_UNKNOWN", "GET", "/v2/no/such/tags/list", nil)
		a := c.want(200, "", "GET", "/v2/no/such/referrers/"+string(digest.FromString("x")), nil)
		if got := referrers(t, a); len(got.Manifests) != 0 || got.MediaType != v1.MediaTypeImageIndex || got.SchemaVersion != 2 {
			t.Errorf("no referrers: %s", a.body)
		}
		if !bytes.Contains(a.body, []byte(`"manifests":[]`)) {
			t.Errorf("manifests must be a list: %s", a.body)
		}
	})
}

// pushes are the ways to bring a blob.
var pushes = map[string]func(c client, repo string, d digest.Digest, p []byte) answer{
	"post": func(c client, repo string, d digest.Digest, p []byte) answer {
		return c.want(201, "", "POST", "/v2/"+repo+"/blobs/uploads/?digest="+string(d), p)
	},
	"post and put": func(c client, repo string, d digest.Digest, p []byte) answer {
		a := c.want(202, "", "POST", "/v2/"+repo+"/blobs/uploads/", nil)
		return c.want(201, "", "PUT", location(a, "digest="+string(d)), p)
	},
	"streamed": func(c client, repo string, d digest.Digest, p []byte) answer {
		a := c.want(202, "", "POST", "/v2/"+repo+"/blobs/uploads/", nil)
		a = c.want(202, "", "PATCH", location(a, ""), p)
		return c.want(201, "", "PUT", location(a, "digest="+string(d)), nil)
	},
	"chunks": func(c client, repo string, d digest.Digest, p []byte) answer {
		a := c.chunks(repo, p, len(p)/3+1, len(p))
		return c.want(201, "", "PUT", location(a, "digest="+string(d)), nil)
	},
	"chunks, last in put": func(c client, repo string, d digest.Digest, p []byte) answer {
		n := len(p) * 2 / 3
		a := c.chunks(repo, p, len(p)/3+1, n)
		return c.want(201, "", "PUT", location(a, "digest="+string(d)), p[n:], "Content-Range", fmt.Sprintf("%d-%d", n, len(p)-1))
	},
	"chunks of an algorithm": func(c client, repo string, d digest.Digest, p []byte) answer {
		a := c.want(202, "", "POST", "/v2/"+repo+"/blobs/uploads/?digest-algorithm="+string(d.Algorithm()), nil)
		a = c.want(202, "", "PATCH", location(a, ""), p)
		return c.want(201, "", "PUT", location(a, "digest="+string(d)), nil)
	},
}

// chunks sends p up to end in chunks of n, each of which says where it belongs.
func (c client) chunks(repo string, p []byte, n, end int) answer {
	c.t.Helper()
	a := c.want(202, "", "POST", "/v2/"+repo+"/blobs/uploads/", nil)
	for at := 0; at < end; at += n {
		last := min(at+n, end)
		a = c.want(202, "", "PATCH", location(a, ""), p[at:last], "Content-Range", fmt.Sprintf("%d-%d", at, last-1))
		if got, want := a.Header.Get("Range"), fmt.Sprintf("0-%d", last-1); got != want {
			c.t.Fatalf("Range: %s, want %s", got, want)
		}
	}
	return a
}

func TestPushBlob(t *testing.T) {
	everywhere(t, func(t *testing.T, c client) {
		for name, push := range pushes {
			for _, a := range []digest.Algorithm{digest.SHA256, digest.SHA512} {
				for _, n := range []int{2, 512, 65536, 65537, 200_000} {
					t.Run(fmt.Sprint(name, a, n), func(t *testing.T) {
						c.t = t
						p := randomBytes(n)
						d := a.FromBytes(p)
						got := push(c, "push/blob", d, p)
						if got.Header.Get("Docker-Content-Digest") != string(d) {
							t.Error("the digest is not acknowledged")
						}
						c.blobIs(location(got, ""), d, p)
						c.blobIs("/v2/push/blob/blobs/"+string(d), d, p)
					})
				}
			}
		}
	})
}

func (c client) blobIs(path string, d digest.Digest, p []byte) {
	c.t.Helper()
	a := c.want(200, "", "GET", path, nil)
	if !bytes.Equal(a.body, p) || a.Header.Get("Docker-Content-Digest") != string(d) || a.ContentLength != int64(len(p)) {
		c.t.Fatalf("GET %s: %d bytes, %v", path, len(a.body), a.Header)
	}
	a = c.want(200, "", "HEAD", path, nil)
	if a.Header.Get("Docker-Content-Digest") != string(d) || a.ContentLength != int64(len(p)) || len(a.body) != 0 {
		c.t.Fatalf("HEAD %s: %v", path, a.Header)
	}
}

func TestPushEmptyBlob(t *testing.T) {
	everywhere(t, func(t *testing.T, c client) {
		for name, push := range pushes {
			if strings.HasPrefix(name, "chunks, ") {
				continue // there is no last chunk
			}
			for _, a := range []digest.Algorithm{digest.SHA256, digest.SHA512} {
				d := a.FromBytes(nil)
				push(c, "push/empty", d, nil)
				c.blobIs("/v2/push/empty/blobs/"+string(d), d, nil)
				c.want(202, "", "DELETE", "/v2/push/empty/blobs/"+string(d), nil)
			}
		}
	})
}

func TestPushBadDigest(t *testing.T) {
	everywhere(t, func(t *testing.T, c client) {
		p := randomBytes(200_000)
		for _, a := range []digest.Algorithm{digest.SHA256, digest.SHA512} {
			d := a.FromString("something else")
			c.want(400, "DIGEST_INVALID", "POST", "/v2/bad/digest/blobs/uploads/?digest="+string(d), p)
			u := c.want(202, "", "POST", "/v2/bad/digest/blobs/uploads/", nil)
			c.want(400, "DIGEST_INVALID", "PUT", location(u, "digest="+string(d)), p)
			u = c.chunks("bad/digest", p, 70_000, len(p))
			c.want(400, "DIGEST_INVALID", "PUT", location(u, "digest="+string(d)), nil)
			c.want(404, "BLOB_UPLOAD_UNKNOWN", "GET", location(u, ""), nil)
			c.want(404, "BLOB_UNKNOWN", "GET", "/v2/bad/digest/blobs/"+string(d), nil)
		}
	})
}

func TestOutOfOrder(t *testing.T) {
	everywhere(t, func(t *testing.T, c client) {
		p := randomBytes(150_000)
		u := c.want(202, "", "POST", "/v2/out/of/order/blobs/uploads/", nil)
		c.want(416, "BLOB_UPLOAD_INVALID", "PATCH", location(u, ""), p[70_000:], "Content-Range", "70000-149999")
		s := c.want(204, "", "GET", location(u, ""), nil)
		if s.Header.Get("Range") != "0-0" {
			t.Errorf("Range of nothing: %s", s.Header.Get("Range"))
		}
		u = c.want(202, "", "PATCH", location(s, ""), p[:70_000], "Content-Range", "0-69999")
		c.want(416, "BLOB_UPLOAD_INVALID", "PATCH", location(u, ""), p[:70_000], "Content-Range", "0-69999")
		c.want(416, "BLOB_UPLOAD_INVALID", "PUT", location(u, "digest="+string(digest.FromBytes(p))), p[80_000:], "Content-Range", "80000-149999")
		s = c.want(204, "", "GET", location(u, ""), nil)
		if s.Header.Get("Range") != "0-69999" {
			t.Errorf("Range: %s", s.Header.Get("Range"))
		}
		c.want(201, "", "PUT", location(s, "digest="+string(digest.FromBytes(p))), p[70_000:], "Content-Range", "70000-149999")
		c.blobIs("/v2/out/of/order/blobs/"+string(digest.FromBytes(p)), digest.FromBytes(p), p)
	})
}

func TestCancelUpload(t *testing.T) {
	everywhere(t, func(t *testing.T, c client) {
		u := c.want(202, "", "POST", "/v2/cancel/blobs/uploads/", nil)
		u = c.want(202, "", "PATCH", location(u, ""), randomBytes(70_000))
		c.want(404, "BLOB_UPLOAD_UNKNOWN", "GET", strings.Replace(location(u, ""), "/cancel/", "/other/", 1), nil)
		c.want(204, "", "DELETE", location(u, ""), nil)
		c.want(404, "BLOB_UPLOAD_UNKNOWN", "GET", location(u, ""), nil)
		c.want(404, "BLOB_UPLOAD_UNKNOWN", "PATCH", location(u, ""), []byte("x"))
	})
}

func TestRanges(t *testing.T) {
	everywhere(t, func(t *testing.T, c client) {
		p := randomBytes(200_000)
		path := "/v2/ranges/blobs/" + string(c.pushBlob("ranges", p))
		for header, want := range map[string][]byte{
			"bytes=500-1499":       p[500:1500],
			"bytes=65530-65549":    p[65530:65550],
			"bytes=131072-":        p[131072:],
			"bytes=-500":           p[len(p)-500:],
			"bytes=199000-5000000": p[199000:],
			"bytes=0-0":            p[:1],
		} {
			a := c.want(206, "", "GET", path, nil, "Range", header)
			if !bytes.Equal(a.body, want) {
				t.Errorf("%s: %d bytes", header, len(a.body))
			}
		}
		for _, header := range []string{"bytes=500-0", "bytes=500000-600000"} {
			if a := c.do("GET", path, nil, "Range", header); a.StatusCode != http.StatusRequestedRangeNotSatisfiable {
				t.Errorf("%s: %d", header, a.StatusCode)
			}
		}
		c.want(304, "", "GET", path, nil, "If-None-Match", `"`+string(digest.FromBytes(p))+`"`)
	})
}

func TestMount(t *testing.T) {
	everywhere(t, func(t *testing.T, c client) {
		p := randomBytes(1000)
		d := string(c.pushBlob("mount/from", p))
		a := c.want(201, "", "POST", "/v2/mount/to/blobs/uploads/?mount="+d+"&from=mount/from", nil)
		c.blobIs(location(a, ""), digest.FromBytes(p), p)
		c.want(201, "", "POST", "/v2/mount/anonymous/blobs/uploads/?mount="+d, nil)
		c.blobIs("/v2/mount/anonymous/blobs/"+d, digest.FromBytes(p), p)

		missing := string(digest.FromString("missing"))
		for _, from := range []string{"", "&from=mount/from", "&from=no/such", "&from=NO"} {
			u := c.want(202, "", "POST", "/v2/mount/to/blobs/uploads/?mount="+missing+from, nil)
			c.want(201, "", "PUT", location(u, "digest="+d), p)
		}
		c.want(202, "", "POST", "/v2/mount/third/blobs/uploads/?mount="+d+"&from=no/such", nil)
	})
}

func TestPushManifest(t *testing.T) {
	everywhere(t, func(t *testing.T, c client) {
		one, two := c.image("m/x"), c.image("m/x")
		d := c.pushManifest("m/x", "tag", one)
		c.pushManifest("m/x", "", two)
		x := index(one, two)
		c.pushManifest("m/x", "multi", x)
		c.pushManifest("m/x", "nested", index(x))
		c.pushManifest("m/x", "empty", index())
		for ref, want := range map[string][]byte{"tag": one, string(d): one, "multi": x, string(digest.FromBytes(two)): two} {
			for _, method := range []string{"GET", "HEAD"} {
				a := c.want(200, "", method, "/v2/m/x/manifests/"+ref, nil, "Accept", typeOf(want))
				if method == "GET" && !bytes.Equal(a.body, want) {
					t.Errorf("%s: %s", ref, a.body)
				}
				if a.ContentLength != int64(len(want)) || a.Header.Get("Content-Type") != typeOf(want) || a.Header.Get("Docker-Content-Digest") != string(digest.FromBytes(want)) {
					t.Errorf("%s %s: %v", method, ref, a.Header)
				}
			}
		}
		c.pushManifest("m/x", "tag", two) // tags move
		if a := c.want(200, "", "GET", "/v2/m/x/manifests/tag", nil); !bytes.Equal(a.body, two) {
			t.Error("the tag did not move")
		}
	})
}

func TestManifestForms(t *testing.T) {
	c := serve(t, directoryConfig(t))
	large := map[string]string{}
	for i := range 390 {
		large[fmt.Sprint("a", i)] = strings.Repeat("A", 10_000)
	}
	for name, change := range map[string]func(*v1.Manifest){
		"large":     func(m *v1.Manifest) { m.Annotations = large },
		"artifact":  func(m *v1.Manifest) { m.ArtifactType = "application/vnd.example" },
		"no layers": func(m *v1.Manifest) { m.Layers = []v1.Descriptor{} },
		"data":      func(m *v1.Manifest) { m.Layers[0].Data = []byte("inline") },
		"missing subject": func(m *v1.Manifest) {
			m.Subject = &v1.Descriptor{MediaType: v1.MediaTypeImageManifest, Digest: digest.FromString("missing"), Size: 123}
		},
		"nondistributable": func(m *v1.Manifest) {
			m.Layers = append(m.Layers, v1.Descriptor{MediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", Digest: digest.FromString("elsewhere"), Size: 99, URLs: []string{"https://store.example/x"}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.t = t
			p := c.image("forms", change)
			c.pushManifest("forms", "t", p)
			if a := c.want(200, "", "GET", "/v2/forms/manifests/t", nil); !bytes.Equal(a.body, p) {
				t.Error("it came back changed")
			}
		})
	}
	extra := bytes.Replace(c.image("forms"), []byte(`{`), []byte(`{"org.example.extra":[1,{"a":2}],`), 1)
	c.pushManifest("forms", "extra", extra)
}

func TestSHA512Manifest(t *testing.T) {
	everywhere(t, func(t *testing.T, c client) {
		p := c.image("sha512")
		d := string(digest.SHA512.FromBytes(p))
		a := c.want(201, "", "PUT", "/v2/sha512/manifests/"+d+"?tag=one&tag=two", p, "Content-Type", typeOf(p))
		if got := a.Header.Values("OCI-Tag"); !slices.Equal(got, []string{"one", "two"}) || a.Header.Get("Docker-Content-Digest") != d {
			t.Errorf("acknowledged: %v", a.Header)
		}
		for _, ref := range []string{"one", "two", d} {
			if a := c.want(200, "", "GET", "/v2/sha512/manifests/"+ref, nil); !bytes.Equal(a.body, p) || a.Header.Get("Docker-Content-Digest") != d {
				t.Errorf("%s: %v", ref, a.Header)
			}
		}
		c.want(404, "MANIFEST_UNKNOWN", "GET", "/v2/sha512/manifests/"+string(digest.FromBytes(p)), nil)
		c.want(201, "", "PUT", "/v2/sha512/manifests/three?digest="+d, p, "Content-Type", typeOf(p))
		c.want(202, "", "DELETE", "/v2/sha512/manifests/"+d, nil)
		c.want(404, "MANIFEST_UNKNOWN", "GET", "/v2/sha512/manifests/one", nil)
	})
}

func TestTags(t *testing.T) {
	everywhere(t, func(t *testing.T, c client) {
		p := c.image("tags")
		all := []string{"2.0", "V1", "_x", "a.b-c", "latest"}
		for _, tag := range all {
			c.pushManifest("tags", tag, p)
		}
		for query, want := range map[string][]string{
			"":               all,
			"?n=2":           all[:2],
			"?n=2&last=V1":   all[2:4],
			"?last=a.b-c":    all[4:],
			"?n=0":           {},
			"?last=zz":       {},
			"?last=b&n=1000": all[4:],
		} {
			a := c.want(200, "", "GET", "/v2/tags/tags/list"+query, nil)
			if diff := cmp.Diff(want, listed(t, a, "tags")); diff != "" {
				t.Errorf("%s: %s", query, diff)
			}
		}
		var got []string
		for path := "/v2/tags/tags/list?n=2"; path != ""; {
			a := c.want(200, "", "GET", path, nil)
			got = append(got, listed(t, a, "tags")...)
			path = next(a)
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("page by page: %s", diff)
		}
		c.want(202, "", "DELETE", "/v2/tags/manifests/V1", nil)
		c.want(404, "MANIFEST_UNKNOWN", "HEAD", "/v2/tags/manifests/V1", nil)
		c.want(404, "MANIFEST_UNKNOWN", "DELETE", "/v2/tags/manifests/V1", nil)
		c.want(200, "", "GET", "/v2/tags/manifests/latest", nil)
	})
}

func listed(t *testing.T, a answer, key string) []string {
	t.Helper()
	var v map[string]json.RawMessage
	var out []string
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(v[key], &out); err != nil || out == nil {
		t.Fatalf("no list of %s: %s", key, a.body)
	}
	return out
}

// next is the path of the next page, "" on the last.
func next(a answer) string {
	l := a.Header.Get("Link")
	path, rel, _ := strings.Cut(strings.TrimPrefix(l, "<"), ">")
	if rel != `; rel="next"` {
		return ""
	}
	return path
}

func TestCatalog(t *testing.T) {
	everywhere(t, func(t *testing.T, c client) {
		all := []string{"a", "a-b/c", "a/b", "blobs/uploads", "z/manifests/x"}
		for _, name := range all {
			c.pushBlob(name, []byte("x"))
		}
		var got []string
		for path := "/v2/_catalog?n=2"; path != ""; {
			a := c.want(200, "", "GET", path, nil)
			got = append(got, listed(t, a, "repositories")...)
			path = next(a)
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Error(diff)
		}
	})
}

func referrers(t *testing.T, a answer) v1.Index {
	t.Helper()
	var x v1.Index
	if err := json.Unmarshal(a.body, &x); err != nil {
		t.Fatal(err)
	}
	if a.Header.Get("Content-Type") != v1.MediaTypeImageIndex {
		t.Errorf("Content-Type: %s", a.Header.Get("Content-Type"))
	}
	return x
}

func TestReferrers(t *testing.T) {
	everywhere(t, func(t *testing.T, c client) {
		subject := c.image("r")
		d := digest.FromBytes(subject)
		refer := func(kind string) []byte {
			return c.image("r", func(m *v1.Manifest) {
				m.ArtifactType = kind
				m.Annotations = map[string]string{"org.example": kind}
				m.Subject = &v1.Descriptor{MediaType: v1.MediaTypeImageManifest, Digest: d, Size: int64(len(subject))}
			})
		}
		sbom, sig, plain := refer("application/sbom"), refer("application/sig"), refer("")
		for _, p := range [][]byte{sbom, sig} { // before the subject exists
			a := c.want(201, "", "PUT", "/v2/r/manifests/"+string(digest.FromBytes(p)), p, "Content-Type", typeOf(p))
			if a.Header.Get("OCI-Subject") != string(d) {
				t.Errorf("OCI-Subject: %q", a.Header.Get("OCI-Subject"))
			}
		}
		c.pushManifest("r", "subject", subject)
		c.pushManifest("r", "plain", plain)
		c.pushManifest("r", "plain", plain) // twice counts once

		wantDescriptor := func(p []byte, kind string) v1.Descriptor {
			out := descriptor(v1.MediaTypeImageManifest, p)
			out.ArtifactType = kind
			out.Annotations = map[string]string{"org.example": strings.TrimPrefix(kind, v1.MediaTypeImageConfig)}
			return out
		}
		want := []v1.Descriptor{wantDescriptor(sbom, "application/sbom"), wantDescriptor(sig, "application/sig"), wantDescriptor(plain, v1.MediaTypeImageConfig)}
		slices.SortFunc(want, func(a, b v1.Descriptor) int { return strings.Compare(string(a.Digest), string(b.Digest)) })
		a := c.want(200, "", "GET", "/v2/r/referrers/"+string(d), nil)
		if diff := cmp.Diff(want, referrers(t, a).Manifests); diff != "" {
			t.Error(diff)
		}
		if a.Header.Get("OCI-Filters-Applied") != "" {
			t.Error("a filter that was not asked for")
		}
		a = c.want(200, "", "GET", "/v2/r/referrers/"+string(d)+"?artifactType=application/sig", nil)
		if got := referrers(t, a).Manifests; len(got) != 1 || got[0].Digest != digest.FromBytes(sig) || a.Header.Get("OCI-Filters-Applied") != "artifactType" {
			t.Errorf("filtered: %s", a.body)
		}
		var got []v1.Descriptor
		for path := "/v2/r/referrers/" + string(d) + "?n=1"; path != ""; {
			a := c.want(200, "", "GET", path, nil)
			got = append(got, referrers(t, a).Manifests...)
			path = next(a)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("page by page: %s", diff)
		}
		// Deleting the subject leaves its referrers, deleting a referrer takes it out.
		c.want(202, "", "DELETE", "/v2/r/manifests/"+string(d), nil)
		c.want(202, "", "DELETE", "/v2/r/manifests/"+string(digest.FromBytes(sig)), nil)
		a = c.want(200, "", "GET", "/v2/r/referrers/"+string(d), nil)
		if got := referrers(t, a).Manifests; len(got) != 2 {
			t.Errorf("after deletes: %s", a.body)
		}
	})
}

func TestReferrersOfIndex(t *testing.T) {
	c := serve(t, directoryConfig(t))
	p := c.image("ri")
	c.pushManifest("ri", "", p)
	x := index(p)
	c.pushManifest("ri", "x", x)
	ref := v1.Index{MediaType: v1.MediaTypeImageIndex, ArtifactType: "application/vnd.example", Manifests: []v1.Descriptor{}, Subject: &v1.Descriptor{MediaType: typeOf(x), Digest: digest.FromBytes(x), Size: int64(len(x))}}
	ref.SchemaVersion = 2
	c.pushManifest("ri", "", marshal(ref))
	a := c.want(200, "", "GET", "/v2/ri/referrers/"+string(digest.FromBytes(x))+"?artifactType=application/vnd.example", nil)
	if got := referrers(t, a).Manifests; len(got) != 1 || got[0].MediaType != v1.MediaTypeImageIndex {
		t.Errorf("%s", a.body)
	}
}

// TestReferrersTagSchema: a client that knows of no referrers API keeps an index under the tag sha256-<hex>.
func TestReferrersTagSchema(t *testing.T) {
	c := serve(t, directoryConfig(t))
	p := c.image("fallback")
	d := c.pushManifest("fallback", "", p)
	tag := "sha256-" + d.Encoded()
	c.want(404, "MANIFEST_UNKNOWN", "GET", "/v2/fallback/manifests/"+tag, nil)
	c.pushManifest("fallback", tag, index(p))
	c.want(200, "", "GET", "/v2/fallback/manifests/"+tag, nil)
	c.want(202, "", "DELETE", "/v2/fallback/manifests/"+tag, nil)
}

func TestDelete(t *testing.T) {
	everywhere(t, func(t *testing.T, c client) {
		p := c.image("del")
		var m v1.Manifest
		json.Unmarshal(p, &m)
		d := string(c.pushManifest("del", "one", p))
		c.pushManifest("del", "two", p)
		layer := "/v2/del/blobs/" + string(m.Layers[0].Digest)
		c.want(405, "UNSUPPORTED", "DELETE", layer, nil) // in use
		c.want(202, "", "DELETE", "/v2/del/manifests/"+d, nil)
		for _, ref := range []string{"one", "two", d} {
			c.want(404, "MANIFEST_UNKNOWN", "GET", "/v2/del/manifests/"+ref, nil)
			c.want(404, "MANIFEST_UNKNOWN", "HEAD", "/v2/del/manifests/"+ref, nil)
		}
		c.want(404, "MANIFEST_UNKNOWN", "DELETE", "/v2/del/manifests/"+d, nil)
		c.want(202, "", "DELETE", layer, nil)
		c.want(404, "BLOB_UNKNOWN", "HEAD", layer, nil)
		c.want(404, "BLOB_UNKNOWN", "DELETE", layer, nil)

		// Restored, with the blob that was taken out.
		if err := c.reg.Restore(t.Context(), "del", d); err != nil {
			t.Fatal(err)
		}
		c.want(200, "", "GET", "/v2/del/manifests/"+d, nil)
		c.want(200, "", "GET", layer, nil)
		c.want(404, "MANIFEST_UNKNOWN", "GET", "/v2/del/manifests/one", nil)
	})
}
