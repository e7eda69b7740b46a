package translog

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// publicKey derives the public key from a private one, "PRIVATE+KEY+name+hash+key".
func publicKey(private string) (string, error) {
	fields := strings.SplitN(private, "+", 5)
	if len(fields) != 5 {
		return "", errors.New("the audit log's key is malformed")
	}
	raw, err := base64.StdEncoding.DecodeString(fields[4])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return "", errors.New("the audit log's key is malformed")
	}
	defer clear(raw)
	return note.NewEd25519VerifierKey(fields[2], ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey))
}
