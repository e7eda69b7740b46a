package feed

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func newKey(t *testing.T, name string) (private, public string) {
	t.Helper()
	private, public, err := GenerateKey(name)
	if err != nil {
		t.Fatal(err)
	}
	return private, public
}

// exported makes a database of n records, built on the given day, and exports it.
func exported(t *testing.T, n, day int, key string) (c Config, bundle string) {
	t.Helper()
	b := newBucket(t)
	b.putOSV("npm", manyJSON("npm", n)...)
	c = fixture(t, b)
	c.Now = func() time.Time { return time.Date(2026, 3, day, 0, 0, 0, 0, time.UTC) }
	mustUpdate(t, c)
	bundle = filepath.Join(t.TempDir(), "bundle")
	if err := Export(fakeDatabase{}, paths(c.Dir).database(), key, bundle); err != nil {
		t.Fatal(err)
	}
	return c, bundle
}

func TestExportImport(t *testing.T) {
	private, public := newKey(t, "acme")
	from, bundle := exported(t, 100, 2, private)
	dir := filepath.Join(t.TempDir(), "new")
	got, err := Import(ImportConfig{Dir: dir, Database: fakeDatabase{}, Bundle: bundle, Trusted: []string{public}})
	if err != nil || got.Database.Records != 100 || got.Signer != "acme" {
		t.Fatalf("%+v, %v", got, err)
	}
	want, _ := os.ReadFile(paths(from.Dir).database())
	have, _ := os.ReadFile(paths(dir).database())
	if !bytes.HasPrefix(have, want) {
		t.Error("the database is another")
	}
	s, err := Status(dir, fakeDatabase{}, []string{public})
	if err != nil || s.Signer != got.Signer {
		t.Errorf("%v, signer %q", err, s.Signer)
	}
	if s, _ = Status(dir, fakeDatabase{}, nil); s.Signer != "" {
		t.Errorf("without trusted keys the signer is %q", s.Signer)
	}
}

func TestImportRefuses(t *testing.T) {
	private, public := newKey(t, "acme")
	other, _ := newKey(t, "mallory")
	same, _ := newKey(t, "acme") // the same name, another key
	unsigned, good := exported(t, 100, 2, private)
	_, strange := exported(t, 100, 2, other)
	_, imposter := exported(t, 100, 2, same)
	_, older := exported(t, 100, 1, private)
	_, smaller := exported(t, 50, 3, private)

	data, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	variant := func(change func([]byte) []byte) string {
		path := filepath.Join(t.TempDir(), "variant")
		if err := os.WriteFile(path, change(bytes.Clone(data)), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	dir := t.TempDir()
	c := ImportConfig{Dir: dir, Database: fakeDatabase{}, Bundle: good}
	if _, err := Import(c); !errors.Is(err, ErrUnsigned) {
		t.Errorf("without a trusted key: %v", err)
	}
	c.Trusted = []string{public}
	if _, err := Import(c); err != nil {
		t.Fatal(err)
	}
	// A signed database that is not compressed is an export too: what is altered in it must be found as well.
	signed, err := os.ReadFile(paths(dir).database())
	if err != nil {
		t.Fatal(err)
	}
	signedVariant := func(change func([]byte) []byte) string {
		return variant(func([]byte) []byte { return change(bytes.Clone(signed)) })
	}
	for name, refused := range map[string]struct {
		bundle string
		want   error
	}{
		"another key":            {strange, ErrUnsigned},
		"another key, same name": {imposter, ErrUnsigned},
		"older":                  {older, ErrOlder},
		"empty":                  {variant(func([]byte) []byte { return nil }), ErrNotBundle},
		"something else":         {variant(func([]byte) []byte { return []byte("PK\x03\x04 and so on") }), ErrAltered},
		"cut short":              {variant(func(b []byte) []byte { return b[:len(b)-5] }), ErrAltered},
		"altered":                {variant(func(b []byte) []byte { b[len(b)/2] ^= 1; return b }), ErrAltered},
		"not signed":             {paths(unsigned.Dir).database(), ErrUnsigned},
		"altered content":        {signedVariant(func(b []byte) []byte { return bytes.Replace(b, []byte("T-npm-7"), []byte("T-npm-8"), 1) }), ErrAltered},
		"altered checksum": {signedVariant(func(b []byte) []byte {
			body := bytes.Replace(bytes.Split(b, []byte("\n"))[1], []byte("T-npm-7"), []byte("T-npm-x"), 1)
			sum := sha256.Sum256(body)
			rest := b[bytes.IndexByte(b, '\n')+1:]
			rest = rest[bytes.IndexByte(rest, '\n')+1:]
			return fmt.Appendf(nil, "%x\n%s\n%s", sum, body, rest)
		}), ErrUnsigned},
	} {
		c.Bundle = refused.bundle
		if _, err := Import(c); !errors.Is(err, refused.want) {
			t.Errorf("%s: got %v, want %v", name, err, refused.want)
		}
	}
	c.Bundle = smaller
	var shrunk *ShrinkError
	if _, err := Import(c); !errors.As(err, &shrunk) {
		t.Errorf("smaller: got %v", err)
	}
	if info, err := (fakeDatabase{}).Inspect(paths(dir).database()); err != nil || info.Records != 100 {
		t.Errorf("the database in use: %+v, %v", info, err)
	}
	c.AcceptShrink, c.AllowOlder = true, true
	for _, bundle := range []string{smaller, older} {
		c.Bundle = bundle
		if _, err := Import(c); err != nil {
			t.Errorf("allowed: %v", err)
		}
	}
}

func TestUpdateSigns(t *testing.T) {
	private, public := newKey(t, "acme")
	b := newBucket(t)
	b.putOSV("npm", manyJSON("npm", 10)...)
	c := fixture(t, b)
	c.Key = private
	mustUpdate(t, c)
	s, err := Status(c.Dir, fakeDatabase{}, []string{public})
	if err != nil || s.Signer != "acme" {
		t.Errorf("%v, signer %q", err, s.Signer)
	}
	c.Key = ""
	b.putOSV("npm", manyJSON("npm", 11)...)
	mustUpdate(t, c)
	if s, _ = Status(c.Dir, fakeDatabase{}, []string{public}); s.Signer != "" {
		t.Errorf("an unsigned database is said to be signed by %s", s.Signer)
	}
}

func TestTrustedKeys(t *testing.T) {
	dir := t.TempDir()
	_, public := newKey(t, "acme")
	if keys, err := TrustedKeys(dir); err != nil || keys != nil {
		t.Errorf("%v, %v", keys, err)
	}
	path := filepath.Join(dir, "keys", "acme.pub")
	for text, ok := range map[string]bool{"# ours\n" + public + "\n": true, "nonsense\n": false} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
		if keys, err := TrustedKeys(dir); (err == nil) != ok || ok && (len(keys) != 1 || keys[0] != public) {
			t.Errorf("%q: %v, %v", text, keys, err)
		}
	}
	if _, _, err := GenerateKey("two words"); err == nil {
		t.Error("a key name of two words: no error")
	}
}

// FuzzImport gives any bytes to the import: nothing unsigned may pass.
func FuzzImport(f *testing.F) {
	f.Add([]byte("\x28\xb5\x2f\xfd and what follows"))
	f.Add([]byte("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n{}\nnote"))
	_, public, err := GenerateKey("acme")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		bundle := filepath.Join(dir, "bundle")
		if err := os.WriteFile(bundle, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Import(ImportConfig{Dir: dir, Database: fakeDatabase{}, Bundle: bundle, Trusted: []string{public}}); err == nil {
			t.Error("it passed")
		}
	})
}
