package listen

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	authorityLife   = 10 * 365 * 24 * time.Hour
	certificateLife = 397 * 24 * time.Hour // what browsers take at most
	renewBefore     = 30 * 24 * time.Hour
)

// Own is a certificate of the hub's own authority, by file names.
type Own struct {
	TLS
	CA string // what clients have to trust
}

// SelfSigned returns a certificate for hosts (names and addresses) from dir, for a first start without one. It makes what
// is missing: an authority for ten years, and a certificate for a little more than a year, which it makes anew thirty
// days before its end or for other hosts, so that clients that trust the authority keep trusting. Keys can be read by the
// owner only.
func SelfSigned(dir string, hosts []string, now time.Time) (Own, error) {
	own := Own{CA: filepath.Join(dir, "ca.pem")}
	own.Cert, own.Key = filepath.Join(dir, "hub.pem"), filepath.Join(dir, "hub-key.pem")
	if len(hosts) == 0 {
		return own, errors.New("a certificate needs at least one host")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return own, fmt.Errorf("making a directory for certificates: %w", err)
	}
	ca, err := authority(own.CA, filepath.Join(dir, "ca-key.pem"), now)
	if err != nil {
		return own, err
	}
	if old, err := readPair(own.Cert, own.Key); err == nil && old.serves(hosts, ca, now) {
		return own, nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return own, err
	}
	_, err = makePair(own.Cert, own.Key, leaf(hosts, now), &ca)
	return own, err
}

// signer is a certificate with its key.
type signer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// serves reports whether the certificate is good for the hosts for a while.
func (p signer) serves(hosts []string, ca signer, now time.Time) bool {
	for _, h := range hosts {
		if p.cert.VerifyHostname(h) != nil {
			return false
		}
	}
	return p.cert.CheckSignatureFrom(ca.cert) == nil && now.Add(renewBefore).Before(p.cert.NotAfter) && now.After(p.cert.NotBefore)
}

func authority(certFile, keyFile string, now time.Time) (signer, error) {
	ca, err := readPair(certFile, keyFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return ca, err
	case now.Before(ca.cert.NotAfter.Add(-certificateLife)):
		return ca, nil
	}
	return makePair(certFile, keyFile, &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Seawall " + now.UTC().Format(time.DateOnly)},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(authorityLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, nil)
}

func leaf(hosts []string, now time.Time) *x509.Certificate {
	t := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Seawall hub"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife - time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, h := range slices.Compact(slices.Sorted(slices.Values(hosts))) {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	return t
}

// makePair signs by ca, or by itself where that is nil, and stores key before certificate: a pair that is cut off between
// the two does not match and is made anew.
func makePair(certFile, keyFile string, t *x509.Certificate, ca *signer) (signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return signer{}, fmt.Errorf("making a key: %w", err)
	}
	by := signer{t, key}
	if ca != nil {
		by = *ca
	}
	der, err := x509.CreateCertificate(rand.Reader, t, by.cert, &key.PublicKey, by.key)
	if err != nil {
		return signer{}, fmt.Errorf("making a certificate: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return signer{}, fmt.Errorf("writing a key: %w", err)
	}
	if err := writePEM(keyFile, "PRIVATE KEY", keyDER, 0o600); err != nil {
		return signer{}, err
	}
	if err := writePEM(certFile, "CERTIFICATE", der, 0o644); err != nil {
		return signer{}, err
	}
	cert, err := x509.ParseCertificate(der)
	return signer{cert, key}, err
}

func writePEM(name, kind string, der []byte, mode fs.FileMode) error {
	tmp := name + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err := os.WriteFile(tmp, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err := os.Rename(tmp, name); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

// readPair takes a pair that does not match for one that is not there.
func readPair(certFile, keyFile string) (signer, error) {
	certDER, err := readPEM(certFile, "CERTIFICATE")
	if err != nil {
		return signer{}, err
	}
	keyDER, err := readPEM(keyFile, "PRIVATE KEY")
	if err != nil {
		return signer{}, err
	}
	cert, err := x509.ParseCertificate(certDER)
	if err != nil {
		return signer{}, fmt.Errorf("reading %s: %w", certFile, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(keyDER)
	if err != nil {
		return signer{}, fmt.Errorf("reading %s: %w", keyFile, err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || !key.PublicKey.Equal(cert.PublicKey) {
		return signer{}, fmt.Errorf("the key %s is not that of %s: %w", keyFile, certFile, fs.ErrNotExist)
	}
	return signer{cert, key}, nil
}

func readPEM(name, kind string) ([]byte, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("reading %s: it holds no %s in PEM form", name, kind)
	}
	return block.Bytes, nil
}
