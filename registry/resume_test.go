package registry_test

import (
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/seawall/seawall/registry"
)

// TestResumeAfterRestart: an upload goes on in another process, and where only one is kept open in memory.
func TestResumeAfterRestart(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			config := b.config(t)
			config.Limits = registry.Limits{Uploads: 1}
			p := randomBytes(200_000)
			for _, a := range []digest.Algorithm{digest.SHA256, digest.SHA512} {
				d := a.FromBytes(p)
				first := serve(t, config)
				u := first.want(202, "", "POST", "/v2/resume/blobs/uploads/?digest-algorithm="+string(a), nil)
				other := first.want(202, "", "POST", "/v2/resume/blobs/uploads/", nil)
				u = first.want(202, "", "PATCH", location(u, ""), p[:70_000], "Content-Range", "0-69999")
				other = first.want(202, "", "PATCH", location(other, ""), p[:10])
				u = first.want(202, "", "PATCH", location(u, ""), p[70_000:140_000], "Content-Range", "70000-139999")
				if err := first.reg.Close(); err != nil {
					t.Fatal(err)
				}
				second := serve(t, config)
				s := second.want(204, "", "GET", location(u, ""), nil)
				if got := s.Header.Get("Range"); got != "0-139999" {
					t.Fatalf("Range: %s", got)
				}
				second.want(201, "", "PUT", location(s, "digest="+string(d)), p[140_000:], "Content-Range", "140000-199999")
				second.blobIs("/v2/resume/blobs/"+string(d), d, p)
				second.want(400, "DIGEST_INVALID", "PUT", location(other, "digest="+string(d)), p[10:11])
			}
		})
	}
}
