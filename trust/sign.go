package trust

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	godigest "github.com/opencontainers/go-digest"
)

// Key signs. The private key may be anywhere: it is asked for signatures only.
type Key struct {
	signer crypto.Signer
	id     string
}

// NewKey takes a signer whose public key is one that ParsePublicKeys takes.
func NewKey(signer crypto.Signer) (*Key, error) {
	if err := checkPublicKey(signer.Public()); err != nil {
		return nil, fmt.Errorf("the signing key: %w", err)
	}
	return &Key{signer: signer, id: KeyID(signer.Public())}, nil
}

// ID is the KeyID of the public key.
func (k *Key) ID() string { return k.id }

// Public is the public key.
func (k *Key) Public() crypto.PublicKey { return k.signer.Public() }

// sign signs a message as Cosign verifies with a key: ECDSA and RSA (PKCS #1 v1.5) with SHA-256 whatever the key's size,
// Ed25519 plain.
func (k *Key) sign(message []byte) ([]byte, error) {
	if _, ok := k.signer.Public().(ed25519.PublicKey); ok {
		return k.signer.Sign(rand.Reader, message, crypto.Hash(0))
	}
	return k.signer.Sign(rand.Reader, sha256Of(message), crypto.SHA256)
}

// Options of Sign and Attest.
type Options struct {
	// Form is FormBundle or FormLegacy; "" is FormBundle.
	Form Form
	// Reference is what a legacy signature says that it was made for; "" is the subject's repository.
	Reference string
	// Annotations go into a legacy signature's payload.
	Annotations map[string]string
	// Now is the time that is written beside the signature; zero leaves it out.
	Now time.Time
	// Labels are annotations of a bundle's manifest: not signed, for whoever lists the referrers.
	Labels map[string]string
	// Replace removes older attestations of this key and predicate type, in bundles, if the Sink is a Deleter.
	Replace bool
}

// Sign signs an image and attaches the signature. It returns the digest of the manifest that holds it.
func (k *Key) Sign(ctx context.Context, to Sink, s Subject, o Options) (string, error) {
	if o.Form == FormLegacy {
		return k.signLegacy(ctx, to, s, o)
	}
	st, err := newStatement(s, predicateSign, nil)
	if err != nil {
		return "", err
	}
	return k.attach(ctx, to, s, st, o)
}

// Attest attaches a signed statement about an image: predicate is JSON of the predicate type. It returns the digest of
// the manifest that holds it.
func (k *Key) Attest(ctx context.Context, to Sink, s Subject, predicateType string, predicate []byte, o Options) (string, error) {
	if !json.Valid(predicate) {
		return "", errors.New("the predicate is no JSON")
	}
	st, err := newStatement(s, predicateType, predicate)
	if err != nil {
		return "", err
	}
	return k.attach(ctx, to, s, st, o)
}

func newStatement(s Subject, predicateType string, predicate []byte) (*statement, error) {
	algorithm, value, _ := strings.Cut(s.Digest, ":")
	if godigest.Digest(s.Digest).Validate() != nil || algorithm != "sha256" {
		return nil, fmt.Errorf("the image's digest %q is no SHA-256", s.Digest)
	}
	if predicateType == "" {
		return nil, errors.New("no predicate type is given")
	}
	return &statement{Type: statementV1, Subject: []resource{{Digest: map[string]string{algorithm: value}}},
		PredicateType: predicateType, Predicate: predicate}, nil
}

func (k *Key) attach(ctx context.Context, to Sink, s Subject, st *statement, o Options) (string, error) {
	switch o.Form {
	case FormBundle, "":
		return k.attachBundle(ctx, to, s, st, o)
	case FormLegacy:
		return k.attestLegacy(ctx, to, s, st)
	}
	return "", fmt.Errorf("unknown form %q: want %s or %s", o.Form, FormBundle, FormLegacy)
}
