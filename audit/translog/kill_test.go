package translog

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seawall/seawall/audit"
)

// childDir tells the test executable that it is the process to be killed.
const childDir = "SEAWALL_TEST_KILLED_LOG"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := beKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// diskStore is an outbox in files: records.jsonl is given, places are noted in a file that is synced.
type diskStore struct {
	store
	noted *os.File
}

func openDisk(dir string) (*diskStore, error) {
	d := &diskStore{}
	f, err := os.Open(filepath.Join(dir, "records.jsonl"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		r := audit.Stored{Index: -1, Seq: int64(len(d.list) + 1)}
		if err := json.Unmarshal(in.Bytes(), &r.Entry); err != nil {
			return nil, err
		}
		d.list = append(d.list, r)
	}
	path := filepath.Join(dir, "noted")
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		var seq, index int
		if _, err := fmt.Sscanf(line, "%d %d.\n", &seq, &index); err != nil {
			continue // cut off by a kill, hence not acknowledged
		}
		d.list[seq-1].Index = int64(index)
	}
	d.noted, err = os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return d, err
}

func (d *diskStore) Pending(ctx context.Context, n int) ([]audit.Stored, error) {
	return d.store.Pending(ctx, min(n, 5)) // many batches
}

func (d *diskStore) Sequenced(ctx context.Context, index map[string]int64) error {
	var b strings.Builder
	b.WriteString("\n") // ends a line that a kill cut off
	for _, r := range d.list {
		if i, ok := index[r.ID]; ok {
			fmt.Fprintf(&b, "%d %d.\n", r.Seq, i)
		}
	}
	if _, err := d.noted.WriteString(b.String()); err != nil {
		return err
	}
	if err := d.noted.Sync(); err != nil {
		return err
	}
	return d.store.Sequenced(ctx, index)
}

func diskLog(dir string) (Config, *diskStore, error) {
	d, err := openDisk(dir)
	if err != nil {
		return Config{}, nil, err
	}
	key, err := OpenKey(context.Background(), File(filepath.Join(dir, "key")), nil, "hub.example/audit")
	return Config{Dir: filepath.Join(dir, "audit"), Key: key, Outbox: d, Archive: d, Last: File(filepath.Join(dir, "last")), Interval: time.Millisecond}, d, err
}

// beKilled runs a log until the process is killed.
func beKilled(dir string) error {
	cfg, _, err := diskLog(dir)
	if err != nil {
		return err
	}
	l, err := Open(cfg)
	if err != nil {
		return err
	}
	fmt.Println("running")
	return l.Run(context.Background())
}

func TestKilledAnywhere(t *testing.T) {
	const records, kills = 200, 8
	dir := t.TempDir()
	s := &store{}
	s.add(records)
	f, err := os.Create(filepath.Join(dir, "records.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range s.list {
		if err := json.NewEncoder(f).Encode(r.Entry); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for range kills {
		killOnce(t, dir)
	}
	cfg, d, err := diskLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d records were left for the last run", d.waiting(), records)
	l, stop := run(t, cfg)
	await(t, "the rest", func() bool { return d.waiting() == 0 })
	stop()
	checkLog(t, l, &d.store)
}

// killOnce starts the log in another process and kills that after a while.
func killOnce(t *testing.T, dir string) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "running\n" {
		t.Fatalf("%q, %v", line, err)
	}
	time.Sleep(rand.N(500 * time.Millisecond)) // when it is killed is the point of the test
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	child.Wait() // tells that it was killed
}
