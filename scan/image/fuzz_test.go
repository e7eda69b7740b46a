package image

import (
	"context"
	"path/filepath"
	"testing"
)

// FuzzOpenTar opens anything as an archive and reads what it is told.
func FuzzOpenTar(f *testing.F) {
	layer := tarOf(f, file("etc/base", "1"))
	b := newBuilder(f)
	d := b.image(amd64, nil, layer)
	b.top = []descriptor{b.index(d)}
	f.Add(b.tar())
	f.Add(tarOf(f, oldSave(f, []string{"a:1"}, layer)...))
	f.Add(everyKind(f))
	f.Add(gz(f, b.tar()))
	dir := f.TempDir()
	lim := Limits{MaxSize: 1 << 22, RatioFloor: 1 << 21}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := writeFile(t, filepath.Join(dir, "a.tar"), data)
		s, err := Open(context.Background(), path, Options{TempDir: dir, Limits: lim, AllPlatforms: true})
		if err != nil {
			return
		}
		defer s.Close()
		for _, img := range s.Images {
			for i := range img.Layers {
				in, c, err := img.Layers[i].Input(context.Background())
				if err != nil {
					continue
				}
				Walk(context.Background(), in, lim, ignore)
				c.Close()
			}
		}
	})
}

// FuzzManifest feeds the JSON readers.
func FuzzManifest(f *testing.F) {
	f.Add(toJSON(f, configOf(amd64, nil)))
	f.Add([]byte(`{"schemaVersion":2,"config":{"digest":"sha256:"},"layers":[{}]}`))
	f.Add([]byte(`{"config":{"Cmd":"x","Healthcheck":{"Test":null}},"history":[{"created":1,"created_by":"|1 a /bin/sh -c x"}]}`))
	lim := Limits{}.withDefaults()
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := parseManifest(data); err == nil && m.isIndex() == (m.Config != nil) {
			t.Error("neither an image nor an index")
		}
		if img, err := imageOf(data, &lim); err == nil {
			for _, l := range img.Layers {
				if checkDigest(l.DiffID) != nil {
					t.Errorf("diff id %q", l.DiffID)
				}
			}
		}
	})
}
