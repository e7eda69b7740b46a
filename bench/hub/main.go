// Command hub measures a whole hub, as `seawall up` runs it: pushes and pulls beside Debian's docker-registry, answers
// of the API over a large catalog, start and memory, and the match of all images against a new advisory database.
//
// It promises that what is compared is measured in one run, in turns, on one disk, and prints the ratio to a peer or to
// a target. It leaves out what a browser does with the answers, and networks: everything is on loopback.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// bench is what the cases share.
type bench struct {
	bin  string // directory with seawall and seawall-hub
	out  string // directory for what is kept between runs: seeded states, advisories
	work string // directory of this run
	peer string // docker-registry; "" leaves it out
	load load
	size sizes
}

// sizes of what is seeded.
type sizes struct{ repositories, images, packages, advisories int }

func main() {
	var b bench
	flag.StringVar(&b.bin, "bin", "bin", "`DIR` with seawall and seawall-hub")
	flag.StringVar(&b.out, "out", "bench/out", "`DIR` for what is kept between runs")
	flag.StringVar(&b.peer, "peer", "", "docker-registry's `FILE`; none: left out")
	flag.IntVar(&b.load.runs, "n", 7, "timed runs of each registry")
	flag.IntVar(&b.load.mib, "size", 64, "MiB of each large blob")
	flag.IntVar(&b.load.large, "blobs", 4, "large blobs of a run")
	flag.IntVar(&b.load.small, "small", 500, "blobs of 1 KiB of a run")
	flag.IntVar(&b.size.repositories, "repositories", 10_000, "repositories of 10 tags for the catalog")
	flag.IntVar(&b.size.images, "images", 50_000, "images to match anew")
	flag.IntVar(&b.size.packages, "packages", 100, "packages of each of them")
	flag.IntVar(&b.size.advisories, "advisories", 45_000, "advisories they are matched against; a hundredth more come")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := b.run(ctx, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "hub:", err)
		os.Exit(1)
	}
}

func (b *bench) run(ctx context.Context, names []string) (err error) {
	if b.out, err = filepath.Abs(b.out); err != nil {
		return err
	}
	if b.work, err = os.MkdirTemp(b.out, "hub-run-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.work)
	cases := map[string]func(context.Context) error{
		"registry": b.registries, "idle": b.idle, "catalog": b.catalog, "rematch": b.rematch,
	}
	if len(names) == 0 {
		names = []string{"registry", "idle", "catalog", "rematch"}
	}
	for _, name := range names {
		f, ok := cases[name]
		if !ok {
			return fmt.Errorf("no such case: %s", name)
		}
		if err := f(ctx); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// row prints a figure beside what it may be at most.
func row(what string, have, most float64, unit string) {
	mark := "within"
	if have > most {
		mark = "MISSED"
	}
	fmt.Printf("%-44s %10.2f %-4s %5.2fx of %g %s, %s\n", what, have, unit, have/most, most, unit, mark)
}
