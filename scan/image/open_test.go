package image

import (
	"archive/tar"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	amd64 = platform{OS: "linux", Architecture: "amd64"}
	arm64 = platform{OS: "linux", Architecture: "arm64"}
	arm7  = platform{OS: "linux", Architecture: "arm", Variant: "v7"}
	host  = platform{OS: "linux", Architecture: runtime.GOARCH}
)

func open(t testing.TB, ref string, o Options) *Source {
	t.Helper()
	o.Engine = EngineNone
	s, err := Open(context.Background(), ref, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func one(t testing.TB, s *Source) *Image {
	t.Helper()
	if len(s.Images) != 1 {
		t.Fatalf("%d images; want 1", len(s.Images))
	}
	return s.Images[0]
}

func openError(t testing.TB, ref string, o Options, target error, what string) {
	t.Helper()
	o.Engine = EngineNone
	s, err := Open(context.Background(), ref, o)
	if err == nil {
		s.Close()
	}
	wantError(t, err, target, what)
}

func TestOpenLayout(t *testing.T) {
	base, app := tarOf(t, file("etc/base", "1")), tarOf(t, file("app/x", "2"), file("etc/.wh.base", ""))
	want := []string{`file etc/base "1"`, `file app/x "2"`, "whiteout etc/base"}
	for _, pack := range []func(testing.TB, []byte) []byte{nil, gz, zst} {
		b := newBuilder(t)
		d := b.image(host, pack, base, app)
		b.top = []descriptor{named(d, "v1")}
		archive := b.tar()
		refs := map[string]Kind{
			b.dir(): KindLayout,
			writeFile(t, filepath.Join(t.TempDir(), "a.tar"), archive):             KindLayoutTar,
			writeFile(t, filepath.Join(t.TempDir(), "a.tar.gz"), gz(t, archive)):   KindLayoutTar,
			writeFile(t, filepath.Join(t.TempDir(), "a.tar.zst"), zst(t, archive)): KindLayoutTar,
		}
		for ref, kind := range refs {
			s := open(t, ref, Options{TempDir: t.TempDir()})
			img := one(t, s)
			if s.Kind != kind || img.ID != d.Digest || img.IDKind != IDManifest || img.Ref != ref ||
				img.Platform != host.String() || img.OS != "linux" || !slices.Equal(img.Tags, []string{"v1"}) {
				t.Errorf("%s: %+v", ref, img)
			}
			if diff := cmp.Diff(want, walkAll(t, img)); diff != "" {
				t.Error(diff)
			}
			if img.Config.User != "app" || !slices.Equal(img.Config.ExposedPorts, []string{"22/tcp", "80/tcp"}) ||
				img.Layers[0].CreatedBy != "RUN make" || !img.Created.Equal(stamp) {
				t.Errorf("config: %+v", img.Config)
			}
		}
	}
}

func TestOpenDockerSave(t *testing.T) {
	base, app := tarOf(t, file("etc/base", "1")), tarOf(t, file("app/x", "2"))
	items := oldSave(t, []string{"app:1"}, base, app, base)
	plain := tarOf(t, items...)
	for name, b := range map[string][]byte{"a.tar": plain, "a.tar.gz": gz(t, plain), "a.tar.zst": zst(t, plain)} {
		s := open(t, writeFile(t, filepath.Join(t.TempDir(), name), b), Options{})
		img := one(t, s)
		config := items[len(items)-2].body
		if s.Kind != KindDockerArchive || img.IDKind != IDConfig || img.ID != sha256Of([]byte(config)) ||
			!slices.Equal(img.Tags, []string{"app:1"}) {
			t.Errorf("%s: %+v", name, img)
		}
		want := []string{`file etc/base "1"`, `file app/x "2"`, `file etc/base "1"`}
		if diff := cmp.Diff(want, walkAll(t, img)); diff != "" {
			t.Error(diff)
		}
	}
}

// Docker 25 and later write a layout and manifest.json in one tar.
func TestOpenBoth(t *testing.T) {
	layer := tarOf(t, file("etc/base", "1"))
	b := newBuilder(t)
	d := b.image(amd64, nil, layer)
	config := b.blob(typeConfig, toJSON(t, configOf(amd64, layer)))
	b.saved([]string{"app:1"}, config, b.blob(typeLayer, layer))
	absent := descriptor{MediaType: typeManifest, Digest: sha256Of([]byte("absent")), Platform: &arm64}
	b.top = []descriptor{b.index(d, absent)}

	s := open(t, writeFile(t, filepath.Join(t.TempDir(), "a.tar"), b.tar()), Options{})
	img := one(t, s)
	if img.ID != d.Digest || !slices.Equal(img.Tags, []string{"app:1"}) || !slices.Contains(img.Aliases, config.Digest) ||
		!slices.Contains(img.Aliases, b.top[0].Digest) {
		t.Errorf("%+v", img)
	}
	if len(s.Notes) != 1 || !strings.Contains(s.Notes[0], absent.Digest) {
		t.Errorf("notes: %q", s.Notes)
	}

	b.top = []descriptor{b.index(absent)}
	s = open(t, writeFile(t, filepath.Join(t.TempDir(), "b.tar"), b.tar()), Options{})
	if img := one(t, s); s.Kind != KindDockerArchive || img.ID != config.Digest {
		t.Errorf("without the manifest: %s %+v", s.Kind, img)
	}
}

func TestPlatforms(t *testing.T) {
	b := newBuilder(t)
	layer := tarOf(t, file("etc/base", "1"))
	images := map[string]descriptor{}
	var all []descriptor
	for _, p := range []platform{amd64, arm64, arm7, {OS: "windows", Architecture: "amd64"}} {
		d := b.image(p, nil, layer, tarOf(t, file("etc/arch", p.String())))
		images[p.String()] = d
		all = append(all, d)
	}
	attestation := b.blob(typeManifest, []byte(`{"schemaVersion":2,"layers":[]}`))
	attestation.Platform = &platform{OS: "unknown", Architecture: "unknown"}
	b.top = []descriptor{b.index(append(all, attestation)...)}
	dir := b.dir()
	for asked, want := range map[string]string{
		"": host.String(), "linux/arm64": "linux/arm64", "linux/aarch64": "linux/arm64", "arm64": "linux/arm64",
		"linux/arm/v7": "linux/arm/v7", "linux/arm": "linux/arm/v7", "windows/amd64": "windows/amd64",
	} {
		img := one(t, open(t, dir, Options{Platform: asked}))
		if img.ID != images[want].Digest || img.Platform != want {
			t.Errorf("%q: got %s; want %s", asked, img.Platform, want)
		}
	}
	if s := open(t, dir, Options{AllPlatforms: true}); len(s.Images) != 4 || len(s.Notes) != 1 {
		t.Errorf("all platforms: %d images, notes %q", len(s.Images), s.Notes)
	}
	openError(t, dir, Options{Platform: "linux/s390x"}, nil, "no image for platform linux/s390x: there is linux/amd64")
	openError(t, dir, Options{Platform: "a/b/c/d"}, nil, "want os/arch")
}

// The only platform is taken, whatever it is, unless another one is asked for.
func TestOnlyPlatform(t *testing.T) {
	b := newBuilder(t)
	b.top = []descriptor{b.image(platform{OS: "linux", Architecture: "s390x"}, nil, tarOf(t, file("a", "b")))}
	dir := b.dir()
	if img := one(t, open(t, dir, Options{})); img.Platform != "linux/s390x" {
		t.Error(img.Platform)
	}
	openError(t, dir, Options{Platform: "linux/amd64"}, nil, "no image for platform linux/amd64")
}

func TestRootTar(t *testing.T) {
	plain := tarOf(t, special(tar.TypeDir, "./", ""), file("./etc/os-release", "ID=x"))
	for name, b := range map[string][]byte{"r.tar": plain, "r.tgz": gz(t, plain), "r.tar.zst": zst(t, plain)} {
		s := open(t, writeFile(t, filepath.Join(t.TempDir(), name), b), Options{})
		img := one(t, s)
		if s.Kind != KindRootTar || img.IDKind != IDTree || img.ID != "" {
			t.Errorf("%s: %s %+v", name, s.Kind, img)
		}
		if diff := cmp.Diff([]string{"dir .", `file etc/os-release "ID=x"`}, walkAll(t, img)); diff != "" {
			t.Error(diff)
		}
	}
}

// docker save app | gzip | seawall scan /dev/stdin
func TestOpenPipe(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	archive := gz(t, tarOf(t, oldSave(t, []string{"app:1"}, tarOf(t, file("etc/a", "1")))...))
	go os.WriteFile(fifo, archive, 0)
	img := one(t, open(t, fifo, Options{}))
	if got := walkAll(t, img); got[0] != `file etc/a "1"` {
		t.Error(got)
	}
	if !img.Layers[0].Blob.Steady(img.Layers[0].Blob.Identity()) {
		t.Error("a spooled file is not steady")
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, b []byte) string { return writeFile(t, filepath.Join(dir, name), b) }
	layer := tarOf(t, file("etc/base", "1"))
	with := func(change func(b *builder)) string {
		b := newBuilder(t)
		b.top = []descriptor{b.image(amd64, nil, layer)}
		change(b)
		return b.dir()
	}
	save := func(s saved, more ...tarItem) string {
		items := append(more, file("manifest.json", string(toJSON(t, []saved{s}))))
		return put(fmt.Sprint(len(items), s.Config, ".tar"), tarOf(t, items...))
	}
	config := file("c.json", string(toJSON(t, configOf(amd64, layer))))
	manifestFor := func(layers ...any) func(b *builder) {
		return func(b *builder) {
			c := b.blob(typeConfig, toJSON(t, configOf(amd64, layer)))
			b.top = []descriptor{b.blob(typeManifest, toJSON(t, map[string]any{"config": c, "layers": layers}))}
		}
	}
	good := descriptor{MediaType: typeLayer, Digest: sha256Of(layer), Size: int64(len(layer))}
	foreign := descriptor{MediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
		Digest: sha256Of([]byte("elsewhere")), URLs: []string{"http://192.0.2.1/layer"}}
	for name, tt := range map[string]struct {
		ref    string
		target error
		what   string
	}{
		"text":             {put("text", []byte("hello, I am not an image at all\n")), ErrNotImage, ""},
		"empty":            {put("empty", nil), ErrNotImage, "too short"},
		"zeros":            {put("zeros", make([]byte, 4096)), ErrNotImage, ""},
		"broken gzip":      {put("x.gz", []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x00abc")), ErrNotImage, "gzip"},
		"missing path":     {filepath.Join(dir, "nothing"), fs.ErrNotExist, "nothing"},
		"climbing config":  {save(saved{Config: "../../../etc/passwd"}), fs.ErrNotExist, "etc/passwd"},
		"absolute layer":   {save(saved{Config: "c.json", Layers: []string{"/etc/passwd"}}, config), fs.ErrNotExist, "/etc/passwd"},
		"missing layer":    {save(saved{Config: "c.json", Layers: []string{"l.tar"}}, config, file("o", "")), fs.ErrNotExist, "l.tar"},
		"link loop":        {save(saved{Config: "a"}, special(tar.TypeSymlink, "a", "b"), special(tar.TypeSymlink, "b", "a")), fs.ErrInvalid, "links"},
		"link out":         {save(saved{Config: "d"}, special(tar.TypeSymlink, "d", "/etc/passwd")), fs.ErrNotExist, ""},
		"layer count":      {save(saved{Config: "c.json"}, config, file("o", ""), file("p", "")), nil, "0 layers, the configuration 1"},
		"climbing entry":   {put("climb.tar", tarOf(t, file("../x", ""))), ErrPath, "../x"},
		"config name lies": {save(saved{Config: strings.Repeat("0", 64) + ".json"}, file(strings.Repeat("0", 64)+".json", "{}")), ErrDigest, "configuration"},
		"index damaged":    {with(func(b *builder) { b.files["index.json"] = []byte("{"); b.top = nil }), nil, "index.json"},
		"index empty":      {with(func(b *builder) { b.files["index.json"] = []byte("{}"); b.top = nil }), ErrNotImage, ""},
		"manifest changed": {with(func(b *builder) { b.files[blobName(b.top[0].Digest)] = []byte("{}") }), ErrDigest, "sha256"},
		"manifest missing": {with(func(b *builder) { delete(b.files, blobName(b.top[0].Digest)) }), fs.ErrNotExist, ""},
		"layer missing":    {with(func(b *builder) { delete(b.files, blobName(sha256Of(layer))) }), fs.ErrNotExist, "layer 1"},
		"layer size":       {with(func(b *builder) { b.files[blobName(sha256Of(layer))] = []byte("short") }), ErrDigest, "layer 1"},
		"digest climbs":    {with(func(b *builder) { b.top[0].Digest = "sha256:../../../../etc/passwd" }), nil, "lower-case hex"},
		"digest algorithm": {with(func(b *builder) { b.top[0].Digest = "md5:" + strings.Repeat("0", 32) }), nil, "want sha256"},
		"schema 1":         {with(func(b *builder) { b.top = []descriptor{b.blob("", []byte(`{"schemaVersion":1,"fsLayers":[]}`))} }), nil, "schema 1"},
		"both kinds":       {with(func(b *builder) { b.top = []descriptor{b.blob("", []byte(`{"config":{},"manifests":[]}`))} }), nil, "at once"},
		"artifact": {with(func(b *builder) {
			b.top = []descriptor{b.blob(typeManifest, []byte(`{"config":{"mediaType":"application/vnd.oci.empty.v1+json"}}`))}
		}), ErrNotImage, "oci.empty"},
		"foreign layer":   {with(manifestFor(foreign)), ErrForeignLayer, foreign.Digest},
		"encrypted layer": {with(manifestFor(descriptor{MediaType: typeLayer + "+encrypted", Digest: good.Digest})), nil, "encrypted"},
		"too many layers": {with(manifestFor(good, good)), nil, "2 layers, the configuration 1"},
	} {
		t.Run(name, func(t *testing.T) { openError(t, tt.ref, Options{}, tt.target, tt.what) })
	}
}

// An index that lists thousands, or itself again and again, ends at a limit.
func TestIndexLimits(t *testing.T) {
	b := newBuilder(t)
	d := b.image(amd64, nil, tarOf(t, file("a", "b")))
	for range 12 {
		d = b.index(d)
	}
	b.top = []descriptor{d}
	openError(t, b.dir(), Options{}, ErrLimit, "indexes within indexes")

	b = newBuilder(t)
	d = b.image(amd64, nil, tarOf(t, file("a", "b")))
	for range 6 {
		d = b.index(slices.Repeat([]descriptor{d}, 20)...)
	}
	b.top = []descriptor{d}
	openError(t, b.dir(), Options{}, ErrLimit, "manifests of the index")

	b = newBuilder(t)
	b.top = []descriptor{b.image(amd64, nil, slices.Repeat([][]byte{tarOf(t, file("a", "b"))}, 20)...)}
	openError(t, b.dir(), Options{Limits: Limits{MaxLayers: 10}}, ErrLimit, "20 layers")
	openError(t, b.dir(), Options{Limits: Limits{MaxMetadata: 100}}, ErrLimit, "of 100")
}

// Links in a layout directory may not lead out of it.
func TestLayoutDirLinkOut(t *testing.T) {
	b := newBuilder(t)
	layer := tarOf(t, file("a", "b"))
	b.top = []descriptor{b.image(amd64, nil, layer)}
	dir := b.dir()
	name := filepath.Join(dir, blobName(sha256Of(layer)))
	outside := writeFile(t, filepath.Join(t.TempDir(), "outside"), layer)
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, name); err != nil {
		t.Fatal(err)
	}
	openError(t, dir, Options{}, nil, "escapes")
}

// A Windows image is named, although its base layers are elsewhere.
func TestWindowsForeignLayer(t *testing.T) {
	b := newBuilder(t)
	layer := tarOf(t, file("Files/a", "b"))
	c := b.blob(typeConfig, toJSON(t, configOf(platform{OS: "windows", Architecture: "amd64"}, layer)))
	l := descriptor{MediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Digest: sha256Of(layer), Size: 9}
	b.top = []descriptor{b.blob(typeManifest, toJSON(t, map[string]any{"config": c, "layers": []any{l}}))}
	img := one(t, open(t, b.dir(), Options{}))
	if img.OS != "windows" {
		t.Error(img.OS)
	}
	_, _, err := img.Layers[0].Input(context.Background())
	wantError(t, err, ErrForeignLayer, "layer 1")
}

func TestTwoImagesInOneArchive(t *testing.T) {
	b := newBuilder(t)
	b.top = []descriptor{named(b.image(host, nil, tarOf(t, file("a", "1"))), "a"), named(b.image(host, nil, tarOf(t, file("a", "2"))), "b")}
	s := open(t, b.dir(), Options{})
	if len(s.Images) != 2 || s.Images[0].Tags[0] != "a" || s.Images[1].Tags[0] != "b" {
		t.Errorf("%+v", s.Images)
	}
}
