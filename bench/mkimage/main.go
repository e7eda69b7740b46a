// Command mkimage makes the images that the benchmarks scan: from a real root file system, or synthetic ones of any
// size whose content is the same on every machine.
//
// It promises valid docker-save and OCI files with layers that are plain, gzip or zstd. It leaves out everything that
// a scanner does not look at: signatures, attestations, several platforms.
package main

import (
	"archive/tar"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "mkimage: %v\n", err)
		os.Exit(1)
	}
}

// recipe says what an image is made of: each layer writes itself into a tar.
type recipe struct {
	distro string
	layers []layer
}

type layer struct {
	createdBy string
	write     func(*tar.Writer) error
}

func run(args []string) error {
	flags := flag.NewFlagSet("mkimage", flag.ContinueOnError)
	from := flags.String("from", "", "root file system: a directory, or a tar (plain or gzip); empty for synthetic content")
	layers := flags.Int("layers", 20, "layers of a synthetic image")
	size := flags.Int64("mib", 2048, "size of a synthetic image, uncompressed, in MiB")
	format := flags.String("format", formatDocker, "docker (docker-save tar), oci (layout directory) or oci-archive")
	compress := flags.String("compress", compressNone, "none, gzip or zstd")
	out := flags.String("o", "", "file or directory to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *out == "" || flags.NArg() > 0 {
		return errors.New("usage: mkimage -o FILE [-from ROOTFS] [-format F] [-compress C] [-layers N -mib M]")
	}
	r := synthetic(*layers, *size<<20)
	if *from != "" {
		r = recipe{distro: "bench", layers: []layer{{createdBy: "ADD rootfs.tar / # buildkit", write: copyRoot(*from)}}}
	}
	return writeImage(r, *format, *compress, *out)
}

// copyRoot returns a layer that holds the root file system at path.
func copyRoot(path string) func(*tar.Writer) error {
	return func(tw *tar.Writer) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.IsDir() {
			return addTree(tw, path)
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return addTar(tw, io.Reader(f))
	}
}
