package state

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/job"
)

// crashFile is the variable that makes the test's executable a child that writes to that database until it is killed.
const crashFile = "SEAWALL_TEST_CRASH"

// TestKill kills a hub's state at random points, also while it is created, and looks for every write that it had
// acknowledged. SEAWALL_TEST_KILLS sets how often.
func TestKill(t *testing.T) {
	rounds := size("SEAWALL_TEST_KILLS", 12)
	path := filepath.Join(t.TempDir(), "hub.db")
	acknowledged := map[string]bool{}
	for round := range rounds {
		if round%6 == 5 { // a new one: the next is killed while it migrates
			path = filepath.Join(t.TempDir(), "hub.db")
			clear(acknowledged)
		}
		killOne(t, path, round, acknowledged)
		verify(t, path, acknowledged)
	}
	t.Logf("%d kills, %d acknowledged writes in the last database", rounds, len(acknowledged))
}

// killOne runs a child, kills it and notes what it had acknowledged.
func killOne(t *testing.T, path string, round int, acknowledged map[string]bool) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashFile+"="+path, fmt.Sprint("SEAWALL_TEST_ROUND=", round))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(time.Duration(10+rand.IntN(400))*time.Millisecond, func() { child.Process.Kill() })
	defer kill.Stop()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if what, ok := strings.CutPrefix(lines.Text(), "ok "); ok { // a line that was cut off by the kill is none
			acknowledged[what] = true
		}
	}
	if err := child.Wait(); err == nil || child.ProcessState.ExitCode() > 0 {
		t.Fatalf("round %d: the child ended by itself: %v", round, err)
	}
}

func verify(t *testing.T, path string, acknowledged map[string]bool) {
	t.Helper()
	db, err := Open(t.Context(), Config{DSN: "sqlite:" + path, Keys: newKeys("k1")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.read(t.Context(), func(x tx) error {
		problems, err := list(t.Context(), x, scanText, `PRAGMA integrity_check`)
		if err == nil && (len(problems) != 1 || problems[0] != "ok") {
			t.Errorf("integrity: %v", problems)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for what := range acknowledged {
		repository, d, _ := strings.Cut(what, "@")
		m, err := db.Manifest(t.Context(), repository, d)
		if err != nil {
			t.Errorf("%s is lost: %v", what, err)
			continue
		}
		if records, err := db.Audit(t.Context(), audit.Query{Object: what}); err != nil || len(records) != 1 {
			t.Errorf("%s has %d records, %v", what, len(records), err)
		}
		if m.Scan != nil { // an evaluation is there whole or not at all
			if r, err := db.Result(t.Context(), repository, d); err != nil || len(r.Findings) != 3 {
				t.Errorf("result of %s: %v", what, err)
			}
		}
	}
}

// crashChild writes until it is killed, and says what was acknowledged.
func crashChild() {
	ctx := context.Background()
	db, err := Open(ctx, Config{DSN: "sqlite:" + os.Getenv(crashFile), Keys: newKeys("k1")})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for worker := range 3 {
		go func() {
			for n := 0; ; n++ {
				if err := crashWrite(ctx, db, worker, n); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
			}
		}()
	}
	select {}
}

func crashWrite(ctx context.Context, db *DB, worker, n int) error {
	repository := fmt.Sprint("team/app", worker, "-", n%3)
	d := digest(size("SEAWALL_TEST_ROUND", 0)*1_000_000 + worker*100_000 + n)
	m := catalog.Manifest{Repository: repository, Digest: d, Kind: catalog.KindImage, Pushed: time.Now()}
	by := audit.New(time.Now(), audit.System("test"), "image.push", audit.Object{Kind: "image", Name: repository + "@" + d})
	if err := db.PutManifest(ctx, m, []job.Job{{Kind: "scan", Key: repository + "@" + d}}, by); err != nil {
		return err
	}
	fmt.Printf("ok %s@%s\n", repository, d)
	if err := db.PutTag(ctx, catalog.Tag{Repository: repository, Name: fmt.Sprint("t", n%4), Digest: d, Updated: time.Now()}); err != nil {
		return err
	}
	r := finding.Result{Inventory: finding.Inventory{Analyser: "1"}}
	for i := range 3 {
		r.Findings = append(r.Findings, vulnerability(fmt.Sprint("CVE-", n%5+i), "openssl", finding.SeverityHigh))
	}
	return db.PutDecided(ctx, catalog.Decided{Repository: repository, Digest: d, Result: &r, Evaluation: catalog.Evaluation{Packages: 1}, Status: catalog.Released, At: time.Now()})
}
