package verify

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seawall/seawall/audit"
)

// BenchmarkDir checks an export of a million records: `go test -bench Dir -benchtime 1x ./audit/verify`.
func BenchmarkDir(b *testing.B) {
	const size = 1_000_000
	dir, key := bigExport(b, size)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Dir(b.Context(), dir, Options{Key: key}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(size*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// bigExport writes an export without holding it in memory.
func bigExport(b *testing.B, size int) (dir, key string) {
	b.Helper()
	dir = b.TempDir()
	signer, public := newKey(b, "hub.example/audit")
	w := &world{signer: signer, public: public}
	files := map[string]*bufio.Writer{}
	for _, name := range []string{LeavesFile, BlocksFile, "records/000000000000.jsonl"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			b.Fatal(err)
		}
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		files[name] = bufio.NewWriterSize(f, 1<<20)
		defer files[name].Flush()
	}
	tree, err := newTree(&Manifest{})
	if err != nil {
		b.Fatal(err)
	}
	block := make([]byte, 0, BlockSize*HashSize)
	for i := range size {
		e := audit.New(time.Unix(1795000000+int64(i), 0), audit.Actor{Kind: audit.ActorUser, ID: "user:alice", Name: "alice", Address: "192.0.2.7"}, "image.push", audit.Object{Kind: "image", Name: fmt.Sprintf("team/app%d@sha256:0123456789abcdef0123456789abcdef", i%1000)})
		record, err := e.Canonical()
		if err != nil {
			b.Fatal(err)
		}
		c := audit.Commit(record)
		files[LeavesFile].Write(c[:])
		fmt.Fprintf(files["records/000000000000.jsonl"], `{"index":%d,"record":%s}`+"\n", i, record)
		if err := tree.add(int64(i), c[:]); err != nil {
			b.Fatal(err)
		}
		if block = append(block, c[:]...); len(block) == cap(block) {
			files[BlocksFile].Write(hashBlock(block))
			block = block[:0]
		}
	}
	root, err := tree.root()
	if err != nil {
		b.Fatal(err)
	}
	text, _ := json.Marshal(Manifest{Format: 1, Origin: "hub.example/audit", Size: int64(size), To: int64(size)})
	for name, content := range map[string][]byte{ManifestFile: text, CheckpointFile: w.sign(b, size, root), KeyFile: []byte(public)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return dir, public
}
