//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
)

// Several processes share one cache, while another empties it and the first is killed: every answer is the same.
func TestCacheSharedByProcesses(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	saved := bookwormSaved(t)
	want := u.scan(t, saved, "--no-cache")
	killed := u.command(t.Context(), "scan", "-q", saved)
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var reports [8]bytes.Buffer
	var errs [len(reports)]error
	for i := range reports {
		cmd := u.command(t.Context(), "scan", "-q", "-o", "json", saved)
		cmd.Stdout = &reports[i]
		if i == len(reports)/2 {
			cmd.Args = append(cmd.Args[:1:1], "cache", "clean")
		}
		wg.Go(func() { errs[i] = cmd.Run() })
	}
	_ = killed.Process.Kill()
	_ = killed.Wait()
	wg.Wait()
	for i := range reports {
		if errs[i] != nil {
			t.Fatalf("process %d: %v", i, errs[i])
		}
		if i != len(reports)/2 {
			same(t, want, one(t, reports[i].String()))
		}
	}
}

// A damaged cache costs time, never an answer.
func TestCacheDamaged(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	saved := bookwormSaved(t)
	want := u.scan(t, saved)
	for _, damage := range []string{"truncate -s 10", "sh -c 'printf garbage >\"$0\"'", "truncate -s 1M"} {
		call(t, "sh", "-c", fmt.Sprintf("find %s -type f -exec %s {} \\;", filepath.Join(u.home, "cache"), damage))
		same(t, want, u.scan(t, saved))
	}
}
