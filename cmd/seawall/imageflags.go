package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/internal/sandbox"
	"github.com/seawall/seawall/scan"
	"github.com/seawall/seawall/scan/image"
	"github.com/seawall/seawall/scan/inventory"
	"github.com/seawall/seawall/scan/report/sbom"
)

// imageFlags say which image to open and how to read it.
type imageFlags struct {
	open     image.Options
	scanners []string
	cacheDir string
	noCache  bool
	sandbox  string
	jobs     int
	timeout  time.Duration
	quiet    bool
	sbomOnly bool // the reference must be an SBOM file
}

// The names of --scanners.
var scannerNames = []string{"vuln", "secret", "config", "exec"}

func (f *imageFlags) register(cmd *cobra.Command, t terminal) {
	fs := cmd.Flags()
	fs.StringVar(&f.open.Platform, "platform", "", "`OS/ARCH[/VARIANT]` to take from an index (default: linux on this machine's architecture)")
	fs.BoolVar(&f.open.AllPlatforms, "all-platforms", false, "every platform of an index, each with its own verdict")
	fs.BoolVar(&f.open.Insecure, "insecure", false, "allow plain HTTP and unverified certificates for registries")
	fs.StringVar(&f.open.CAFile, "ca-cert", "", "PEM `FILE` of certificates to trust for registries")
	fs.StringVar((*string)(&f.open.Engine), "engine", "", "take bare names only from this `ENGINE`: docker, podman, containerd, or none")
	namespace, ok := t.env("CONTAINERD_NAMESPACE")
	if !ok {
		namespace = "default"
	}
	fs.StringVar(&f.open.ContainerdNamespace, "namespace", namespace, "containerd `NAMESPACE` (Kubernetes uses k8s.io)")
	socket, _ := t.env("DOCKER_HOST")
	fs.StringVar(&f.open.EngineSocket, "engine-socket", socket, "unix `SOCKET` of the engine (default: DOCKER_HOST, or the usual places)")
	fs.StringSliceVar(&f.scanners, "scanners", scannerNames, "what to look for, some of `"+strings.Join(scannerNames, ",")+"`")
	fs.StringVar(&f.cacheDir, "cache-dir", defaultDirs(t).cache, "`DIR` for results of layers")
	fs.BoolVar(&f.noCache, "no-cache", false, "read every layer anew and keep nothing")
	fs.StringVar(&f.sandbox, "sandbox", string(scan.SandboxAuto), "`HOW` to confine the parsing process: auto, require, off")
	fs.IntVar(&f.jobs, "jobs", 0, "`N` layers to read at once (default: one per processor)")
	fs.DurationVar(&f.timeout, "timeout", 15*time.Minute, "give up after this `TIME`")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
}

// gcPercent lets the heap of a short process grow to five times what is in use before it is collected: a warm scan of
// 3,000 packages takes half the time for 15 MiB more. GOGC overrules it.
const gcPercent = 400

// inventories reads an SBOM file or scans an image.
func (f *imageFlags) inventories(ctx context.Context, t terminal, ref string) ([]finding.Inventory, error) {
	if _, asked := t.env("GOGC"); !asked {
		debug.SetGCPercent(gcPercent)
	}
	if ref == "-" {
		ref = "/dev/stdin"
	}
	if err := f.check(ref); err != nil {
		return nil, err
	}
	inv, err := f.readSBOM(ref)
	switch {
	case err != nil && !f.sbomOnly && errors.Is(err, fs.ErrPermission):
		return nil, inputError("opening the image", err)
	case err != nil:
		return nil, inputError("reading the SBOM", err)
	case inv != nil:
		return []finding.Inventory{*inv}, nil
	case f.sbomOnly:
		return nil, usagef("%s is not an SBOM: want CycloneDX, SPDX or Syft JSON", ref)
	}
	o, err := f.options(t)
	if err != nil {
		return nil, err
	}
	if o.Cache != nil {
		defer o.Cache.Close()
	}
	ctx, cancel := context.WithTimeoutCause(ctx, f.timeout, fmt.Errorf("gave up after %s (--timeout)", f.timeout))
	defer cancel()
	m := newMeter(t.err, f.quiet)
	defer m.finish()
	o.Progress = m.layer
	all, err := scan.Inventories(ctx, ref, o)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, inputError("scanning "+ref, err)
	}
	return all, nil
}

// check refuses flags that make no sense, before anything is opened.
func (f *imageFlags) check(ref string) error {
	engines := []image.Engine{"", image.EngineDocker, image.EnginePodman, image.EngineContainerd, image.EngineNone}
	switch {
	case ref == "":
		return usagef("the name of the image is empty")
	case !slices.Contains(engines, f.open.Engine):
		return usagef("unknown --engine %q: want docker, podman, containerd or none", f.open.Engine)
	case len(f.scanners) == 0:
		return usagef("--scanners names nothing to look for: want some of %s", strings.Join(scannerNames, ","))
	case f.timeout <= 0:
		return usagef("--timeout %s: want a time above 0, as in 5m", f.timeout)
	case f.jobs < 0:
		return usagef("--jobs %d: want 1 or more, or 0 for one per processor", f.jobs)
	}
	return nil
}

func (f *imageFlags) options(t terminal) (scan.Options, error) {
	o := scan.Options{Image: f.open, Jobs: f.jobs, Sandbox: scan.Sandbox(f.sandbox)}
	if !slices.Contains([]scan.Sandbox{scan.SandboxAuto, scan.SandboxRequire, scan.SandboxOff}, o.Sandbox) {
		return o, usagef("unknown --sandbox %q: want auto, require or off", f.sandbox)
	}
	if f.open.Platform != "" && f.open.AllPlatforms {
		return o, usagef("give --platform or --all-platforms, not both")
	}
	for _, name := range f.scanners {
		if err := look(&o.Scanned, name); err != nil {
			return o, err
		}
	}
	o.Note = func(r sandbox.Report) {
		if !r.Complete() && o.Sandbox != scan.SandboxOff && !f.quiet {
			fmt.Fprintf(t.err, "seawall: %s\n", r)
		}
	}
	if f.noCache {
		return o, nil
	}
	cache, err := image.OpenCache(f.cacheDir, 0)
	if errors.Is(err, image.ErrCacheDir) {
		return o, usagef("%w", err)
	}
	if err != nil {
		fmt.Fprintf(t.err, "seawall: going on without a cache: %v\n", err)
	}
	o.Cache = cache
	return o, nil
}

func look(s *finding.Scanned, name string) error {
	switch name {
	case "vuln":
		s.Packages = true
	case "secret":
		s.Secrets = true
	case "config":
		s.Checks = true
	case "exec":
		s.Executables = true
	default:
		return usagef("unknown scanner %q: want some of %s", name, strings.Join(scannerNames, ","))
	}
	return nil
}

// readSBOM reads ref if it is an SBOM file; nil if it is anything else.
func (f *imageFlags) readSBOM(ref string) (*finding.Inventory, error) {
	info, err := os.Stat(ref)
	if err != nil || !info.Mode().IsRegular() {
		if f.sbomOnly && err != nil {
			return nil, err
		}
		return nil, nil
	}
	file, err := os.Open(ref)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	head := make([]byte, 4096)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, nil
	}
	if !sbom.Sniff(head[:n]) {
		return nil, nil
	}
	return sbom.Read(io.MultiReader(bytes.NewReader(head[:n]), file), ref, sbom.Options{Ecosystem: inventory.Ecosystem})
}
