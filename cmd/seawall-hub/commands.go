package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const serveLong = `Serve runs the hub: the registry, the scanner and its workers, the audit trail, the API and the console, in one process
that needs no other server. Everything is kept in the data directory, unless --database names a PostgreSQL and the
configuration file an S3 bucket.

Without a certificate the hub makes one of its own and prints where its authority lies. docs/hub.md lists all settings;
each flag can be given as SEAWALL_HUB_NAME in the environment.

` + exitCodes

func newServe(t terminal) *cobra.Command {
	c := defaults()
	return c.command(t, &cobra.Command{
		Use: "serve", Short: "Run the hub", Long: serveLong,
		Example: `  seawall serve --data-dir /var/lib/seawall --public-url https://seawall.example:8443
  seawall serve --config /etc/seawall/hub.yaml
  seawall serve --key-provider file:/etc/seawall/kek`,
	})
}

const upLong = `Up runs a hub on this machine for a first look. It listens on 127.0.0.1 only, in plain HTTP, keeps its data below your
home directory, uses the advisory database that ` + "`seawall db update`" + ` makes, and prints the console's URL and, the first
time, a password that can be used once. docker push and docker pull work against it at once.

` + exitCodes

func newUp(t terminal) *cobra.Command {
	c := defaults()
	c.firstLook = true
	c.DataDir = filepath.Join(dataHome(t), "seawall", "hub")
	c.Advisories.Dir = filepath.Join(dataHome(t), "seawall", "db")
	if dir, ok := t.env("SEAWALL_DB_DIR"); ok && dir != "" {
		c.Advisories.Dir = dir
	}
	return c.command(t, &cobra.Command{
		Use: "up", Short: "Run a hub on this machine for a first look", Long: upLong,
		Example: "  seawall up\n  seawall up --listen 127.0.0.1:9000 --data-dir ./hub",
	})
}

// command gives cmd the flags of c and has it run the hub.
func (c *config) command(t terminal, cmd *cobra.Command) *cobra.Command {
	var file string
	var listen []string
	cmd.Args = cobra.NoArgs
	c.flags(cmd.Flags(), &file, &listen)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := c.load(cmd, t, file, &listen); err != nil {
			return usageError{err}
		}
		return serve(cmd.Context(), c, t)
	}
	return cmd
}

// load joins file, environment and flags: a flag outweighs the environment, and that the file.
func (c *config) load(cmd *cobra.Command, t terminal, file string, listen *[]string) error {
	given := map[string]string{}
	fs := cmd.Flags()
	if err := environment(fs, t.env); err != nil {
		return err
	}
	if f := fs.Lookup("config"); f != nil {
		file = f.Value.String()
	}
	if file != "" {
		fs.Visit(func(f *pflag.Flag) {
			if f.Name != "config" && f.Name != "listen" { // which listenOn sees to
				given[f.Name] = f.Value.String()
			}
		})
		if err := c.readFile(file); err != nil {
			return err
		}
		for name, value := range given {
			if err := fs.Set(name, value); err != nil {
				return err
			}
		}
	}
	c.listenOn(*listen)
	return c.complete()
}

// listenOn replaces the listeners by those of the command line.
func (c *config) listenOn(addresses []string) {
	if len(addresses) == 0 && c.firstLook && len(c.Listeners) == 0 {
		addresses = []string{"127.0.0.1:8443"}
	}
	if len(addresses) > 0 {
		c.Listeners = nil
	}
	for _, a := range addresses {
		c.Listeners = append(c.Listeners, listener{Address: a, PlainHTTP: c.firstLook})
	}
}

// dataHome follows the XDG base directory specification.
func dataHome(t terminal) string {
	if dir, ok := t.env("XDG_DATA_HOME"); ok && filepath.IsAbs(dir) {
		return dir
	}
	if home, ok := t.env("HOME"); ok && home != "" {
		return filepath.Join(home, ".local", "share")
	}
	return filepath.Join(os.TempDir(), "seawall-data")
}

// private makes the data directory, readable by its owner alone.
func private(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the data directory: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("others may read the data directory: run `chmod 700 %s`: %w", dir, err)
	}
	return nil
}
