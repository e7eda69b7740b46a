package scan

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/gate"
	"github.com/seawall/seawall/internal/sandbox"
	"github.com/seawall/seawall/scan/image"
)

// TestMain makes this test executable its own worker, as seawall is.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == WorkerArg {
		os.Exit(Work(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// file is one entry of a layer.
type file struct {
	name, body string
	mode       int64
}

const osRelease = "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n"

func dpkgStatus(packages ...string) string {
	var b strings.Builder
	for _, p := range packages {
		name, version, _ := strings.Cut(p, "=")
		fmt.Fprintf(&b, "Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: %s\n\n", name, version)
	}
	return b.String()
}

func layerTar(t *testing.T, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		if f.mode == 0 {
			f.mode = 0o644
		}
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.body)), Format: tar.FormatPAX}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// archive writes a docker-save tar; claims replaces the diff ids that its configuration states.
func archive(t *testing.T, claims []string, layers ...[]byte) string {
	t.Helper()
	if claims == nil {
		for _, l := range layers {
			claims = append(claims, digest(l))
		}
	}
	config, err := json.Marshal(map[string]any{
		"architecture": "amd64", "os": "linux", "rootfs": map[string]any{"type": "layers", "diff_ids": claims},
	})
	if err != nil {
		t.Fatal(err)
	}
	configName := strings.TrimPrefix(digest(config), "sha256:") + ".json"
	files := []file{{name: configName, body: string(config)}}
	var names []string
	for i, l := range layers {
		names = append(names, fmt.Sprintf("%d/layer.tar", i))
		files = append(files, file{name: names[i], body: string(l)})
	}
	manifest, err := json.Marshal([]map[string]any{{"Config": configName, "RepoTags": []string{"test:1"}, "Layers": names}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(path, layerTar(t, append(files, file{name: "manifest.json", body: string(manifest)})...), 0o644); err != nil {
		t.Fatal(err)
	}
	settle(t, path)
	return path
}

// settle waits until a file's times can tell of later changes: see image.Blob.Identity.
func settle(t *testing.T, path string) {
	t.Helper()
	time.Sleep(120 * time.Millisecond)
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
}

func take1(t *testing.T, ref string, o Options) finding.Inventory {
	t.Helper()
	all, err := Inventories(context.Background(), ref, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 {
		t.Fatalf("%d images, want 1", len(all))
	}
	return all[0]
}

func packageNames(inv finding.Inventory) []string {
	names := []string{}
	for _, p := range inv.Packages {
		names = append(names, p.Name+"="+p.Version)
	}
	return names
}

func cacheIn(t *testing.T) *image.Cache {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "cache")
	c, err := image.OpenCache(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func baseLayer(t *testing.T) []byte {
	return layerTar(t, file{name: "etc/os-release", body: osRelease},
		file{name: "var/lib/dpkg/status", body: dpkgStatus("libc6=2.36-9", "bash=5.2-1")})
}

func TestSecondScanStartsNoWorker(t *testing.T) {
	top := layerTar(t, file{name: "var/lib/dpkg/status", body: dpkgStatus("libc6=2.36-9", "bash=5.2-1", "curl=7.88-1")})
	workers := 0
	o := Options{Scanned: All, Cache: cacheIn(t), Note: func(sandbox.Report) { workers++ }}
	path := archive(t, nil, baseLayer(t), top)
	first := take1(t, path, o)
	if diff := cmp.Diff([]string{"bash=5.2-1", "curl=7.88-1", "libc6=2.36-9"}, packageNames(first)); diff != "" {
		t.Error(diff)
	}
	for _, p := range first.Packages {
		want := 0
		if p.Name == "curl" {
			want = 1
		}
		if p.Layer == nil || p.Layer.Index != want {
			t.Errorf("%s is credited to %+v, want layer %d", p.Name, p.Layer, want)
		}
	}
	second := take1(t, path, o)
	if workers != 1 {
		t.Errorf("%d workers, want 1", workers)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error("from the cache something else comes:", diff)
	}
	other := layerTar(t, file{name: "usr/share/x", body: "x"})
	take1(t, archive(t, nil, baseLayer(t), other), o)
	if workers != 2 {
		t.Errorf("%d workers, want 2", workers)
	}
}

// TestClaimedBase: an image that claims the diff id of a clean base for other bytes must not get the base's result.
func TestClaimedBase(t *testing.T) {
	o := Options{Scanned: All, Cache: cacheIn(t)}
	base := baseLayer(t)
	take1(t, archive(t, nil, base), o)
	evil := layerTar(t, file{name: "etc/os-release", body: osRelease}, file{name: "var/lib/dpkg/status", body: dpkgStatus("evil=1")})
	for range 2 {
		inv := take1(t, archive(t, []string{digest(base)}, evil), o)
		if len(inv.Packages) != 0 {
			t.Errorf("packages of an unverified layer: %v", packageNames(inv))
		}
		if len(inv.Gaps) == 0 || inv.Gaps[0].Kind != finding.GapUnreadable || !strings.Contains(inv.Gaps[0].Detail, "digest mismatch") {
			t.Errorf("gaps %+v", inv.Gaps)
		}
		if v := gate.Decide(&finding.Result{Inventory: inv}, nil, nil, time.Now()); v.Decision != finding.NotEvaluated {
			t.Errorf("the gate says %s", v.Decision)
		}
	}
}

func TestBrokenLayerIsAGap(t *testing.T) {
	broken := baseLayer(t)[:1200]
	good := layerTar(t, file{name: "var/lib/dpkg/status", body: dpkgStatus("curl=7.88-1")})
	inv := take1(t, archive(t, []string{digest(broken), digest(good)}, broken, good), Options{Scanned: All})
	if diff := cmp.Diff([]string{"curl=7.88-1"}, packageNames(inv)); diff != "" {
		t.Error(diff)
	}
	if len(inv.Gaps) == 0 || inv.Gaps[0].Kind != finding.GapUnreadable || !strings.Contains(inv.Gaps[0].Where, "layer 1") {
		t.Errorf("gaps %+v", inv.Gaps)
	}
}

func TestKinds(t *testing.T) {
	path := archive(t, nil, layerTar(t, file{name: "etc/os-release", body: osRelease},
		file{name: "usr/bin/tool", body: "#!/bin/sh\necho hi\n", mode: 0o4755}))
	cache := cacheIn(t)
	full := take1(t, path, Options{Scanned: All, Cache: cache})
	if len(full.Executables) != 1 || full.Executables[0].Path != "usr/bin/tool" || !full.Executables[0].Script {
		t.Errorf("executables %+v", full.Executables)
	}
	if len(full.Checks) == 0 {
		t.Error("no checks: the image runs as root and has a setuid script")
	}
	workers := 0
	some := take1(t, path, Options{Scanned: finding.Scanned{Packages: true}, Cache: cache, Note: func(sandbox.Report) { workers++ }})
	if workers != 0 {
		t.Error("a result that looked for everything did not serve")
	}
	if len(some.Executables) != 0 || len(some.Checks) != 0 || some.Scanned.Executables {
		t.Errorf("looked for more than it was asked: %+v", some.Scanned)
	}
}

func TestRegistry(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	img, err := tarball.ImageFromPath(archive(t, nil, baseLayer(t)), nil)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(strings.TrimPrefix(server.URL, "http://")+"/team/app:1", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img); err != nil {
		t.Fatal(err)
	}
	workers := 0
	o := Options{Scanned: All, Cache: cacheIn(t), Image: image.Options{Engine: image.EngineNone, Insecure: true, Platform: "linux/amd64"},
		Note: func(sandbox.Report) { workers++ }}
	for range 2 {
		inv := take1(t, ref.String(), o)
		if diff := cmp.Diff([]string{"bash=5.2-1", "libc6=2.36-9"}, packageNames(inv)); diff != "" {
			t.Error(diff)
		}
		if inv.Image.IDKind != finding.IDManifest {
			t.Errorf("keyed by %s", inv.Image.IDKind)
		}
	}
	if workers != 1 {
		t.Errorf("%d workers, want 1: the second scan costs only the manifest", workers)
	}
}

func TestRootDirectory(t *testing.T) {
	root := t.TempDir()
	for path, body := range map[string]string{"etc/os-release": osRelease, "var/lib/dpkg/status": dpkgStatus("bash=5.2-1")} {
		full := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inv := take1(t, root, Options{Scanned: All})
	if diff := cmp.Diff([]string{"bash=5.2-1"}, packageNames(inv)); diff != "" {
		t.Error(diff)
	}
	if inv.Image.IDKind != finding.IDTree || !strings.HasPrefix(inv.Image.ID, "sha256:") {
		t.Errorf("id %q of kind %q", inv.Image.ID, inv.Image.IDKind)
	}
}

func TestBombIsAGap(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(layerTar(t, file{name: "zeros", body: strings.Repeat("\x00", 32<<20)})); err != nil {
		t.Fatal(err)
	}
	z.Close()
	path := archive(t, []string{digest([]byte("unknown"))}, b.Bytes())
	o := Options{Scanned: All, Image: image.Options{Limits: image.Limits{MaxRatio: 10, RatioFloor: 1 << 20}}}
	inv := take1(t, path, o)
	if len(inv.Gaps) == 0 || !strings.Contains(inv.Gaps[0].Detail, "over the limit") {
		t.Errorf("gaps %+v", inv.Gaps)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Inventories(ctx, archive(t, nil, baseLayer(t)), Options{Scanned: All})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a cancelled context", err)
	}
}

func TestRequiredSandbox(t *testing.T) {
	var report sandbox.Report
	o := Options{Scanned: All, Sandbox: SandboxRequire, Note: func(r sandbox.Report) { report = r }}
	all, err := Inventories(context.Background(), archive(t, nil, baseLayer(t)), o)
	if err != nil && strings.Contains(err.Error(), "refused by this system") {
		t.Skip("this kernel cannot confine the worker: ", err)
	}
	if err != nil || len(all) != 1 || !report.Complete() {
		t.Errorf("%v, %d images, %s", err, len(all), report)
	}
}

func TestWindowsIsNotEvaluated(t *testing.T) {
	config := `{"architecture":"amd64","os":"windows","rootfs":{"type":"layers","diff_ids":[]}}`
	configName := strings.TrimPrefix(digest([]byte(config)), "sha256:") + ".json"
	path := filepath.Join(t.TempDir(), "image.tar")
	body := layerTar(t, file{name: configName, body: config},
		file{name: "manifest.json", body: `[{"Config":"` + configName + `","RepoTags":["w:1"],"Layers":[]}]`})
	if err := os.WriteFile(path, body, 0o644); err != nil {
		t.Fatal(err)
	}
	inv := take1(t, path, Options{Scanned: All, Image: image.Options{AllPlatforms: true}})
	if len(inv.Gaps) != 1 || inv.Gaps[0].Kind != finding.GapUnsupportedOS {
		t.Errorf("gaps %+v", inv.Gaps)
	}
}
