package verify

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seawall/seawall/audit"
)

func TestIntactExports(t *testing.T) {
	for _, size := range []int{0, 1, 2, 255, 256, 257, 700, 1024} {
		w := newWorld(t, size)
		for _, r := range [][2]int{{0, size}, {0, size / 2}, {size / 2, size}, {size / 3, size * 2 / 3}, {min(256, size), size}, {size, size}} {
			report, err := Dir(t.Context(), write(t, w.files(t, r[0], r[1])), Options{Key: w.public})
			if err != nil {
				t.Errorf("%d to %d of %d: %v", r[0], r[1], size, err)
			}
			if !report.KeyTrusted || report.From != int64(r[0]) || report.To != int64(r[1]) || report.Size != int64(size) || report.Continues != -1 {
				t.Errorf("%d to %d of %d: %+v", r[0], r[1], size, report)
			}
		}
	}
}

func TestTheExportsOwnKeyIsNotTrusted(t *testing.T) {
	w := newWorld(t, 3)
	report, err := Dir(t.Context(), write(t, w.files(t, 0, 3)), Options{})
	if err != nil || report.KeyTrusted {
		t.Errorf("%+v, %v", report, err)
	}
}

// part returns the name of the file that holds record i in a full export, and the number of its line there.
func part(i int) (string, int) { return fmt.Sprintf("records/%012d.jsonl", i/400*400), i % 400 }

func edit(files map[string][]byte, i int, change func(lines [][]byte, n int) [][]byte) {
	name, n := part(i)
	lines := bytes.SplitAfter(files[name], []byte("\n"))
	lines = lines[:len(lines)-1]
	files[name] = bytes.Join(change(lines, n), nil)
}

func TestCorruptionsAreNamed(t *testing.T) {
	w := newWorld(t, 1000)
	good := w.files(t, 0, 1000)
	other := newWorld(t, 1000)
	flipRecord := func(f map[string][]byte, i int) {
		edit(f, i, func(l [][]byte, n int) [][]byte {
			l[n] = bytes.Replace(l[n], []byte("image.push"), []byte("image.pull"), 1)
			return l
		})
	}
	leafOf := func(f map[string][]byte, i int) {
		name, n := part(i)
		_, record, _ := splitLine(bytes.TrimSpace(bytes.SplitAfter(f[name], []byte("\n"))[n]))
		c := audit.Commit(record)
		copy(f[LeavesFile][i*HashSize:], c[:])
	}
	for name, c := range map[string]struct {
		spoil func(f map[string][]byte)
		kind  Kind
		index int64
		id    string
		text  string
	}{
		"a record altered":      {func(f map[string][]byte) { flipRecord(f, 517) }, Altered, 517, w.ids[517], "record 517 (id " + w.ids[517] + ") was altered"},
		"two altered":           {func(f map[string][]byte) { flipRecord(f, 900); flipRecord(f, 3) }, Altered, 3, w.ids[3], ""},
		"the first altered":     {func(f map[string][]byte) { flipRecord(f, 0) }, Altered, 0, w.ids[0], ""},
		"the last altered":      {func(f map[string][]byte) { flipRecord(f, 999) }, Altered, 999, w.ids[999], ""},
		"an index altered":      {func(f map[string][]byte) { editIndex(f, 20, 21) }, Altered, 20, w.ids[20], "says that it is record 21"},
		"a record dropped":      {func(f map[string][]byte) { drop(f, 517) }, Missing, 517, "", "record 517 is missing"},
		"several dropped":       {func(f map[string][]byte) { drop(f, 517, 518, 519) }, Missing, 517, "", "records 517 to 519 are missing"},
		"the first dropped":     {func(f map[string][]byte) { drop(f, 0) }, Missing, 0, "", ""},
		"the last dropped":      {func(f map[string][]byte) { drop(f, 999) }, Missing, 999, "", "1 are missing"},
		"a part dropped":        {func(f map[string][]byte) { delete(f, "records/000000000400.jsonl") }, Missing, 400, "", "records 400 to 799"},
		"the last part dropped": {func(f map[string][]byte) { delete(f, "records/000000000800.jsonl") }, Missing, 800, "", "200 are missing"},
		"no records":            {dropAll, Missing, 0, "", ""},
		"two swapped":           {func(f map[string][]byte) { swap(f, 517, 530) }, Reordered, 517, w.ids[530], "in its place stands record 530"},
		"neighbours swapped":    {func(f map[string][]byte) { swap(f, 517, 518) }, Reordered, 517, w.ids[518], ""},
		"parts swapped":         {swapParts, Reordered, 0, w.ids[400], ""},
		"a record doubled":      {func(f map[string][]byte) { insert(f, 518, w.records[517]) }, Reordered, 518, w.ids[517], "record 518 was moved: in its place stands record 517"},
		"one for another":       {func(f map[string][]byte) { put(f, 518, w.records[517]) }, Missing, 518, "", "again"},
		"a foreign one added":   {func(f map[string][]byte) { insert(f, 518, other.records[1]) }, Added, 518, other.ids[1], "does not know"},
		"one more at the end":   {func(f map[string][]byte) { insert(f, 1000, other.records[1]) }, Added, 1000, other.ids[1], "follows the last one"},
		"a line malformed": {func(f map[string][]byte) {
			edit(f, 5, func(l [][]byte, n int) [][]byte { l[n] = []byte("{\n"); return l })
		}, Damaged, 5, "", "line 6 is malformed"},
		"a part truncated":       {func(f map[string][]byte) { n, _ := part(0); f[n] = f[n][:len(f[n])-10] }, Damaged, 399, "", "line 400 is malformed"},
		"a line without end":     {func(f map[string][]byte) { n, _ := part(0); f[n] = bytes.Repeat([]byte("a"), MaxLine+10) }, Damaged, 0, "", "more than"},
		"a strange file":         {func(f map[string][]byte) { f["records/x"] = nil }, Damaged, -1, "", "does not belong"},
		"leaves truncated":       {func(f map[string][]byte) { f[LeavesFile] = f[LeavesFile][:999*32] }, Damaged, -1, "", "leaves is cut off"},
		"leaves gone":            {func(f map[string][]byte) { delete(f, LeavesFile) }, Damaged, -1, "", "leaves is missing"},
		"a leaf flipped":         {func(f map[string][]byte) { f[LeavesFile][517*32] ^= 1 }, BadLeaves, 517, w.ids[517], "or its leaf was altered"},
		"a trailing leaf":        {func(f map[string][]byte) { f[LeavesFile][999*32] ^= 1 }, BadLeaves, -1, "", "the checkpoint signs"},
		"record and leaf":        {func(f map[string][]byte) { flipRecord(f, 517); leafOf(f, 517) }, BadLeaves, 512, "", "records 512 to 767"},
		"blocks flipped":         {func(f map[string][]byte) { f[BlocksFile][40] ^= 1 }, Damaged, -1, "", "blocks does not fit"},
		"blocks truncated":       {func(f map[string][]byte) { f[BlocksFile] = f[BlocksFile][:32] }, Damaged, -1, "", "blocks is cut off"},
		"all but the checkpoint": {func(f map[string][]byte) { replaceBut(f, other.files(t, 0, 1000), CheckpointFile) }, BadLeaves, -1, "", "rewritten"},
		"another log, its key":   {func(f map[string][]byte) { replaceBut(f, other.files(t, 0, 1000), "") }, BadSignature, -1, "", "not signed by hub.example/audit"},
		"a root replaced": {func(f map[string][]byte) {
			f[CheckpointFile] = bytes.Replace(f[CheckpointFile], []byte("\n1000\n"), []byte("\n1001\n"), 1)
		}, BadSignature, -1, "", "does not hold"},
		"checkpoint unsigned": {func(f map[string][]byte) { f[CheckpointFile] = f[CheckpointFile][:40] }, BadSignature, -1, "", ""},
		"checkpoint gone":     {func(f map[string][]byte) { delete(f, CheckpointFile) }, Damaged, -1, "", ""},
		"an older checkpoint": {func(f map[string][]byte) { f[CheckpointFile] = w.checkpoint(t, 900) }, BadCheckpoint, -1, "", "signs 900"},
		"manifest gone":       {func(f map[string][]byte) { delete(f, ManifestFile) }, Damaged, -1, "", ""},
		"manifest malformed":  {func(f map[string][]byte) { f[ManifestFile] = []byte("{") }, Damaged, -1, "", ""},
		"another origin":      {func(f map[string][]byte) { manifest(f, func(m *Manifest) { m.Origin = "x" }) }, BadCheckpoint, -1, "", ""},
		"a shorter range":     {func(f map[string][]byte) { manifest(f, func(m *Manifest) { m.To = 900 }) }, Damaged, -1, "", ""},
		"a negative range":    {func(f map[string][]byte) { manifest(f, func(m *Manifest) { m.From = -5 }) }, Damaged, -1, "", ""},
		"a vast range":        {func(f map[string][]byte) { manifest(f, func(m *Manifest) { m.To, m.Size = 1<<62, 1<<62 }) }, BadCheckpoint, -1, "", ""},
		"hashes before":       {func(f map[string][]byte) { manifest(f, func(m *Manifest) { m.Left = [][]byte{make([]byte, 32)} }) }, Damaged, -1, "", ""},
		"hashes after":        {func(f map[string][]byte) { manifest(f, func(m *Manifest) { m.Right = [][]byte{make([]byte, 32)} }) }, Damaged, -1, "", ""},
		"a short hash":        {func(f map[string][]byte) { manifest(f, func(m *Manifest) { m.Left = [][]byte{{1}} }) }, Damaged, -1, "", ""},
	} {
		f := map[string][]byte{}
		for n, b := range good {
			f[n] = bytes.Clone(b)
		}
		c.spoil(f)
		_, err := Dir(t.Context(), write(t, f), Options{Key: w.public})
		var p *Problem
		if !errors.As(err, &p) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p.Kind != c.kind || p.Index != c.index || p.ID != c.id || !strings.Contains(p.Message, c.text) {
			t.Errorf("%s: %s at %d, id %q: %s", name, p.Kind, p.Index, p.ID, p.Message)
		}
	}
}

func editIndex(f map[string][]byte, i, to int) {
	edit(f, i, func(l [][]byte, n int) [][]byte {
		l[n] = bytes.Replace(l[n], fmt.Appendf(nil, `"index":%d`, i), fmt.Appendf(nil, `"index":%d`, to), 1)
		return l
	})
}

func drop(f map[string][]byte, which ...int) {
	for _, i := range slices.Backward(which) {
		edit(f, i, func(l [][]byte, n int) [][]byte { return slices.Delete(l, n, n+1) })
	}
}

func dropAll(f map[string][]byte) {
	maps.DeleteFunc(f, func(n string, _ []byte) bool { return strings.HasPrefix(n, "records/") })
}

func swap(f map[string][]byte, i, j int) {
	edit(f, i, func(l [][]byte, n int) [][]byte { l[n], l[n+j-i] = l[n+j-i], l[n]; return l })
}

func swapParts(f map[string][]byte) {
	a, b := "records/000000000000.jsonl", "records/000000000400.jsonl"
	f[a], f[b] = f[b], f[a]
}

func insert(f map[string][]byte, i int, record []byte) {
	edit(f, i, func(l [][]byte, n int) [][]byte {
		return slices.Insert(l, n, fmt.Appendf(nil, `{"index":%d,"record":%s}`+"\n", i, record))
	})
}

func put(f map[string][]byte, i int, record []byte) { drop(f, i); insert(f, i, record) }

func manifest(f map[string][]byte, change func(*Manifest)) {
	var m Manifest
	json.Unmarshal(f[ManifestFile], &m)
	change(&m)
	f[ManifestFile], _ = json.Marshal(m)
}

func replaceBut(f, by map[string][]byte, but string) {
	for n, b := range by {
		if n != but {
			f[n] = b
		}
	}
}

func TestOlderCheckpoints(t *testing.T) {
	w := newWorld(t, 600)
	older := map[int][]byte{}
	for _, n := range []int{0, 1, 100, 256, 300, 512, 600} {
		older[n] = w.checkpoint(t, n)
	}
	w.grow(t, 300)
	full, late := write(t, w.files(t, 0, 900)), write(t, w.files(t, 280, 900))
	for n, c := range older {
		report, err := Dir(t.Context(), full, Options{Key: w.public, Older: c})
		if err != nil || report.Continues != int64(n) {
			t.Errorf("size %d: %+v, %v", n, report, err)
		}
		want := int64(n)
		if n < 280 {
			want = -1
		}
		if report, err := Dir(t.Context(), late, Options{Key: w.public, Older: c}); err != nil || report.Continues != want {
			t.Errorf("size %d, export from 280: continues %d, %v, want %d", n, report.Continues, err, want)
		}
	}
	now := w.checkpoint(t, 900)
	// The hub's owner rewrites the log and signs it anew.
	forged := newWorld(t, 900)
	forged.signer, forged.public = w.signer, w.public
	for n, c := range older {
		if n == 0 {
			continue
		}
		_, err := Dir(t.Context(), write(t, forged.files(t, 0, 900)), Options{Key: w.public, Older: c})
		if p := (&Problem{}); !errors.As(err, &p) || p.Kind != Inconsistent || !strings.Contains(p.Message, "rewritten") {
			t.Errorf("rewritten, size %d: %v", n, err)
		}
	}
	_, err := Dir(t.Context(), write(t, forged.files(t, 0, 900)), Options{Key: w.public, Older: now})
	if p := (&Problem{}); !errors.As(err, &p) || p.Kind != Inconsistent {
		t.Errorf("rewritten, same size: %v", err)
	}
	short := newWorld(t, 100)
	short.signer = w.signer
	_, err = Dir(t.Context(), write(t, short.files(t, 0, 100)), Options{Key: w.public, Older: now})
	if p := (&Problem{}); !errors.As(err, &p) || p.Kind != Inconsistent || p.Index != 100 || !strings.Contains(p.Message, "cut off") {
		t.Errorf("cut off: %v", err)
	}
	if _, err = Dir(t.Context(), full, Options{Key: w.public, Older: []byte("x")}); err == nil {
		t.Error("a malformed older checkpoint was accepted")
	}
}

// witness signs as C2SP tlog-cosignature has it.
type witness struct {
	name string
	key  ed25519.PrivateKey
	at   uint64
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return keyHash(w.name, w.raw()) }
func (w witness) raw() []byte     { return append([]byte{4}, w.key.Public().(ed25519.PublicKey)...) }
func (w witness) public() string {
	return w.name + "+" + hex.EncodeToString(binary.BigEndian.AppendUint32(nil, w.KeyHash())) + "+" + base64.StdEncoding.EncodeToString(w.raw())
}

func (w witness) Sign(msg []byte) ([]byte, error) {
	return append(binary.BigEndian.AppendUint64(nil, w.at), ed25519.Sign(w.key, CosignatureMessage(w.at, msg))...), nil
}

func TestWitnesses(t *testing.T) {
	w := newWorld(t, 10)
	_, private, _ := ed25519.GenerateKey(nil)
	_, private2, _ := ed25519.GenerateKey(nil)
	one, two := witness{"witness.example", private, 1795200000}, witness{"other.example", private2, 1795200001}
	f := w.files(t, 0, 10)
	f[CheckpointFile] = w.checkpoint(t, 10, one)
	dir := write(t, f)
	report, err := Dir(t.Context(), dir, Options{Key: w.public, Witnesses: []string{one.public(), one.public(), two.public()}, MinWitnesses: 1})
	want := []Cosignature{{Name: "witness.example", Time: time.Unix(1795200000, 0).UTC()}}
	if err != nil || !slices.Equal(report.Cosigned, want) {
		t.Errorf("%+v, %v", report.Cosigned, err)
	}
	for name, o := range map[string]Options{
		"two are asked for":      {Key: w.public, Witnesses: []string{one.public(), two.public()}, MinWitnesses: 2},
		"unknown":                {Key: w.public, Witnesses: []string{two.public()}, MinWitnesses: 1},
		"the log is no witness":  {Key: w.public, Witnesses: []string{w.public}, MinWitnesses: 1},
		"the key of the witness": {Key: one.public()},
	} {
		if _, err := Dir(t.Context(), dir, o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	one.at++
	sig, _ := one.Sign([]byte("x"))
	v, err := NewVerifier(one.public())
	if err != nil {
		t.Fatal(err)
	}
	if v.Verify([]byte("y"), sig) || v.Verify([]byte("x"), sig[:20]) || !v.Verify([]byte("x"), sig) {
		t.Error("cosignatures verify wrongly")
	}
	f[CheckpointFile] = bytes.Replace(f[CheckpointFile], []byte("— witness.example "), []byte("— witness.example A"), 1)
	if _, err := Dir(t.Context(), write(t, f), Options{Key: w.public, Witnesses: []string{one.public()}}); err == nil {
		t.Error("a spoiled cosignature was accepted")
	}
}

func TestOpenIntents(t *testing.T) {
	w := newWorld(t, 1)
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	begun := audit.New(at, audit.System("registry"), "image.delete", audit.Object{Kind: "image", Name: "a"})
	begun.Outcome = audit.Intent
	lost := audit.New(at, audit.System("registry"), "image.push", audit.Object{Kind: "image", Name: "b"})
	lost.Outcome = audit.Intent
	done := audit.New(at.Add(time.Hour), audit.System("registry"), "image.delete", audit.Object{Kind: "image", Name: "a"})
	done.Act = begun.ID
	for _, e := range []audit.Entry{begun, lost, done} {
		w.append(t, e)
	}
	report, err := Dir(t.Context(), write(t, w.files(t, 0, 4)), Options{Key: w.public})
	want := []Intent{{Index: 2, ID: lost.ID, Action: "image.push", Time: at}}
	if err != nil || !slices.Equal(report.OpenIntents, want) || report.Open != 1 || !report.Last.Equal(done.Time) {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestStrangeFilesAreRefused(t *testing.T) {
	w := newWorld(t, 10)
	for _, name := range []string{ManifestFile, CheckpointFile, LeavesFile, "records/000000000000.jsonl"} {
		dir := write(t, w.files(t, 0, 10))
		path := filepath.Join(dir, name)
		for kind, replace := range map[string]func() error{
			"a pipe":        func() error { return syscall.Mkfifo(path, 0o644) },
			"a link":        func() error { return os.Symlink("/dev/zero", path) },
			"a directory":   func() error { return os.Mkdir(path, 0o755) },
			"an empty file": func() error { return os.WriteFile(path, nil, 0o644) },
		} {
			if err := errors.Join(os.RemoveAll(path), replace()); err != nil {
				t.Fatal(err)
			}
			if _, err := Dir(t.Context(), dir, Options{Key: w.public}); err == nil {
				t.Errorf("%s as %s was accepted", kind, name)
			}
		}
	}
	if _, err := Dir(t.Context(), filepath.Join(t.TempDir(), "none"), Options{}); err == nil {
		t.Error("a directory that does not exist was accepted")
	}
}

// TestMerkleVectors: the empty tree, the leaf of an empty string, and the roots of a tree that is known well (RFC 6962,
// section 2.1; the inputs are those of the certificate transparency test data).
func TestMerkleVectors(t *testing.T) {
	inputs := []string{"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}
	roots := []string{
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	}
	tree, err := newTree(&Manifest{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range roots {
		got, err := tree.root()
		if err != nil || hex.EncodeToString(got) != want {
			t.Errorf("root of %d leaves: %x, %v, want %s", i, got, err, want)
		}
		if i < len(inputs) {
			leaf, _ := hex.DecodeString(inputs[i])
			if err := tree.add(int64(i), leaf); err != nil {
				t.Fatal(err)
			}
		}
	}
}
