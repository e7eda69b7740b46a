package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// rematch measures how long all images take to be matched: at first against a whole database, where all of them change,
// and then against one that a hundredth was added to, as a day or two do.
func (b *bench) rematch(ctx context.Context) error {
	dir := filepath.Join(b.out, fmt.Sprintf("hub-fleet-%d-%d", b.size.images, b.size.packages))
	if err := b.seedFleet(ctx, dir); err != nil {
		return err
	}
	work := filepath.Join(b.work, "fleet")
	if out, err := exec.CommandContext(ctx, "cp", "-r", dir, work).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	first, then, err := b.buckets(ctx)
	if err != nil {
		return err
	}
	if err := b.compile(ctx, first, work); err != nil {
		return err
	}
	fmt.Printf("\n%d images of %d packages: matched against a database\n", b.size.images, b.size.packages)
	h, err := b.start(ctx, work)
	if err != nil {
		return err
	}
	defer h.stop()
	told, err := h.matched(ctx, 1)
	if err != nil {
		return err
	}
	fmt.Printf("all images, every one changes: %s\n", told)
	all, _, err := h.memory()
	if err != nil {
		return err
	}
	fmt.Printf("memory after it: %.0f MiB\n", all)
	begin := time.Now()
	if err := b.compile(ctx, then, work); err != nil {
		return err
	}
	compiled := time.Since(begin)
	if told, err = h.matched(ctx, 2); err != nil {
		return err
	}
	fmt.Printf("a hundredth of advisories is new: %s; %s after the database was in place\n", told, (time.Since(begin) - compiled).Round(time.Second))
	took, err := time.ParseDuration(duration.FindStringSubmatch(told)[1])
	if err != nil {
		return err
	}
	row("match after an update", took.Seconds(), 60, "s")
	return h.resident(ctx, "hub with these images", 20*time.Second)
}

var (
	matchedLine = regexp.MustCompile(`matched all images against a new advisory database.*`)
	duration    = regexp.MustCompile(`took=(\S+)`)
)

// matched waits for the n-th match of all images to end.
func (h *process) matched(ctx context.Context, n int) (string, error) {
	for end := time.Now().Add(30 * time.Minute); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(200 * time.Millisecond) {
		if lines := matchedLine.FindAllString(h.said.String(), -1); len(lines) >= n {
			return lines[n-1], nil
		}
	}
	return "", errors.Join(ctx.Err(), errors.New("the match did not end"))
}

// buckets makes made-up advisories: some, and the same with a hundredth more.
func (b *bench) buckets(ctx context.Context) (first, then string, err error) {
	for i, n := range []int{b.size.advisories, b.size.advisories * 101 / 100} {
		dir := filepath.Join(b.out, fmt.Sprint("bucket-", n))
		if _, err := os.Stat(filepath.Join(dir, "ecosystems.txt")); err != nil {
			cmd := exec.CommandContext(ctx, filepath.Join(b.out, "bin", "mkdata"), "advisories", "-n", fmt.Sprint(n), "-recent", "0", "-o", dir)
			if out, err := cmd.CombinedOutput(); err != nil {
				return "", "", fmt.Errorf("making advisories: %w: %s", err, out)
			}
		}
		if i == 0 {
			first = dir
		}
		then = dir
	}
	return first, then, nil
}

// compile makes the advisory database that a hub on dir uses.
func (b *bench) compile(ctx context.Context, bucket, dir string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(b.bin, "seawall"), "db", "update", "-q", "--from", bucket, "--db-dir", filepath.Join(dir, "advisories"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("compiling advisories: %w: %s", err, out)
	}
	return nil
}
