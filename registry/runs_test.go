package registry_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/seawall/seawall/registry"
	"github.com/seawall/seawall/registry/directory"
)

// tarball is a layer with one file.
func tarball(t testing.TB, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	w.Write([]byte(content))
	w.Close()
	return b.Bytes()
}

func gzipped(p []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(p)
	w.Close()
	return b.Bytes()
}

// lettersOnly is a tar whose first block has no byte but letters, of the format of the seventh edition of Unix.
func lettersOnly() []byte {
	p := bytes.Repeat([]byte{' '}, 1024)
	copy(p, `{"/../bin/sh`)
	copy(p[100:], "0000755 0000000 0000000 00000000011 00000000000 ")
	sum := 0
	for _, c := range p[:512] {
		sum += int(c)
	}
	octal := []byte("000000 ")
	for i := 5; i >= 0; i-- {
		octal[i], sum = byte('0'+sum%8), sum/8
	}
	copy(p[148:], octal)
	return p
}

// What engines would run is told by content, however it is called.
func TestRuns(t *testing.T) {
	const rootfs = `{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["sha256:00"]}}`
	layer, statement := gzipped(tarball(t, "bin/sh", "x")), []byte(`{"payloadType":"application/vnd.in-toto+json"}`)
	const image, docker, custom = v1.MediaTypeImageConfig, "application/vnd.docker.container.image.v1+json", "application/vnd.example+json"
	for name, c := range map[string]struct {
		manifest, configType, config, layerType string
		layer                                   []byte
		tag                                     string
		subject, foreign, want                  bool
	}{
		"an image":                            {configType: image, config: rootfs, layer: layer, want: true},
		"Docker's image":                      {manifest: "application/vnd.docker.distribution.manifest.v2+json", configType: docker, config: rootfs, layer: layer, want: true},
		"an image without layers":             {configType: image, config: rootfs, want: true},
		"with a subject":                      {configType: image, config: rootfs, layer: layer, subject: true, want: true},
		"under a signature's tag":             {configType: image, config: rootfs, layer: layer, tag: "sha256-" + digest.FromString("x").Encoded() + ".sig", want: true},
		"of no platform":                      {configType: image, config: `{"os":"unknown","architecture":"unknown","rootfs":{}}`, layer: layer, want: true},
		"its configuration has another type":  {configType: custom, config: rootfs, layer: layer, want: true},
		"... that engines take":               {configType: "text/html", config: rootfs, layer: layer, want: true},
		"... and spelling":                    {configType: custom, config: `{"RootFS":{}}`, layer: layer, want: true},
		"... and escapes":                     {configType: custom, config: `{"\u0072ootfs":{}}`, layer: layer, want: true},
		"... and something behind":            {configType: custom, config: rootfs + " x", layer: layer, want: true},
		"... and Docker's manifest":           {manifest: "application/vnd.docker.distribution.manifest.v2+json", configType: custom, config: `{}`, layer: layer, want: true},
		"its layer has a signature's type":    {configType: image, config: rootfs, layer: layer, layerType: "application/vnd.dev.cosign.simplesigning.v1+json", want: true},
		"its layer is a plain tar":            {configType: image, config: rootfs, layer: tarball(t, "{", "x"), want: true},
		"its layer is a tar of letters":       {configType: image, config: rootfs, layer: lettersOnly(), want: true},
		"its layer is elsewhere":              {configType: image, config: rootfs, layer: statement, foreign: true, want: true},
		"a signature":                         {configType: image, config: rootfs, layer: statement, tag: "sha256-" + digest.FromString("x").Encoded() + ".sig"},
		"a signature under an ordinary tag":   {configType: image, config: rootfs, layer: statement, tag: "v1"},
		"an attestation":                      {configType: v1.MediaTypeEmptyJSON, config: "{}", layer: statement, subject: true},
		"a chart":                             {configType: "application/vnd.cncf.helm.config.v1+json", config: `{"name":"x"}`, layer: layer},
		"a configuration that is no document": {configType: custom, config: "name: x\n", layer: layer},
		"a list of materials":                 {configType: image, config: rootfs, layer: bytes.Repeat([]byte("SPDXVersion: SPDX-2.3\n"), 90)},
	} {
		t.Run(name, func(t *testing.T) {
			var told registry.Manifest
			c.tag = tagOr(c.tag)
			r := serve(t, registry.Config{Storage: openDir(t), Hooks: &tellPushed{told: &told}})
			r.pushBlob("a/b", []byte(c.config))
			if c.configType == "" {
				c.configType = image
			}
			m := map[string]any{"schemaVersion": 2, "config": descriptor(c.configType, []byte(c.config)), "layers": []any{}}
			if c.manifest == "" {
				c.manifest = v1.MediaTypeImageManifest
			}
			m["mediaType"] = c.manifest
			if c.layer != nil {
				r.pushBlob("a/b", c.layer)
				d := descriptor(c.layerType, c.layer)
				if d.MediaType == "" {
					d.MediaType = v1.MediaTypeImageLayerGzip
				}
				m["layers"] = []any{d}
			}
			if c.foreign {
				d := descriptor("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", layer)
				d.URLs = []string{"https://elsewhere.example/layer"}
				m["layers"] = append(m["layers"].([]any), d)
			}
			if c.subject {
				m["subject"] = descriptor(v1.MediaTypeImageManifest, []byte("x"))
			}
			p, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			r.want(201, "", "PUT", "/v2/a/b/manifests/"+c.tag, p, "Content-Type", c.manifest)
			if told.Runs != c.want {
				t.Errorf("Runs = %v; want %v", told.Runs, c.want)
			}
			d, err := r.reg.Describe(t.Context(), "a/b", c.tag)
			if err != nil || d.Runs != c.want {
				t.Errorf("Describe: Runs = %v, %v; want %v", d.Runs, err, c.want)
			}
		})
	}
}

func tagOr(tag string) string {
	if tag == "" {
		return "latest"
	}
	return tag
}

func openDir(t testing.TB) registry.Driver {
	t.Helper()
	d, err := directory.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// tellPushed allows everything and keeps what it was last told of.
type tellPushed struct {
	registry.Open
	told *registry.Manifest
}

func (h *tellPushed) Pushed(_ context.Context, m registry.Manifest) error {
	*h.told = m
	return nil
}

// The sizes that count are those of what is there.
func TestSizesAreReal(t *testing.T) {
	var told registry.Manifest
	c := serve(t, registry.Config{Storage: openDir(t), Hooks: &tellPushed{told: &told}})
	p := c.image("a/b", func(m *v1.Manifest) { m.Layers[0].Size = 1 })
	c.want(201, "", "PUT", "/v2/a/b/manifests/latest", p, "Content-Type", v1.MediaTypeImageManifest)
	if told.Size < 3000 {
		t.Errorf("the size is %d, with a layer of 3000 bytes", told.Size)
	}
}
