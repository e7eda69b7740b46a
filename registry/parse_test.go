package registry

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzParseManifest: whatever is taken names only digests that can be stored, and says the same when read again.
func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"a/b","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":1},"layers":[]}`), "")
	f.Add([]byte(`{"schemaVersion":2,"manifests":[],"subject":null}`), typeIndex)
	f.Add([]byte(`{"schemaVersion":2,"layers":[],"Layers":[]}`), typeImage)
	f.Fuzz(func(t *testing.T, p []byte, contentType string) {
		m, err := parseManifest(p, contentType)
		if err != nil {
			return
		}
		if !isManifest(m.MediaType) || m.Index != (m.Config == "") || m.Length != int64(len(p)) {
			t.Fatalf("taken as %+v", m)
		}
		digests := m.Blobs
		for _, c := range m.Children {
			digests = append(digests, c.Digest)
		}
		if m.Subject != "" {
			digests = append(digests, m.Subject)
		}
		for _, d := range digests {
			if _, err := parseDigest(d); err != nil {
				t.Fatal(err)
			}
		}
		again, err := parseManifest(p, m.MediaType)
		if err != nil {
			t.Fatalf("not taken as what it is: %v", err)
		}
		a, _ := json.Marshal(m)
		b, _ := json.Marshal(again)
		if string(a) != string(b) {
			t.Fatalf("%s, then %s", a, b)
		}
	})
}

// FuzzTarget: whatever path is understood names a repository that stays in its place.
func FuzzTarget(f *testing.F) {
	for _, s := range []string{"/a/b/manifests/x", "/a/blobs/uploads/", "/blobs/uploads/x/tags/list", "/a/../b/blobs/x", "//", "/a/referrers/sha256:x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got, err := parseTarget(path)
		if err != nil {
			return
		}
		for part := range strings.SplitSeq(got.repo, "/") {
			if part == "" || part == "." || part == ".." || ofOurs(part) {
				t.Fatalf("%q is the repository %q", path, got.repo)
			}
		}
		if strings.Contains(got.ref, "/") {
			t.Fatalf("%q has the reference %q", path, got.ref)
		}
	})
}

func FuzzContentRange(f *testing.F) {
	f.Add("0-10")
	f.Add("bytes 5-9/20")
	f.Fuzz(func(t *testing.T, s string) {
		first, last, err := contentRange(s)
		if err == nil && (first < 0 || last-first+1 < 0) {
			t.Fatalf("%q is %d-%d", s, first, last)
		}
	})
}

func TestUploadID(t *testing.T) {
	for _, id := range []string{"", "x", strings.Repeat("0", 43), "0000000000-" + strings.Repeat("z", 32), "../../../../../" + strings.Repeat("a", 28)} {
		if _, ok := uploadStarted(id); ok {
			t.Errorf("%q is an upload's id", id)
		}
	}
}
