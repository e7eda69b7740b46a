package trust

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
)

func TestPrivateKeyFiles(t *testing.T) {
	for _, a := range []Algorithm{ECDSA, P384, Ed25519, RSA} {
		_, raw := newKey(t, a)
		sealed, err := MarshalPrivateKey(raw, []byte("secret"))
		must(t, err)
		if !Encrypted(sealed) {
			t.Errorf("%s: not encrypted", a)
		}
		back, err := ParsePrivateKey(sealed, []byte("secret"))
		must(t, err)
		if !sameKey(back.Public(), raw.Public()) {
			t.Errorf("%s: another key came back", a)
		}
		if _, err := ParsePrivateKey(sealed, []byte("Secret")); !errors.Is(err, ErrPassword) {
			t.Errorf("%s: a wrong password gives %v", a, err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(raw)
		must(t, err)
		plain := pem.EncodeToMemory(&pem.Block{Type: pemPKCS8, Bytes: der})
		if back, err = ParsePrivateKey(plain, nil); err != nil || !sameKey(back.Public(), raw.Public()) {
			t.Errorf("%s: PKCS #8: %v", a, err)
		}
	}
}

func TestOtherKeyFiles(t *testing.T) {
	ec := ecKey(t)
	sec1, err := x509.MarshalECPrivateKey(ec)
	must(t, err)
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	must(t, err)
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	must(t, err)
	odd, err := x509.MarshalECPrivateKey(p224)
	must(t, err)
	block := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	for _, tc := range []struct{ name, text, err string }{
		{"SEC 1", block(pemEC, sec1), ""},
		{"small RSA", block(pemRSA, x509.MarshalPKCS1PrivateKey(small)), "1024 bits"},
		{"P-224", block(pemEC, odd), "P-224"},
		{"certificate", block("CERTIFICATE", sec1), "CERTIFICATE"},
		{"no PEM", "key", "no private key"},
		{"unusual scrypt", block(pemEncrypted, []byte(`{"kdf":{"name":"scrypt","params":{"N":1073741824,"r":8,"p":1},"salt":"AAAA"},"cipher":{"name":"nacl/secretbox","nonce":"AAAA"},"ciphertext":"AAAA"}`)), "password"},
	} {
		_, err := ParsePrivateKey([]byte(tc.text), nil)
		if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.err)
		}
	}
	if _, err := GenerateKey("dsa"); err == nil {
		t.Error("an unknown algorithm was taken")
	}
}
