package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/seawall/seawall/scan/advisory"
	"github.com/seawall/seawall/scan/advisory/feed"
	"github.com/seawall/seawall/scan/database"
)

const dbLong = `The advisory database is compiled on this machine from public sources, or imported from somebody whose key is trusted.
The last good database stays in use whatever happens to an update.

Public keys of those whose exports are imported lie in DIR/keys/*.pub, a key a line.

` + exitCodes

// dbFlags are what all commands about the database share.
type dbFlags struct {
	dir    string
	output string
}

func newDB(t terminal) *cobra.Command {
	f := &dbFlags{}
	cmd := &cobra.Command{Use: "db", Short: "Fetch, check and carry the advisory database", Long: dbLong, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.PersistentFlags().StringVar(&f.dir, "db-dir", defaultDirs(t).db, "`DIR` of the advisory database")
	cmd.PersistentFlags().StringVarP(&f.output, "output", "o", "text", "text or json")
	cmd.AddCommand(newDBUpdate(t, f), newDBBuild(t, f), newDBStatus(t, f), newDBVerify(t, f), newDBExport(t, f), newDBImport(t, f), newDBKeygen(t, f), newDBAffected(t, f))
	for _, sub := range cmd.Commands() {
		run := sub.RunE
		sub.RunE = func(cmd *cobra.Command, args []string) error {
			if f.output != "text" && f.output != "json" {
				return usagef("unknown output %q: want text or json", f.output)
			}
			if err := run(cmd, args); err != nil {
				return dbError(err)
			}
			return nil
		}
	}
	return cmd
}

func dbError(err error) error {
	var already exitError
	if errors.As(err, &already) {
		return err
	}
	return exitError{code: exitUsage, err: err}
}

// print writes v as JSON or lets text write it.
func (f *dbFlags) print(t terminal, v any, text func(io.Writer) error) error {
	if f.output == "json" {
		return json.NewEncoder(t.out).Encode(v)
	}
	return text(t.out)
}

// updateFlags are those of update and build.
type updateFlags struct {
	config  feed.Config
	keyFile string
	quiet   bool
}

func (u *updateFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringSliceVar(&u.config.Ecosystems, "ecosystems", nil, "only these OSV `ECOSYSTEMS` (Debian,npm,…; default: all)")
	fs.StringVar(&u.config.KEV, "kev", "", "`URL or FILE` of CISA's catalogue, or none")
	fs.StringVar(&u.config.EPSS, "epss", "", "`URL or FILE` of FIRST's scores, or none")
	fs.StringVar(&u.config.DebianTracker, "debian-tracker", "", "`URL or FILE` of Debian's security tracker, or none")
	fs.StringArrayVar(&u.config.AlpineSecDB, "alpine-secdb", nil, "`URL or FILE` of an Alpine secdb; may be repeated")
	fs.BoolVar(&u.config.AcceptShrink, "accept-shrink", false, "accept a database that has lost more than a tenth of something")
	fs.StringVar(&u.keyFile, "sign-key", "", "sign the new database with the private key in this `FILE`")
	fs.BoolVar(&u.config.Download.Insecure, "insecure", false, "allow plain HTTP and unverified certificates")
	fs.BoolVarP(&u.quiet, "quiet", "q", false, "show no progress")
}

func newDBUpdate(t terminal, f *dbFlags) *cobra.Command {
	var u updateFlags
	cmd := &cobra.Command{
		Use:   "update",
		Short: "Fetch what has changed and compile it",
		Long: `Update fetches the public sources, or those of a mirror or directory, as far as they changed since the last time,
compiles them and puts the result in place. Proxies are taken from HTTPS_PROXY and NO_PROXY. An interrupted download goes
on where it stopped.`,
		Example: `  seawall db update
  seawall db update --ecosystems Debian,Alpine,npm,PyPI,Go
  seawall db update --from https://mirror.example/osv
  seawall db update --from ./sources`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return u.run(cmd, t, f) },
	}
	u.register(cmd)
	cmd.Flags().StringVar(&u.config.From, "from", "", "`URL or DIR` laid out as OSV's bucket is (default: the public sources)")
	return cmd
}

func newDBBuild(t terminal, f *dbFlags) *cobra.Command {
	var u updateFlags
	cmd := &cobra.Command{
		Use:     "build DIR",
		Short:   "Compile the sources in a directory, without any network",
		Example: "  seawall db build ./sources --db-dir ./db --sign-key builder.key",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if info, err := os.Stat(args[0]); err != nil || !info.IsDir() {
				return usagef("%s is not a directory of sources", args[0])
			}
			u.config.From = args[0]
			return u.run(cmd, t, f)
		},
	}
	u.register(cmd)
	return cmd
}

func (u *updateFlags) run(cmd *cobra.Command, t terminal, f *dbFlags) error {
	if u.keyFile != "" {
		key, err := readBounded(u.keyFile, 1<<16)
		if err != nil {
			return fmt.Errorf("reading the signing key: %w", err)
		}
		u.config.Key = string(key)
	}
	m := newMeter(t.err, u.quiet)
	u.config.Dir, u.config.Database = f.dir, database.Compiler{}
	u.config.Download.Progress = m.bytes
	r, err := feed.Update(cmd.Context(), u.config)
	m.finish()
	if err != nil {
		return err
	}
	return f.print(t, r, func(w io.Writer) error { return printUpdate(w, &r) })
}

func printUpdate(w io.Writer, r *feed.Report) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "SOURCE\tSTATE\tRECORDS\tNEWEST\t")
	for _, s := range r.Sources {
		fmt.Fprintf(tw, "%s\t%s\t%d\t%s\t%s\n", s.Name, s.State, s.Records, day(s.Newest), s.Error)
		for _, c := range s.Complaints {
			fmt.Fprintf(tw, "\t  left out: %s\t\t\t\n", c)
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if r.UpToDate {
		_, err := fmt.Fprintln(w, "nothing has changed")
		return err
	}
	_, err := fmt.Fprintf(w, "%d records, %.1f MiB, built in %s\n", r.Database.Records, float64(r.Database.Size)/(1<<20), r.Elapsed.Round(100*time.Millisecond))
	return err
}

func newDBStatus(t terminal, f *dbFlags) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show what is in the database and how old it is", Args: cobra.NoArgs,
		Example: "  seawall db status\n  seawall db status -o json",
		RunE: func(*cobra.Command, []string) error {
			keys, err := feed.TrustedKeys(f.dir)
			if err != nil {
				return err
			}
			s, err := feed.Status(f.dir, database.Compiler{}, keys)
			if errors.Is(err, feed.ErrNoDatabase) {
				return f.printStarter(t)
			}
			if err != nil {
				return err
			}
			return f.print(t, s, func(w io.Writer) error { return printStatus(w, &s) })
		},
	}
}

func (f *dbFlags) printStarter(t terminal) error {
	db, err := advisory.Starter()
	if err != nil {
		return err
	}
	defer db.Close()
	info := db.Info()
	return f.print(t, info, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "no database in %s: only the %d advisories of the built-in starter set\nrun `seawall db update`\n", f.dir, info.Records)
		return err
	})
}

func printStatus(w io.Writer, s *feed.DatabaseStatus) error {
	signer := s.Signer
	if signer == "" {
		signer = "nobody that is trusted; built here or unsigned"
	}
	fmt.Fprintf(w, "%s\n%d records, %.1f MiB, format %d\nbuilt     %s (%s ago)\nnewest    %s\nsigned by %s\ndigest    %s\n\n",
		s.Path, s.Records, float64(s.Size)/(1<<20), s.Schema, s.BuiltAt.Format(time.RFC3339), age(s.Age(time.Now())), day(s.Newest), signer, s.Digest)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "ECOSYSTEM\tRECORDS\tNEWEST")
	for _, e := range s.Ecosystems {
		fmt.Fprintf(tw, "%s\t%d\t%s\n", e.Name, e.Records, day(e.Newest))
	}
	return tw.Flush()
}

// age in the largest unit that says something.
func age(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
	return d.Round(time.Minute).String()
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.DateOnly)
}

func newDBVerify(t terminal, f *dbFlags) *cobra.Command {
	return &cobra.Command{
		Use: "verify", Short: "Read the whole database and check it", Args: cobra.NoArgs,
		Example: "  seawall db verify",
		RunE: func(*cobra.Command, []string) error {
			keys, err := feed.TrustedKeys(f.dir)
			if err != nil {
				return err
			}
			s, err := feed.Status(f.dir, database.Compiler{}, keys)
			if err != nil {
				return err
			}
			return f.print(t, map[string]any{"digest": s.Digest, "records": s.Records, "signer": s.Signer, "intact": true}, func(w io.Writer) error {
				fmt.Fprintf(w, "intact: %d records, %s\n", s.Records, s.Digest)
				if s.Signer != "" {
					fmt.Fprintf(w, "signed by %s\n", s.Signer)
				}
				return nil
			})
		},
	}
}

func newDBExport(t terminal, f *dbFlags) *cobra.Command {
	var keyFile string
	cmd := &cobra.Command{
		Use: "export FILE", Short: "Write the database to one signed file, for a site without network", Args: cobra.ExactArgs(1),
		Example: "  seawall db keygen alice --out alice\n  seawall db export --sign-key alice.key advisories.seawall",
		RunE: func(_ *cobra.Command, args []string) error {
			if keyFile == "" {
				return usagef("an export must be signed: give --sign-key FILE (`seawall db keygen` makes one)")
			}
			if err := replaceable(args[0]); err != nil {
				return err
			}
			key, err := readBounded(keyFile, 1<<16)
			if err != nil {
				return fmt.Errorf("reading the signing key: %w", err)
			}
			if err := feed.Export(database.Compiler{}, feed.DatabasePath(f.dir), string(key), args[0]); err != nil {
				return err
			}
			return f.print(t, map[string]string{"file": args[0]}, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "wrote %s\n", args[0])
				return err
			})
		},
	}
	cmd.Flags().StringVar(&keyFile, "sign-key", "", "private key `FILE`")
	return cmd
}

func newDBImport(t terminal, f *dbFlags) *cobra.Command {
	var keyFiles []string
	c := feed.ImportConfig{Database: database.Compiler{}}
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Take a database that a trusted key has signed", Args: cobra.ExactArgs(1),
		Example: "  seawall db import --key alice.pub advisories.seawall",
		RunE: func(_ *cobra.Command, args []string) error {
			var err error
			c.Dir, c.Bundle = f.dir, args[0]
			if c.Trusted, err = feed.TrustedKeys(f.dir); err != nil {
				return err
			}
			for _, name := range keyFiles {
				key, err := readBounded(name, 1<<16)
				if err != nil {
					return fmt.Errorf("reading a trusted key: %w", err)
				}
				c.Trusted = append(c.Trusted, string(key))
			}
			r, err := feed.Import(c)
			if err != nil {
				return err
			}
			return f.print(t, r, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "imported %d records, built %s, signed by %s\n", r.Database.Records, r.Database.BuiltAt.Format(time.RFC3339), r.Signer)
				return err
			})
		},
	}
	fs := cmd.Flags()
	fs.StringArrayVar(&keyFiles, "key", nil, "trust the public key in this `FILE`, beside DIR/keys; may be repeated")
	fs.BoolVar(&c.AcceptShrink, "accept-shrink", false, "accept a database that has lost more than a tenth of something")
	fs.BoolVar(&c.AllowOlder, "allow-older", false, "accept a database older than the one in use")
	return cmd
}

func newDBKeygen(t terminal, f *dbFlags) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "keygen NAME", Short: "Make a key pair for signing databases", Args: cobra.ExactArgs(1),
		Example: "  seawall db keygen builder --out builder   # writes builder.key and builder.pub",
		RunE: func(_ *cobra.Command, args []string) error {
			if out == "" {
				out = filepath.Base(args[0])
			}
			private, public, err := feed.GenerateKey(args[0])
			if err != nil {
				return err
			}
			if err := writeNew(out+".key", private, 0o600); err != nil {
				return err
			}
			if err := writeNew(out+".pub", public, 0o644); err != nil {
				return err
			}
			return f.print(t, map[string]string{"private": out + ".key", "public": out + ".pub"}, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "wrote %s.key (keep it secret) and %s.pub\n", out, out)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write to `PREFIX`.key and PREFIX.pub (default: NAME)")
	return cmd
}

// writeNew never overwrites: a lost key cannot be had back.
func writeNew(name, text string, mode os.FileMode) error {
	w, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("writing the key: %w", err)
	}
	_, err = io.WriteString(w, text+"\n")
	return errors.Join(err, w.Close())
}
