package verify

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/transparency-dev/merkle/testonly"
	"golang.org/x/mod/sumdb/note"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/seawall/seawall/audit"
)

// world is a log in memory from which exports are made, apart from the code under test: by the reference tree of the
// Merkle library.
type world struct {
	tree    *testonly.Tree
	records [][]byte
	ids     []string
	signer  note.Signer
	public  string
}

func newKey(t testing.TB, name string) (note.Signer, string) {
	t.Helper()
	private, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	return s, public
}

func newWorld(t testing.TB, n int) *world {
	t.Helper()
	w := &world{tree: testonly.New(rfc6962.DefaultHasher)}
	w.signer, w.public = newKey(t, "hub.example/audit")
	w.grow(t, n)
	return w
}

func (w *world) grow(t testing.TB, n int) {
	t.Helper()
	for range n {
		i := len(w.records)
		e := audit.New(time.Date(2026, 11, 20, 8, 0, i, 0, time.UTC), audit.System("test"), "image.push", audit.Object{Kind: "image", Name: fmt.Sprint("app:", i)})
		w.append(t, e)
	}
}

func (w *world) append(t testing.TB, e audit.Entry) {
	t.Helper()
	b, err := e.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	c := audit.Commit(b)
	w.tree.AppendData(c[:])
	w.records, w.ids = append(w.records, b), append(w.ids, e.ID)
}

func (w *world) checkpoint(t testing.TB, size int, signers ...note.Signer) []byte {
	t.Helper()
	return w.sign(t, size, w.tree.HashAt(uint64(size)), signers...)
}

func (w *world) sign(t testing.TB, size int, root []byte, signers ...note.Signer) []byte {
	t.Helper()
	c := fmt.Sprintf("hub.example/audit\n%d\n%s\n", size, b64(root))
	text, err := note.Sign(&note.Note{Text: c}, append([]note.Signer{w.signer}, signers...)...)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func b64(b []byte) string {
	text, _ := json.Marshal(b)
	return strings.Trim(string(text), `"`)
}

// files makes an export of the records from from up to to.
func (w *world) files(t testing.TB, from, to int) map[string][]byte {
	t.Helper()
	size := len(w.records)
	m := Manifest{Format: 1, Origin: "hub.example/audit", Size: int64(size), From: int64(from), To: int64(to), Exported: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC),
		Left: w.hashes(0, from), Right: w.hashes(to, size)}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{ManifestFile: text, CheckpointFile: w.checkpoint(t, size), KeyFile: []byte(w.public + "\n")}
	var leaves, blocks bytes.Buffer
	for i := from; i < to; i++ {
		c := audit.Commit(w.records[i])
		leaves.Write(c[:])
	}
	for first := (from + 255) / 256 * 256; first+256 <= to; first += 256 {
		blocks.Write(w.hashes(first, first+256)[0])
	}
	files[LeavesFile], files[BlocksFile] = leaves.Bytes(), blocks.Bytes()
	const part = 400 // records, so that a test has several parts
	for first := from; first < to; first += part {
		var b bytes.Buffer
		for i := first; i < min(first+part, to); i++ {
			fmt.Fprintf(&b, `{"index":%d,"record":%s}`+"\n", i, w.records[i])
		}
		files[fmt.Sprintf("records/%012d.jsonl", first)] = b.Bytes()
	}
	return files
}

// hashes of the subtrees between two places, by hashing their leaves.
func (w *world) hashes(from, to int) [][]byte {
	var out [][]byte
	for _, id := range compact.RangeNodes(uint64(from), uint64(to), nil) {
		first, end := id.Coverage()
		sub := testonly.New(rfc6962.DefaultHasher)
		for i := first; i < end; i++ {
			c := audit.Commit(w.records[i])
			sub.AppendData(c[:])
		}
		out = append(out, sub.Hash())
	}
	return out
}

func write(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
