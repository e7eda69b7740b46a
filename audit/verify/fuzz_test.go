package verify

import (
	"strings"
	"testing"
)

func FuzzDir(f *testing.F) {
	w := newWorld(f, 3)
	good := w.files(f, 0, 3)
	f.Add(good[ManifestFile], good[CheckpointFile], good[LeavesFile], good[BlocksFile], good["records/000000000000.jsonl"])
	f.Fuzz(func(t *testing.T, manifest, checkpoint, leaves, blocks, records []byte) {
		dir := write(t, map[string][]byte{ManifestFile: manifest, CheckpointFile: checkpoint, LeavesFile: leaves, BlocksFile: blocks,
			"records/000000000000.jsonl": records, KeyFile: []byte(w.public)})
		if report, err := Dir(t.Context(), dir, Options{Key: w.public}); err == nil && report.Size != 3 {
			t.Errorf("accepted a log of %d records", report.Size)
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	w := newWorld(f, 3)
	key, err := NewVerifier(w.public)
	if err != nil {
		f.Fatal(err)
	}
	good := w.checkpoint(f, 3)
	f.Add(string(good))
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := OpenCheckpoint([]byte(text), key); err == nil && (c.Size != 3 || !strings.HasPrefix(text, "hub.example/audit\n3\n")) {
			t.Errorf("accepted %q", text)
		}
		ParseCheckpoint(text)
	})
}

func FuzzVerifierKey(f *testing.F) {
	f.Add("name+00000000+BAAA")
	f.Fuzz(func(t *testing.T, key string) {
		if v, err := NewVerifier(key); err == nil {
			v.Verify([]byte("x"), make([]byte, 72))
		}
	})
}

func FuzzLine(f *testing.F) {
	f.Add([]byte(`{"index":1,"record":{"id":"x"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, record, ok := splitLine(text); ok {
			idOf(record)
		}
	})
}
