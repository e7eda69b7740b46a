package image

import (
	"archive/tar"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// builder writes image layouts into a map of files, from which a directory or a tar is made.
type builder struct {
	t     testing.TB
	files map[string][]byte
	top   []descriptor
}

func newBuilder(t testing.TB) *builder {
	return &builder{t: t, files: map[string][]byte{"oci-layout": []byte(`{"imageLayoutVersion":"1.0.0"}`)}}
}

const (
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeIndex    = "application/vnd.oci.image.index.v1+json"
	typeConfig   = configType
	typeLayer    = "application/vnd.oci.image.layer.v1.tar"
)

func (b *builder) blob(mediaType string, content []byte) descriptor {
	d := descriptor{MediaType: mediaType, Digest: sha256Of(content), Size: int64(len(content))}
	b.files[blobName(d.Digest)] = content
	return d
}

// configOf is a configuration for layers given as plain tars.
func configOf(p platform, layers ...[]byte) map[string]any {
	var ids []string
	var history []map[string]any
	for _, l := range layers {
		ids = append(ids, sha256Of(l))
		history = append(history, map[string]any{"created_by": "/bin/sh -c make", "created": stamp})
	}
	return map[string]any{
		"os": p.OS, "architecture": p.Architecture, "variant": p.Variant, "created": stamp,
		"config":  map[string]any{"User": "app", "Env": []string{"A=1"}, "ExposedPorts": map[string]any{"80/tcp": nil, "22/tcp": nil}},
		"rootfs":  map[string]any{"type": "layers", "diff_ids": ids},
		"history": history,
	}
}

// image adds a manifest for plain layers, each packed by pack.
func (b *builder) image(p platform, pack func(testing.TB, []byte) []byte, layers ...[]byte) descriptor {
	m := map[string]any{"schemaVersion": 2, "mediaType": typeManifest}
	m["config"] = b.blob(typeConfig, toJSON(b.t, configOf(p, layers...)))
	var ds []descriptor
	for _, l := range layers {
		if pack != nil {
			l = pack(b.t, l)
		}
		ds = append(ds, b.blob(typeLayer, l))
	}
	m["layers"] = ds
	d := b.blob(typeManifest, toJSON(b.t, m))
	if p != (platform{}) {
		d.Platform = &p
	}
	return d
}

func (b *builder) index(ds ...descriptor) descriptor {
	return b.blob(typeIndex, toJSON(b.t, map[string]any{"schemaVersion": 2, "mediaType": typeIndex, "manifests": ds}))
}

func named(d descriptor, name string) descriptor {
	d.Annotations = map[string]string{"org.opencontainers.image.ref.name": name}
	return d
}

func (b *builder) finish() {
	if b.top != nil {
		b.files["index.json"] = toJSON(b.t, map[string]any{"schemaVersion": 2, "manifests": b.top})
	}
}

func (b *builder) dir() string {
	b.finish()
	dir := b.t.TempDir()
	for name, content := range b.files {
		writeFile(b.t, filepath.Join(dir, name), content)
	}
	return dir
}

// tar writes the files in reverse order of their names: what points at the others comes where it may.
func (b *builder) tar() []byte {
	b.finish()
	names := slices.Sorted(maps.Keys(b.files))
	slices.Reverse(names)
	items := []tarItem{special(tar.TypeDir, "blobs/", "")}
	for _, name := range names {
		items = append(items, file(name, string(b.files[name])))
	}
	return tarOf(b.t, items...)
}

// saved adds manifest.json as docker save writes it beside a layout since Docker 25.
func (b *builder) saved(tags []string, config descriptor, layers ...descriptor) {
	s := saved{Config: blobName(config.Digest), RepoTags: tags}
	for _, l := range layers {
		s.Layers = append(s.Layers, blobName(l.Digest))
	}
	b.files["manifest.json"] = toJSON(b.t, []saved{s})
}

// oldSave is docker save as before Docker 25, with the legacy names and a layer that is a link.
func oldSave(t testing.TB, tags []string, layers ...[]byte) []tarItem {
	config := toJSON(t, configOf(platform{OS: "linux", Architecture: "amd64"}, layers...))
	id := strings.TrimPrefix(sha256Of(config), "sha256:")
	s := saved{Config: id + ".json", RepoTags: tags}
	var items []tarItem
	seen := map[string]string{}
	for i, l := range layers {
		dir := strings.Repeat("0", 63) + string(rune('a'+i))
		name := dir + "/layer.tar"
		s.Layers = append(s.Layers, name)
		items = append(items, special(tar.TypeDir, dir+"/", ""), file(dir+"/VERSION", "1.0"))
		if first := seen[string(l)]; first != "" {
			items = append(items, special(tar.TypeSymlink, name, "../"+first))
			continue
		}
		seen[string(l)] = name
		items = append(items, file(name, string(l)))
	}
	return append(items, file(s.Config, string(config)), file("manifest.json", string(toJSON(t, []saved{s}))))
}
