package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// files reads a tar into memory.
func files(t *testing.T, r io.Reader) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		out[h.Name] = data
	}
}

func small(t *testing.T, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "image")
	if err := run(append([]string{"-layers", "2", "-mib", "100", "-o", out}, args...)); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDockerSave(t *testing.T) {
	data, err := os.ReadFile(small(t))
	if err != nil {
		t.Fatal(err)
	}
	members := files(t, bytes.NewReader(data))
	var manifest []struct {
		Config string
		Layers []string
	}
	if err := json.Unmarshal(members["manifest.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest) != 1 || len(manifest[0].Layers) != 2 {
		t.Fatalf("manifest %+v", manifest)
	}
	for _, name := range manifest[0].Layers {
		sum := sha256.Sum256(members[name])
		if want := hex.EncodeToString(sum[:]); !strings.HasPrefix(name, want) || !bytes.Contains(members[manifest[0].Config], []byte(want)) {
			t.Errorf("layer %s has digest %s, or the configuration does not list it", name, want)
		}
	}
	testContent(t, files(t, bytes.NewReader(members[manifest[0].Layers[0]])))
}

// testContent checks that what scanners read can be read.
func testContent(t *testing.T, layer map[string][]byte) {
	info, err := buildinfo.Read(bytes.NewReader(layer["usr/local/bin/tool0-0"]))
	if err != nil || len(info.Deps) != 4 {
		t.Errorf("Go program: %+v, %v", info, err)
	}
	if _, err := buildinfo.Read(bytes.NewReader(layer["usr/local/bin/tool0-1"])); err == nil {
		t.Error("the second program has build information too")
	}
	if n := bytes.Count(layer["var/lib/dpkg/status"], []byte("Package: ")); n != packagesPerLayer {
		t.Errorf("%d Debian packages in the first layer", n)
	}
	for _, name := range []string{"etc/os-release", "opt/java0/log4j-core-2.14.1.jar", "opt/node0/node_modules/lodash/package.json",
		"opt/venv0/lib/python3.11/site-packages/requests-2.19.1.dist-info/METADATA"} {
		if len(layer[name]) == 0 {
			t.Errorf("no %s", name)
		}
	}
}

func TestSameEveryTime(t *testing.T) {
	one, two := small(t, "-format", "oci-archive", "-compress", "zstd"), small(t, "-format", "oci-archive", "-compress", "zstd")
	indexOf := func(path string) string {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(files(t, bytes.NewReader(data))["index.json"])
	}
	if a, b := indexOf(one), indexOf(two); a != b || !strings.Contains(a, "sha256:") {
		t.Errorf("two images of one recipe:\n%s\n%s", a, b)
	}
}

func TestLayout(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "file"), []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "layout")
	for range 2 { // the second replaces the first
		if err := run([]string{"-from", root, "-format", "oci", "-compress", "gzip", "-o", out}); err != nil {
			t.Fatal(err)
		}
	}
	blobs, err := os.ReadDir(filepath.Join(out, "blobs", "sha256"))
	if err != nil || len(blobs) != 3 {
		t.Errorf("%d blobs, %v; want layer, configuration and manifest", len(blobs), err)
	}
	if err := run([]string{"-from", root, "-format", "oci", "-o", root}); err == nil {
		t.Error("overwrote a directory that is no layout")
	}
}
