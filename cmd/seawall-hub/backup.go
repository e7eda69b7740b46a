package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/seawall/seawall/keys"
	"github.com/seawall/seawall/state"
)

const backupLong = `Backup writes everything that a hub keeps into a directory that must not exist yet, while the hub runs: first the state,
in one consistent view, then the audit log, the wrapped keys and the blobs, which only ever grow. Blobs that are already
in --link-dir, a former backup, are linked instead of copied. With encryption on the backup is encrypted as the data is;
the key-encryption key itself is not part of it. Blobs in S3 stay there.

Run it on the hub's machine, as the hub's user, with the hub's --config or --data-dir.

` + exitCodes

// stateFile is the state in a backup; the rest lies as it does in the data directory.
const stateFile = "state.backup"

// kept are the files and directories of the data directory that a backup holds beside the state.
var kept = []string{"audit", "keys"}

func newBackup(t terminal) *cobra.Command {
	c := defaults()
	var file, former string
	var noBlobs bool
	cmd := &cobra.Command{
		Use: "backup DIR", Short: "Write what a hub keeps to a directory, while it runs", Long: backupLong, Args: cobra.ExactArgs(1),
		Example: "  seawall backup /backup/today --data-dir /var/lib/seawall\n  seawall backup /backup/today --config /etc/seawall/hub.yaml --link-dir /backup/yesterday",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.load(cmd, t, file, &[]string{}); err != nil {
				return usageError{err}
			}
			return c.backup(cmd.Context(), args[0], former, !noBlobs, t.out)
		},
	}
	c.flags(cmd.Flags(), &file, &[]string{})
	cmd.Flags().StringVar(&former, "link-dir", "", "link blobs that are in this former backup `DIR`")
	cmd.Flags().BoolVar(&noBlobs, "no-blobs", false, "leave the blobs out")
	return cmd
}

// stateOf opens the state as the hub does.
func (c *config) stateOf(ctx context.Context) (state.Config, func() error, error) {
	cfg := state.Config{DSN: c.Database}
	ring, err := keys.Open(ctx, keys.Config{Dir: c.Encryption.Dir, Provider: c.Encryption.Provider})
	if err != nil {
		return cfg, nil, fmt.Errorf("opening the keys: %w", err)
	}
	if ring.Enabled() {
		cfg.Keys = ring.Purpose("state")
	}
	return cfg, ring.Close, nil
}

// place is where a part of a backup belongs.
func (c *config) place(name string) string {
	switch name {
	case "registry":
		return c.Storage.Dir
	case "keys":
		return c.Encryption.Dir
	}
	return filepath.Join(c.DataDir, name)
}

func (c *config) backup(ctx context.Context, dir, former string, blobs bool, out io.Writer) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("making the backup's directory: %w", err)
	}
	if err := c.backupState(ctx, filepath.Join(dir, stateFile)); err != nil {
		return err
	}
	fmt.Fprintln(out, "state: done")
	for _, name := range kept {
		if err := copyTree(ctx, c.place(name), filepath.Join(dir, name), ""); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "audit log and keys: done")
	if !blobs || c.Storage.S3 != nil {
		return nil
	}
	if former != "" {
		former = filepath.Join(former, "registry")
	}
	if err := copyTree(ctx, c.Storage.Dir, filepath.Join(dir, "registry"), former); err != nil {
		return err
	}
	fmt.Fprintln(out, "blobs: done")
	return nil
}

func (c *config) backupState(ctx context.Context, file string) error {
	cfg, done, err := c.stateOf(ctx)
	if err != nil {
		return err
	}
	defer done()
	db, err := state.Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer db.Close()
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(db.Backup(ctx, f), f.Sync(), f.Close())
}

const restoreLong = `Restore reads a backup into a data directory, or a PostgreSQL, that holds nothing yet. The hub must not run. A backup of a
hub on SQLite can be restored into PostgreSQL and the other way round.

` + exitCodes

func newRestore(t terminal) *cobra.Command {
	c := defaults()
	var file string
	cmd := &cobra.Command{
		Use: "restore DIR", Short: "Read a backup into an empty data directory", Long: restoreLong, Args: cobra.ExactArgs(1),
		Example: "  seawall restore /backup/today --data-dir /var/lib/seawall",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.load(cmd, t, file, &[]string{}); err != nil {
				return usageError{err}
			}
			return c.restore(cmd.Context(), args[0], t.out)
		},
	}
	c.flags(cmd.Flags(), &file, &[]string{})
	return cmd
}

func (c *config) restore(ctx context.Context, dir string, out io.Writer) error {
	if err := private(c.DataDir); err != nil {
		return err
	}
	if names, err := os.ReadDir(c.DataDir); err != nil || len(names) > 0 {
		return usageError{fmt.Errorf("%s is not empty: restore into a directory that holds nothing", c.DataDir)}
	}
	unlock, err := lock(c.DataDir)
	if err != nil {
		return err
	}
	defer unlock()
	for _, name := range append([]string{"registry"}, kept...) {
		if err := copyTree(ctx, filepath.Join(dir, name), c.place(name), ""); err != nil {
			return err
		}
	}
	f, err := os.Open(filepath.Join(dir, stateFile))
	if err != nil {
		return fmt.Errorf("reading the backup: %w", err)
	}
	defer f.Close()
	cfg, done, err := c.stateOf(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := state.Restore(ctx, cfg, f); err != nil {
		return err
	}
	fmt.Fprintln(out, "restored")
	return nil
}

// copyTree copies a file or a directory with everything below it, which may grow meanwhile; what is not there is left
// out. Files that are the same in former are linked.
func copyTree(ctx context.Context, from, to, former string) error {
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // collected, or moved to its place, meanwhile
		}
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		rest, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rest), 0o700)
		case !d.Type().IsRegular():
			return nil
		case former != "" && linked(d, filepath.Join(former, rest), filepath.Join(to, rest)):
			return nil
		}
		return copyFile(path, filepath.Join(to, rest))
	})
	if err != nil {
		return fmt.Errorf("copying %s: %w", from, err)
	}
	return nil
}

// linked links a file of a former backup where it has the same size and is not older: blobs never change.
func linked(d fs.DirEntry, old, to string) bool {
	now, err := d.Info()
	if err != nil {
		return false
	}
	was, err := os.Stat(old)
	if err != nil || was.Size() != now.Size() || was.ModTime().Before(now.ModTime()) {
		return false
	}
	return os.Link(old, to) == nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}
