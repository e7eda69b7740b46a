package feed

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/mod/sumdb/note"
)

// An export is one file:
//
//	seawall-advisories 1\n
//	<length of the note in bytes, decimal>\n
//	<the note, signed: golang.org/x/mod/sumdb/note>
//	<the compiled database, zstd>
//
// The note's text, a field a line, names what it speaks of:
//
//	seawall advisory database
//	schema 1
//	built 2026-11-20T06:00:00Z
//	newest 2026-11-20T05:12:44Z
//	records 46413
//	digest sha256:…
//	file sha256:… 15234412
const (
	bundleMagic = "seawall-advisories 1\n"
	noteTitle   = "seawall advisory database"
	maxNote     = 64 << 10
	maxDatabase = 4 << 30
)

// Reasons for which an import is refused.
var (
	ErrNotBundle = errors.New("it is not an export of an advisory database")
	ErrUnsigned  = errors.New("no trusted key has signed it: put the exporter's public key where the trusted ones lie, if you trust it")
	ErrAltered   = errors.New("it is not what was signed: it was altered or cut short")
	ErrOlder     = errors.New("it is older than the database in use")
)

// GenerateKey makes a key pair. Both are one line of text; the private one signs exports (keep it secret), the
// public one goes into keys/ of those who import them. name says whose it is, without spaces and "+".
func GenerateKey(name string) (private, public string, err error) {
	if name == "" || strings.ContainsAny(name, "+ \t\n") {
		return "", "", fmt.Errorf("key name %q: want one word without \"+\"", name)
	}
	return note.GenerateKey(rand.Reader, name)
}

// TrustedKeys reads the public keys of DIR/keys/*.pub, a key a line. None is no error.
func TrustedKeys(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(globEscape(dir), "keys", "*.pub"))
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading a trusted key: %w", err)
		}
		for line := range strings.Lines(string(data)) {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			if _, err := note.NewVerifier(line); err != nil {
				return nil, fmt.Errorf("trusted key in %s: %w", path, err)
			}
			keys = append(keys, line)
		}
	}
	return keys, nil
}

// statement is what a note says.
type statement struct {
	schema  int
	built   time.Time
	newest  time.Time
	records int
	digest  string
	sum     string // hex sha256 of the file
	size    int64
}

func (s statement) text() string {
	return fmt.Sprintf("%s\nschema %d\nbuilt %s\nnewest %s\nrecords %d\ndigest %s\nfile sha256:%s %d\n", noteTitle, s.schema,
		s.built.UTC().Format(time.RFC3339), s.newest.UTC().Format(time.RFC3339), s.records, s.digest, s.sum, s.size)
}

func parseStatement(text string) (s statement, err error) {
	fields := map[string]string{}
	title, rest, _ := strings.Cut(text, "\n")
	for line := range strings.Lines(rest) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		fields[name] = value
	}
	if title != noteTitle {
		return s, fmt.Errorf("the signed text is about something else: %.40q", title)
	}
	sum, size, _ := strings.Cut(strings.TrimPrefix(fields["file"], "sha256:"), " ")
	var errs [5]error
	s.schema, errs[0] = strconv.Atoi(fields["schema"])
	s.built, errs[1] = time.Parse(time.RFC3339, fields["built"])
	s.newest, errs[2] = time.Parse(time.RFC3339, fields["newest"])
	s.records, errs[3] = strconv.Atoi(fields["records"])
	s.size, errs[4] = strconv.ParseInt(size, 10, 64)
	s.digest, s.sum = fields["digest"], sum
	if err := errors.Join(errs[:]...); err != nil || len(sum) != 64 {
		return s, fmt.Errorf("the signed text cannot be read: %w", err)
	}
	if s.size < 0 || s.size > maxDatabase {
		return s, fmt.Errorf("it says that the database has %d bytes: at most %d are read", s.size, int64(maxDatabase))
	}
	return s, nil
}

// signDatabase returns the signed note about the database at path.
func signDatabase(path string, info Info, key string) ([]byte, error) {
	signer, err := note.NewSigner(strings.TrimSpace(key))
	if err != nil {
		return nil, fmt.Errorf("reading the private key: %w", err)
	}
	in := input{Name: "database", Path: path}
	if err := describeFile(&in); err != nil {
		return nil, err
	}
	s := statement{info.Schema, info.BuiltAt, info.Newest, info.Records, info.Digest, in.SHA256, in.Size}
	return note.Sign(&note.Note{Text: s.text()}, signer)
}

// openNote checks the signature and returns what was signed and by whom.
func openNote(signed []byte, trusted []string) (s statement, signer string, err error) {
	var known []note.Verifier
	for _, key := range trusted {
		v, err := note.NewVerifier(strings.TrimSpace(key))
		if err != nil {
			return s, "", fmt.Errorf("reading a trusted key: %w", err)
		}
		known = append(known, v)
	}
	n, err := note.Open(signed, note.VerifierList(known...))
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case errors.As(err, &unverified):
		return s, "", fmt.Errorf("%w (signed by %s)", ErrUnsigned, signersOf(unverified.Note))
	case errors.As(err, &invalid):
		return s, "", fmt.Errorf("%w (the signature of %s does not fit)", ErrAltered, invalid.Name)
	case err != nil:
		return s, "", fmt.Errorf("%w: its signed note: %w", ErrNotBundle, err)
	}
	s, err = parseStatement(n.Text)
	return s, keyID(n.Sigs[0]), err
}

func keyID(s note.Signature) string { return fmt.Sprintf("%s+%08x", s.Name, s.Hash) }

func signersOf(n *note.Note) string {
	var names []string
	for _, s := range slices.Concat(n.Sigs, n.UnverifiedSigs) {
		names = append(names, keyID(s))
	}
	if names == nil {
		return "nobody"
	}
	return strings.Join(names, ", ")
}

// Export writes the database at dbPath and a signature of it to one file, out, which Import takes elsewhere. key is
// the private key. The database is verified first: nothing broken is signed.
func Export(db Database, dbPath, key, out string) (err error) {
	info, err := db.Inspect(dbPath)
	if err != nil {
		return fmt.Errorf("checking the database before its export: %w", err)
	}
	signed, err := signDatabase(dbPath, info, key)
	if err != nil {
		return err
	}
	in, err := os.Open(dbPath)
	if err != nil {
		return fmt.Errorf("exporting the database: %w", err)
	}
	defer in.Close()
	tmp, err := os.CreateTemp(filepath.Dir(out), "."+filepath.Base(out)+".*")
	if err != nil {
		return fmt.Errorf("exporting the database: %w", err)
	}
	err = writeBundle(tmp, signed, in)
	if err = errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), out)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
		return fmt.Errorf("exporting the database: %w", err)
	}
	return nil
}

func writeBundle(w io.Writer, signed []byte, db io.Reader) error {
	if _, err := fmt.Fprintf(w, "%s%d\n%s", bundleMagic, len(signed), signed); err != nil {
		return err
	}
	z, err := zstd.NewWriter(w)
	if err != nil {
		return err
	}
	_, err = io.Copy(z, db)
	return errors.Join(err, z.Close())
}

// ImportConfig says what to import and whom to trust.
type ImportConfig struct {
	Dir      string // the database directory
	Database Database
	Bundle   string   // the exported file
	Trusted  []string // public keys; see TrustedKeys
	// AcceptShrink and AllowOlder let a database in that is refused otherwise.
	AcceptShrink, AllowOlder bool
}

// Imported says what an import did.
type Imported struct {
	Database Info     `json:"database"`
	Signer   string   `json:"signer"` // the key's name and hash
	Changes  []Change `json:"changes,omitempty"`
}

// Import checks an exported database and puts it in place of the one in use. Errors wrap ErrNotBundle, ErrUnsigned,
// ErrAltered, ErrOlder or are a *ShrinkError; the database in use then stays.
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
	signed, s, signer, err := unpackBundle(c.Bundle, c.Trusted, p.building())
	if err != nil {
		return out, fmt.Errorf("importing %s: %w", c.Bundle, err)
	}
	out.Signer = signer
	if out.Database, err = c.Database.Inspect(p.building()); err != nil {
		return out, fmt.Errorf("importing %s: %w", c.Bundle, err)
	}
	if err := c.check(&out, s, p); err != nil {
		return out, fmt.Errorf("importing %s: %w", c.Bundle, err)
	}
	return out, p.install(p.building(), signed)
}

// check compares what came with what was signed and with what is in use.
func (c *ImportConfig) check(out *Imported, s statement, p paths) error {
	if out.Database.Digest != s.digest || out.Database.Schema != s.schema {
		return ErrAltered
	}
	before, err := c.Database.Inspect(p.database())
	if err != nil {
		return nil // nothing in use that could be lost
	}
	if out.Database.BuiltAt.Before(before.BuiltAt) && !c.AllowOlder {
		return fmt.Errorf("%w: built %s, the one in use %s; allow older ones if you mean to go back", ErrOlder,
			out.Database.BuiltAt.Format(time.RFC3339), before.BuiltAt.Format(time.RFC3339))
	}
	out.Changes = compare(before, out.Database)
	if err := shrink(out.Changes); err != nil && !c.AcceptShrink {
		return err
	}
	return nil
}

// unpackBundle verifies the note, then unpacks the database to path and compares it with the note.
func unpackBundle(bundle string, trusted []string, path string) (signed []byte, s statement, signer string, err error) {
	f, err := os.Open(bundle)
	if err != nil {
		return nil, s, "", err
	}
	defer f.Close()
	in := bufio.NewReader(f)
	if signed, err = readNote(in); err != nil {
		return nil, s, "", err
	}
	if s, signer, err = openNote(signed, trusted); err != nil {
		return nil, s, "", err
	}
	out, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, s, "", err
	}
	err = unpackDatabase(in, s, out)
	return signed, s, signer, errors.Join(err, out.Sync(), out.Close())
}

// readNote reads an export up to the database.
func readNote(in *bufio.Reader) ([]byte, error) {
	head := make([]byte, len(bundleMagic))
	if _, err := io.ReadFull(in, head); err != nil || string(head) != bundleMagic {
		return nil, ErrNotBundle
	}
	line := make([]byte, 0, 8)
	for len(line) < cap(line) {
		b, err := in.ReadByte()
		if err != nil {
			return nil, ErrNotBundle
		}
		if b == '\n' {
			break
		}
		line = append(line, b)
	}
	n, err := strconv.Atoi(string(line))
	if err != nil || n < 0 || n > maxNote {
		return nil, ErrNotBundle
	}
	signed := make([]byte, n)
	if _, err := io.ReadFull(in, signed); err != nil {
		return nil, fmt.Errorf("%w: it ends in the signed note", ErrAltered)
	}
	return signed, nil
}

func unpackDatabase(in io.Reader, s statement, out io.Writer) error {
	z, err := zstd.NewReader(in, zstd.WithDecoderMaxWindow(128<<20), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer z.Close()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, sum), io.LimitReader(z, s.size+1))
	if err != nil || n != s.size || hex.EncodeToString(sum.Sum(nil)) != s.sum {
		return ErrAltered
	}
	return nil
}
