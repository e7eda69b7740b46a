package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/encrypted"
)

// Algorithm is a kind of key that GenerateKey makes.
type Algorithm string

const (
	ECDSA   Algorithm = "ecdsa" // on P-256
	P384    Algorithm = "ecdsa-p384"
	Ed25519 Algorithm = "ed25519"
	RSA     Algorithm = "rsa" // of 3072 bits
)

// ErrPassword: the password does not open the key, or the file was altered.
var ErrPassword = errors.New("the password does not open the key")

const (
	pemEncrypted = "ENCRYPTED SIGSTORE PRIVATE KEY"
	pemCosign    = "ENCRYPTED COSIGN PRIVATE KEY" // before Cosign 2
	pemPKCS8     = "PRIVATE KEY"
	pemEC        = "EC PRIVATE KEY"
	pemRSA       = "RSA PRIVATE KEY"
)

// GenerateKey makes a private key.
func GenerateKey(a Algorithm) (crypto.Signer, error) {
	switch a {
	case ECDSA, "":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case P384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case Ed25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case RSA:
		return rsa.GenerateKey(rand.Reader, 3072)
	}
	return nil, fmt.Errorf("unknown algorithm %q: want ecdsa, ecdsa-p384, ed25519 or rsa", a)
}

// MarshalPrivateKey writes a private key in Cosign's form: PKCS #8, sealed by the password with scrypt and NaCl's
// secretbox. An empty password is one, as for Cosign: it hides the key from nobody.
func MarshalPrivateKey(key crypto.Signer, password []byte) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("writing the private key: %w", err)
	}
	sealed, err := encrypted.Encrypt(der, password)
	if err != nil {
		return nil, fmt.Errorf("sealing the private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemEncrypted, Bytes: sealed}), nil
}

// MarshalPublicKey writes a public key in PEM.
func MarshalPublicKey(key crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("writing the public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// Encrypted reports whether a private key file is sealed by a password, which may be empty.
func Encrypted(text []byte) bool {
	block, _ := pem.Decode(text)
	return block != nil && (block.Type == pemEncrypted || block.Type == pemCosign)
}

// ParsePrivateKey reads a private key: Cosign's form, or plain PEM in PKCS #8, SEC 1 or PKCS #1, for which the
// password is not used. A wrong password is ErrPassword.
func ParsePrivateKey(text, password []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no private key in PEM was found")
	}
	key, err := parsePrivateKey(block, password)
	if err != nil {
		return nil, fmt.Errorf("reading the private key: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of type %T cannot sign", key)
	}
	return signer, checkPublicKey(signer.Public())
}

func parsePrivateKey(block *pem.Block, password []byte) (any, error) {
	switch block.Type {
	case pemEncrypted, pemCosign:
		der, err := open(block.Bytes, password)
		if err != nil {
			return nil, err
		}
		return x509.ParsePKCS8PrivateKey(der)
	case pemPKCS8:
		return x509.ParsePKCS8PrivateKey(block.Bytes)
	case pemEC:
		return x509.ParseECPrivateKey(block.Bytes)
	case pemRSA:
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	return nil, fmt.Errorf("%s: want %s, or a plain key in PKCS #8, SEC 1 or PKCS #1", block.Type, pemEncrypted)
}

// open unseals a key. The library refuses files that ask for another cost of scrypt than its own three.
func open(sealed, password []byte) ([]byte, error) {
	der, err := encrypted.Decrypt(sealed, password)
	if err != nil {
		return nil, ErrPassword
	}
	return der, nil
}
