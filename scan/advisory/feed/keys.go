package feed

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// GenerateKey makes a key pair. Both are one line of text; the private one signs databases (keep it secret), the
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
		more, err := readKeys(path)
		if err != nil {
			return nil, err
		}
		keys = append(keys, more...)
	}
	return keys, nil
}

func readKeys(path string) (keys []string, err error) {
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
	return keys, nil
}
