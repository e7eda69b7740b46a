package image

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// newHash returns the hash of a digest's algorithm; "" is sha256.
// Source: OCI image specification 1.1, descriptor.md, Registered algorithms.
func newHash(digest string) (algorithm string, h hash.Hash, err error) {
	algorithm, _, _ = strings.Cut(digest, ":")
	switch algorithm {
	case "", "sha256":
		return "sha256", sha256.New(), nil
	case "sha512":
		return "sha512", sha512.New(), nil
	}
	return "", nil, fmt.Errorf("digest %.100q: want sha256 or sha512", digest)
}

// checkDigest accepts "sha256:…" and "sha512:…" in lower-case hex of the right length: what follows is safe as a
// file name.
func checkDigest(digest string) error {
	algorithm, sum, _ := strings.Cut(digest, ":")
	want := map[string]int{"sha256": 64, "sha512": 128}[algorithm]
	if want == 0 || len(sum) != want || !isLowerHex(sum) {
		return fmt.Errorf("digest %.160q: want sha256 or sha512 in lower-case hex", digest)
	}
	return nil
}

func isLowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func sumString(algorithm string, h hash.Hash) string {
	return algorithm + ":" + hex.EncodeToString(h.Sum(nil))
}

// sha256Of is the digest of bytes in memory.
func sha256Of(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// verifyBytes checks bytes in memory against a digest.
func verifyBytes(b []byte, digest string) error {
	if err := checkDigest(digest); err != nil {
		return err
	}
	algorithm, h, err := newHash(digest)
	if err != nil {
		return err
	}
	h.Write(b)
	return compareDigest("content", digest, sumString(algorithm, h))
}

// compareDigest returns an ErrDigest that names both.
func compareDigest(what, want, have string) error {
	if want == have {
		return nil
	}
	return fmt.Errorf("%w: %s has %s, the image names %s", ErrDigest, what, have, want)
}
