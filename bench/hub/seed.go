package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan"
	"github.com/seawall/seawall/state"
)

func digestOf(kind string, n int) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256(fmt.Appendf(nil, "%s %d", kind, n)))
}

func repositoryName(n int) string { return fmt.Sprintf("team%d/app%d", n%100, n) }

// seeded makes a data directory by way of package state, once: a half one is thrown away.
func seeded(ctx context.Context, dir string, fill func(*state.DB) error) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	half := dir + ".half"
	if err := os.RemoveAll(half); err != nil {
		return err
	}
	if err := os.MkdirAll(half, 0o700); err != nil {
		return err
	}
	db, err := state.Open(ctx, state.Config{DSN: "sqlite:" + filepath.Join(half, "hub.db")})
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := fill(db); err != nil {
		db.Close()
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	fmt.Printf("\nseeded %s in %s\n", filepath.Base(dir), time.Since(begin).Round(time.Second))
	return os.Rename(half, dir)
}

// crowd calls f for 0 to n-1, 16 at a time as clients do, until one fails.
func crowd(ctx context.Context, n int, f func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var workers sync.WaitGroup
	for range 16 {
		workers.Go(func() {
			for i := range next {
				if err := f(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	workers.Wait()
	return context.Cause(ctx)
}

// seedCatalog fills repositories of 10 tagged images; each tenth image has 10 findings.
func (b *bench) seedCatalog(ctx context.Context, dir string) error {
	return seeded(ctx, dir, func(db *state.DB) error {
		return crowd(ctx, b.size.repositories, func(ctx context.Context, n int) error {
			for i := range 10 {
				if err := putImage(ctx, db, n, i); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func putImage(ctx context.Context, db *state.DB, n, i int) error {
	repository, digest, now := repositoryName(n), digestOf("image", n*10+i), time.Now().Add(-time.Duration(n)*time.Second)
	m := manifest(repository, digest, now)
	if err := db.PutManifest(ctx, m, nil); err != nil {
		return err
	}
	if err := db.PutTag(ctx, catalog.Tag{Repository: repository, Name: fmt.Sprint("v", i), Digest: digest, Updated: now, By: "ci"}); err != nil {
		return err
	}
	d := decided(m, finding.Inventory{Analyser: scan.AnalyserVersion})
	if i == 0 {
		for k := range 10 {
			d.Result.Findings = append(d.Result.Findings, someFinding(n+k, k))
			d.Evaluation.Counts.Add(finding.Severity(1 + k%5))
		}
	}
	if n%7 == 0 {
		d.Status = catalog.Rejected
	}
	return db.PutDecided(ctx, d)
}

func manifest(repository, digest string, pushed time.Time) catalog.Manifest {
	return catalog.Manifest{Repository: repository, Digest: digest, Kind: catalog.KindImage, MediaType: "application/vnd.oci.image.manifest.v1+json",
		Size: 30 << 20, Platform: "linux/amd64", Config: digest, Blobs: []string{digest, digestOf("base", 0)}, BlobSizes: []int64{1 << 20, 29 << 20},
		Pushed: pushed, PushedBy: "ci", PushedFrom: "192.0.2.1"}
}

func decided(m catalog.Manifest, inv finding.Inventory) catalog.Decided {
	r := finding.Result{Tool: "seawall", ScannedAt: m.Pushed, Inventory: inv, Verdict: &finding.Verdict{Decision: finding.Pass}}
	return catalog.Decided{Repository: m.Repository, Digest: m.Digest, Result: &r, Status: catalog.Released, Due: catalog.DefaultDue, At: m.Pushed,
		Evaluation: catalog.Evaluation{Scanned: m.Pushed, Matched: m.Pushed, Analyser: scan.AnalyserVersion, Decision: finding.Pass, Packages: len(inv.Packages)}}
}

func someFinding(id, k int) finding.Finding {
	return finding.Finding{ID: fmt.Sprint("CVE-2026-", id%500), Title: "A heap-based buffer overflow allows remote attackers to do things",
		Severity: finding.Severity(1 + k%5), Fixed: "1.2.4",
		Package: finding.Package{Name: fmt.Sprint("package-", k), Version: "1.2.3", Type: "deb", Ecosystem: "Debian:12"}}
}

// seedFleet fills images with inventories that nobody has matched yet, ten to a repository.
func (b *bench) seedFleet(ctx context.Context, dir string) error {
	return seeded(ctx, dir, func(db *state.DB) error {
		return crowd(ctx, b.size.images, func(ctx context.Context, n int) error {
			m := manifest(repositoryName(n/10), digestOf("fleet", n), time.Now())
			if err := db.PutManifest(ctx, m, nil); err != nil {
				return err
			}
			tag := catalog.Tag{Repository: m.Repository, Name: fmt.Sprint("v", n%10), Digest: m.Digest, Updated: m.Pushed, By: "ci"}
			if err := db.PutTag(ctx, tag); err != nil {
				return err
			}
			return db.PutDecided(ctx, decided(m, inventory(uint64(n), b.size.packages)))
		})
	})
}

// inventory is of Debian's packages for two thirds, and npm's. Names and versions are those of bench/mkdata: a few
// packages are in most images, and eight versions of each are in use.
func inventory(seed uint64, packages int) finding.Inventory {
	r := rand.New(rand.NewPCG(2, seed))
	inv := finding.Inventory{Analyser: scan.AnalyserVersion, Distro: finding.Distro{ID: "debian", VersionID: "12", Ecosystem: "Debian:12"}}
	for i := range packages {
		n := int(20000 * r.Float64() * r.Float64() * r.Float64())
		name := fmt.Sprint("bench-package-", n)
		version := fmt.Sprintf("%d.%d.%d", n%4, n/4%12, r.IntN(8)*n%20)
		if i%3 == 2 {
			inv.Packages = append(inv.Packages, finding.Package{Name: name, Version: version, Type: "npm", Ecosystem: "npm", PURL: "pkg:npm/" + name + "@" + version})
			continue
		}
		inv.Packages = append(inv.Packages, finding.Package{Name: name, Version: version + "-1", Type: "deb", Ecosystem: "Debian:12",
			PURL: "pkg:deb/debian/" + name + "@" + version + "-1?distro=debian-12"})
	}
	return inv
}
