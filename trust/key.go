package trust

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
)

// KeyID is the SHA-256 of a public key in PKIX form, in hexadecimal; "" for a key that has no such form.
func KeyID(key crypto.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// ParsePublicKeys reads the public keys of a PEM text, of which there must be one. ECDSA on P-256, P-384 and P-521,
// Ed25519, and RSA from 2048 bits are taken.
func ParsePublicKeys(text []byte) ([]crypto.PublicKey, error) {
	var keys []crypto.PublicKey
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		key, err := parsePublicKey(block)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("no public key in PEM was found")
	}
	return keys, nil
}

func parsePublicKey(block *pem.Block) (crypto.PublicKey, error) {
	var key crypto.PublicKey
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		return nil, fmt.Errorf("%s where a public key was expected", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("reading a public key: %w", err)
	}
	return key, checkPublicKey(key)
}

func checkPublicKey(key crypto.PublicKey) error {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() && k.Curve != elliptic.P384() && k.Curve != elliptic.P521() {
			return fmt.Errorf("curve %s: want P-256, P-384 or P-521", k.Curve.Params().Name)
		}
	case *rsa.PublicKey:
		if n := k.N.BitLen(); n < 2048 || n > 8192 {
			return fmt.Errorf("an RSA key of %d bits: want 2048 to 8192", n)
		}
	case ed25519.PublicKey:
	default:
		return fmt.Errorf("a key of type %T: want ECDSA, Ed25519 or RSA", key)
	}
	return nil
}

// fits reports whether sig is key's signature of message, in any of the ways that Cosign has signed: ECDSA with the
// curve's hash or SHA-256, RSA PKCS #1 v1.5 or PSS with SHA-256, Ed25519 plain or pre-hashed.
func fits(key crypto.PublicKey, message, sig []byte) bool {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		digest := sha256.Sum256(message)
		return ecdsa.VerifyASN1(k, digest[:], sig) || ecdsa.VerifyASN1(k, curveDigest(k, message), sig)
	case *rsa.PublicKey:
		digest := sha256.Sum256(message)
		return rsa.VerifyPKCS1v15(k, crypto.SHA256, digest[:], sig) == nil || rsa.VerifyPSS(k, crypto.SHA256, digest[:], sig, nil) == nil
	case ed25519.PublicKey:
		digest := sha512.Sum512(message)
		return ed25519.Verify(k, message, sig) ||
			ed25519.VerifyWithOptions(k, digest[:], sig, &ed25519.Options{Hash: crypto.SHA512}) == nil
	}
	return false
}

func curveDigest(k *ecdsa.PublicKey, message []byte) []byte {
	h := curveHash(k).New()
	h.Write(message)
	return h.Sum(nil)
}

func curveHash(k *ecdsa.PublicKey) crypto.Hash {
	switch k.Curve {
	case elliptic.P384():
		return crypto.SHA384
	case elliptic.P521():
		return crypto.SHA512
	}
	return crypto.SHA256
}

// sameKey reports whether two public keys are the same.
func sameKey(a, b crypto.PublicKey) bool {
	x, err := x509.MarshalPKIXPublicKey(a)
	if err != nil {
		return false
	}
	y, err := x509.MarshalPKIXPublicKey(b)
	return err == nil && bytes.Equal(x, y)
}
