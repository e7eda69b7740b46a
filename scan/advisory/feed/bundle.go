package feed

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"
)

// maxDatabase bounds an imported database, in bytes. One of all public records has about 150 MiB.
const maxDatabase = 4 << 30

// Reasons for which an import is refused.
var (
	ErrNotBundle = errors.New("it is not an export of an advisory database")
	ErrUnsigned  = errors.New("no trusted key has signed it: add the exporter's public key to the trusted ones, if you trust it")
	ErrAltered   = errors.New("it is no whole export: altered, cut short or something else")
	ErrOlder     = errors.New("it is older than the database in use: allow older ones if you mean to go back")
)

// Export writes the database at dbPath, signed with the private key, to the file out, which Import takes elsewhere:
// one zstd frame around the signed database. The database is verified first: nothing broken is signed.
func Export(db Database, dbPath, key, out string) error {
	if _, err := db.Inspect(dbPath); err != nil {
		return fmt.Errorf("checking the database before its export: %w", err)
	}
	signed, err := signedCopy(db, dbPath, key, filepath.Dir(out))
	if err != nil {
		return fmt.Errorf("exporting the database: %w", err)
	}
	defer os.Remove(signed)
	if err := compressFile(signed, out); err != nil {
		return fmt.Errorf("exporting the database: %w", err)
	}
	return nil
}

// signedCopy leaves the database in use as it is.
func signedCopy(db Database, dbPath, key, dir string) (path string, err error) {
	in, err := os.Open(dbPath)
	if err != nil {
		return "", err
	}
	defer in.Close()
	tmp, err := os.CreateTemp(dir, ".advisories.*")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(tmp, in)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = db.Sign(tmp.Name(), key)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
		return "", err
	}
	return tmp.Name(), nil
}

// compressFile writes path, compressed, to out in one step.
func compressFile(path, out string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	tmp, err := os.CreateTemp(filepath.Dir(out), "."+filepath.Base(out)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	z, err := zstd.NewWriter(tmp)
	if err != nil {
		return errors.Join(err, tmp.Close())
	}
	_, err = io.Copy(z, in)
	if err = errors.Join(err, z.Close(), tmp.Chmod(0o644), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), out); err != nil {
		return err
	}
	return syncDir(filepath.Dir(out))
}

// ImportConfig says what to import and whom to trust.
type ImportConfig struct {
	Dir      string // the database directory
	Database Database
	Bundle   string   // the exported file; a signed database that is not compressed is taken too
	Trusted  []string // public keys; see TrustedKeys. Without any, every import is refused
	// AcceptShrink and AllowOlder let a database in that is refused otherwise.
	AcceptShrink, AllowOlder bool
}

// Imported says what an import did.
type Imported struct {
	Database Info     `json:"database"`
	Signer   string   `json:"signer"` // the key's name
	Changes  []Change `json:"changes,omitempty"`
}

// Import checks an exported database and puts it in place of the one in use. Errors wrap ErrNotBundle, ErrUnsigned,
// ErrAltered or ErrOlder, or are a *ShrinkError; the database in use then stays.
func Import(c ImportConfig) (out Imported, err error) {
	if c.Dir == "" || c.Database == nil {
		return out, errors.New("an import needs a directory and a database format")
	}
	p := paths(c.Dir)
	release, err := p.acquire()
	if err != nil {
		return out, err
	}
	defer release()
	p.sweep()
	defer os.Remove(p.building())
	if out, err = c.check(p); err != nil {
		return out, fmt.Errorf("importing %s: %w", c.Bundle, err)
	}
	return out, p.install(p.building())
}

// check unpacks the database beside the one in use and compares the two.
func (c *ImportConfig) check(p paths) (out Imported, err error) {
	if err := unpackBundle(c.Bundle, p.building()); err != nil {
		return out, err
	}
	if out.Database, err = c.Database.Inspect(p.building()); err != nil {
		return out, fmt.Errorf("%w: %w", ErrAltered, err)
	}
	if len(c.Trusted) == 0 {
		return out, ErrUnsigned
	}
	if out.Signer, err = c.Database.Verify(p.building(), c.Trusted); err != nil {
		return out, fmt.Errorf("%w: %w", ErrUnsigned, err)
	}
	before, err := c.Database.Inspect(p.database())
	if err != nil {
		return out, nil // nothing in use that could be lost
	}
	if out.Database.BuiltAt.Before(before.BuiltAt) && !c.AllowOlder {
		return out, fmt.Errorf("%w (built %s, the one in use %s)", ErrOlder,
			out.Database.BuiltAt.Format(time.RFC3339), before.BuiltAt.Format(time.RFC3339))
	}
	out.Changes = compare(before, out.Database)
	if err := shrink(out.Changes); err != nil && !c.AcceptShrink {
		return out, err
	}
	return out, nil
}

// unpackBundle unpacks the database to path, durably.
func unpackBundle(bundle, path string) error {
	f, err := os.Open(bundle)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewReader(f)
	if head, err := in.Peek(8); err != nil || len(head) < 8 {
		return ErrNotBundle
	}
	r, done, err := unpack(in)
	if err != nil {
		return ErrNotBundle
	}
	defer done()
	out, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	n, err := io.Copy(out, io.LimitReader(r, maxDatabase+1))
	switch {
	case err != nil:
		err = fmt.Errorf("%w: unpacking it: %w", ErrAltered, err)
	case n > maxDatabase:
		err = fmt.Errorf("it unpacks to more than %d GiB", int64(maxDatabase>>30))
	}
	return errors.Join(err, out.Sync(), out.Close())
}
