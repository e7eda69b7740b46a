package translog

import (
	"crypto/ed25519"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// publicKey derives the public key from a private one, "PRIVATE+KEY+name+hash+key".
func publicKey(private string) (string, error) {
	fields := strings.SplitN(private, "+", 5)
	seed, err := privateSeed(fields)
	if err != nil {
		return "", err
	}
	defer clear(seed)
	return note.NewEd25519VerifierKey(fields[2], ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))
}
