// Command secrets measures three secret detectors against each other: Seawall's own, osv-scalibr's veles and
// gitleaks with its default rules. It prints recall over made-up credentials, reports on decoys, and throughput and
// reports over a directory of ordinary text.
//
//	go run . -engine seawall /usr/share /usr/lib /etc
//
// One engine a run, so that the memory of one is not charged to another. See docs/decisions/0030-secret-detection.md.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/seawall/seawall/bench/secrets/gitleaks"
	"github.com/seawall/seawall/bench/secrets/seawall"
	"github.com/seawall/seawall/bench/secrets/veles"
	"github.com/seawall/seawall/scan/inventory/secret/sample"
)

type engine interface {
	Count(path string, content []byte) (int, error)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "secrets:", err)
		os.Exit(1)
	}
}

func run() error {
	name := flag.String("engine", "seawall", "seawall, veles or gitleaks")
	limit := flag.Int64("limit", 256<<20, "stop after so many bytes")
	verbose := flag.Bool("v", false, "print the path of every report")
	flag.BoolVar(&programs, "programs", false, "take files that are no text, and files over 4 MiB, too")
	flag.Parse()
	start := time.Now()
	e, err := open(*name)
	if err != nil {
		return err
	}
	fmt.Printf("%s: ready in %v\n", *name, time.Since(start).Round(10*time.Microsecond))
	if err := recall(e, *verbose); err != nil {
		return err
	}
	return corpus(e, flag.Args(), *limit, *verbose)
}

func open(name string) (engine, error) {
	switch name {
	case "veles":
		return veles.New()
	case "seawall":
		return seawall.New(), nil
	case "gitleaks":
		return gitleaks.New()
	}
	return nil, fmt.Errorf("no engine %q", name)
}

// recall prints how many samples are reported at all, and how many decoys.
func recall(e engine, verbose bool) error {
	hit, all, err := count(e, sample.All(1), verbose, false)
	if err != nil {
		return err
	}
	decoy, decoys, err := count(e, sample.Decoys(1), verbose, true)
	fmt.Printf("samples reported %d of %d, decoys reported %d of %d\n", hit, all, decoy, decoys)
	return err
}

func count(e engine, samples []sample.Sample, verbose, tell bool) (int, int, error) {
	hits := 0
	for _, s := range samples {
		n, err := e.Count(s.Path, []byte(s.Content))
		if err != nil {
			return 0, 0, err
		}
		if n > 0 {
			hits++
		}
		if verbose && (n > 0) == tell {
			fmt.Printf("  %s %s\n", s.Rule, s.Path)
		}
	}
	return hits, len(samples), nil
}

// corpus prints throughput and reports over the text files below dirs, which are read into memory first.
func corpus(e engine, dirs []string, limit int64, verbose bool) error {
	files, size, err := load(dirs, limit)
	if err != nil {
		return err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start, reports, hit := time.Now(), 0, 0
	for _, f := range files {
		n, err := e.Count(f.path, f.content)
		if err != nil {
			return err
		}
		reports += n
		if n > 0 {
			hit++
		}
		if verbose && n > 0 {
			fmt.Printf("  %4d %s\n", n, f.path)
		}
	}
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	fmt.Printf("%d files, %.0f MB: %.2f s, %.1f MB/s, %.0f MB allocated; %d reports in %d files\n", len(files),
		float64(size)/1e6, took.Seconds(), float64(size)/1e6/took.Seconds(),
		float64(after.TotalAlloc-before.TotalAlloc)/1e6, reports, hit)
	return nil
}
