package trust

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

func TestContentTrust(t *testing.T) {
	dir := t.TempDir()
	at := filepath.Join(dir, "tuf", "docker.io", "library", "app", "metadata")
	must(t, os.MkdirAll(at, 0o700))
	must(t, os.WriteFile(filepath.Join(at, "root.json"), []byte("{}"), 0o600))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v2/docker.io/library/app/_trust/tuf/root.json":
		case "/v2/broken/_trust/tuf/root.json":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	for _, tc := range []struct {
		name, repository string
		c                ContentTrust
		want             int
		fails            bool
	}{
		{"directory", "index.docker.io/library/app", ContentTrust{Dir: dir}, 1, false},
		{"server", "index.docker.io/library/app", ContentTrust{Server: server.URL}, 1, false},
		{"both", "docker.io/library/app", ContentTrust{Dir: dir, Server: server.URL}, 2, false},
		{"neither", "docker.io/library/web", ContentTrust{Dir: dir, Server: server.URL}, 0, false},
		{"outside", "../../..", ContentTrust{Dir: dir}, 0, true},
		{"broken server", "broken", ContentTrust{Server: server.URL}, 0, true},
		{"nothing to ask", "app", ContentTrust{Dir: filepath.Join(dir, "absent")}, 0, false},
	} {
		got, err := tc.c.Find(context.Background(), Subject{Repository: tc.repository})
		if len(got) != tc.want || (err != nil) != tc.fails {
			t.Errorf("%s: %d found, %v", tc.name, len(got), err)
		}
		for _, s := range got {
			if s.Verified || s.Problems[0].Code != Unsupported {
				t.Errorf("%s: %s", tc.name, indent(s))
			}
		}
	}
}
