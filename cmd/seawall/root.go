package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

const rootLong = `Seawall finds out what is in a container image, what is wrong with it, and whether it may ship.

  seawall db update          fetch the public advisories (once, then daily)
  seawall scan IMAGE         show what is wrong with an image
  seawall gate IMAGE         decide by exit code whether it may ship
  seawall sbom IMAGE         write a software bill of materials
  seawall sign IMAGE         sign an image, or attest something about it
  seawall verify IMAGE       verify an image's signatures, by exit code too

IMAGE is a registry reference, a docker-save or OCI archive, an OCI layout directory, a root file system directory or
tar, an SBOM file, - for one of these archives on standard input, or docker:NAME, podman:NAME, containerd:NAME for an
image of a running engine.

` + exitCodes

func newRoot(t terminal) *cobra.Command {
	root := &cobra.Command{
		Use:           "seawall",
		Short:         "Container security from build to runtime",
		Long:          rootLong,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.SetVersionTemplate("seawall {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w (see `%s --help`)", err, cmd.CommandPath())
	})
	root.AddCommand(newSiblings()...)
	root.AddCommand(newScan(t), newGate(t), newSBOM(t), newSign(t), newVerify(t), newAudit(t), newLogin(t), newLogout(t), newImages(t), newImport(t), newKeys(t), newDB(t), newCache(t), newVersion(t))
	return root
}

// dirs are the directories that Seawall keeps things in.
type dirs struct{ cache, db string }

// defaultDirs follows the XDG base directory specification; SEAWALL_CACHE_DIR and SEAWALL_DB_DIR come first.
func defaultDirs(t terminal) dirs {
	cache, _ := t.env("SEAWALL_CACHE_DIR")
	if cache == "" {
		cache = filepath.Join(xdg(t, "XDG_CACHE_HOME", ".cache"), "seawall")
	}
	db, _ := t.env("SEAWALL_DB_DIR")
	if db == "" {
		db = filepath.Join(xdg(t, "XDG_DATA_HOME", ".local/share"), "seawall", "db")
	}
	return dirs{cache: cache, db: db}
}

// xdg returns the directory that a variable names, or its default below the home directory. Without a home, as for
// services, a directory of the user's own below the temporary one serves.
func xdg(t terminal, variable, fallback string) string {
	if dir, ok := t.env(variable); ok && filepath.IsAbs(dir) {
		return dir
	}
	if home, ok := t.env("HOME"); ok && home != "" {
		return filepath.Join(home, fallback)
	}
	return filepath.Join(os.TempDir(), "seawall-"+userName(t), fallback)
}

func userName(t terminal) string {
	if name, ok := t.env("USER"); ok && name != "" && !filepath.IsAbs(name) {
		return filepath.Base(name)
	}
	return "nobody"
}
