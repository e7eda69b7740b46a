package image

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fakeEngine answers like Docker's API on a unix socket and returns its path.
func fakeEngine(t *testing.T, images map[string][]byte) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "engine") // t.TempDir's paths are too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	h := func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/images/")
		image, op := path[:strings.LastIndex(path, "/")], path[strings.LastIndex(path, "/")+1:]
		archive, ok := images[image]
		switch {
		case !ok:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprintf(w, `{"message":"No such image: %s"}`, image)
		case op == "json":
			fmt.Fprintf(w, `{"Id":%q,"RepoTags":["%s"],"RepoDigests":["app@%s","junk"]}`, sha256Of([]byte("id")), image, sha256Of([]byte("pulled")))
		default:
			w.Write(archive)
		}
	}
	s := &http.Server{Handler: http.HandlerFunc(h)}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return filepath.Join(dir, "s")
}

func TestEngine(t *testing.T) {
	archive := tarOf(t, oldSave(t, []string{"team/app:1"}, tarOf(t, file("etc/a", "1")))...)
	socket := fakeEngine(t, map[string][]byte{"team/app:1": archive, "junk": []byte("not a tar")})
	temp := t.TempDir()
	for _, tt := range []struct {
		ref string
		o   Options
	}{
		{"docker:team/app:1", Options{}},
		{"podman:team/app:1", Options{Engine: EnginePodman}},
		{"team/app:1", Options{Engine: EngineDocker}},
		{"team/app:1", Options{}},
	} {
		tt.o.EngineSocket, tt.o.TempDir = "unix://"+socket, temp
		s, err := Open(context.Background(), tt.ref, tt.o)
		if err != nil {
			t.Fatal(err)
		}
		img := one(t, s)
		if s.Kind != KindEngine || img.Ref != tt.ref || !slices.Contains(img.Aliases, sha256Of([]byte("pulled"))) ||
			!slices.Equal(img.Tags, []string{"team/app:1"}) || img.Layers[0].Blob.Identity() != "" {
			t.Errorf("%+v", img)
		}
		if got := walkAll(t, img); got[0] != `file etc/a "1"` {
			t.Error(got)
		}
		if left, _ := os.ReadDir(temp); len(left) != 0 {
			t.Errorf("files left in TempDir: %v", left)
		}
		s.Close()
	}
	for ref, what := range map[string]string{
		"docker:none":     "No such image",
		"docker:junk":     "export",
		"docker:../x":     "want a name",
		"docker:-x":       "want a name",
		"docker:":         "want a name",
		"containerd:none": "not running here",
	} {
		_, err := Open(context.Background(), ref, Options{EngineSocket: socket, Limits: Limits{}})
		wantError(t, err, nil, what)
	}
	_, err := Open(context.Background(), "docker:none", Options{EngineSocket: socket})
	wantError(t, err, fs.ErrNotExist, "none")
	_, err = Open(context.Background(), "docker:x", Options{EngineSocket: "tcp://192.0.2.1:2375"})
	wantError(t, err, nil, "only unix sockets")
}

// An export that never ends is stopped by the limit.
func TestEngineExportLimit(t *testing.T) {
	archive := tarOf(t, file("manifest.json", strings.Repeat(" ", 1<<20)))
	socket := fakeEngine(t, map[string][]byte{"app": archive})
	_, err := Open(context.Background(), "docker:app", Options{EngineSocket: socket, Limits: Limits{MaxSize: 1 << 18}})
	wantError(t, err, ErrLimit, "export")
}

// containerd is spoken to through ctr: a script stands in for it.
func TestContainerd(t *testing.T) {
	dir := t.TempDir()
	layer := tarOf(t, file("etc/a", "1"))
	b := newBuilder(t)
	b.top = []descriptor{b.image(host, nil, layer)}
	archive := writeFile(t, filepath.Join(dir, "export.tar"), b.tar())
	script := fmt.Sprintf("#!/bin/sh\necho \"$@\" > %s/args\ncase \"$*\" in *missing*) echo 'ctr: image \"x\": not found' >&2; exit 1;; esac\ncat %s\n", dir, archive)
	writeFile(t, filepath.Join(dir, "bin/ctr"), []byte(script))
	if err := os.Chmod(filepath.Join(dir, "bin/ctr"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := os.Getenv("PATH")
	t.Setenv("PATH", filepath.Join(dir, "bin")+":"+path)
	o := Options{Engine: EngineContainerd, EngineSocket: fakeEngine(t, nil), ContainerdNamespace: "k8s.io"}
	s, err := Open(context.Background(), "containerd:alpine", o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := walkAll(t, one(t, s)); got[0] != `file etc/a "1"` {
		t.Error(got)
	}
	args, _ := os.ReadFile(filepath.Join(dir, "args"))
	want := "--namespace k8s.io images export --platform " + host.String() + " - docker.io/library/alpine:latest"
	if !strings.Contains(string(args), want) {
		t.Errorf("ctr %s; want %s", args, want)
	}
	_, err = Open(context.Background(), "containerd:missing", o)
	wantError(t, err, fs.ErrNotExist, "not found")
	t.Setenv("PATH", t.TempDir())
	_, err = Open(context.Background(), "containerd:alpine", o)
	wantError(t, err, nil, "ctr, which is not on PATH")
}
