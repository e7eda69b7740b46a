package listen

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// TLS names files in PEM form. Without Cert a listener speaks plain HTTP.
type TLS struct {
	Cert string `json:"cert,omitempty" yaml:"cert,omitempty"` // with the chain
	Key  string `json:"key,omitempty" yaml:"key,omitempty"`
	// ClientCA, where set, lets in only clients with a certificate that one of its authorities signed.
	ClientCA string `json:"clientCA,omitempty" yaml:"clientCA,omitempty"`
}

// lookAgain is how often the files are looked at, when connections come.
const lookAgain = 5 * time.Second

// load returns nil where there is no certificate.
func (t TLS) load(log *slog.Logger) (*tls.Config, error) {
	if t == (TLS{}) {
		return nil, nil
	}
	if t.Cert == "" || t.Key == "" {
		return nil, errors.New("TLS needs a certificate and a key")
	}
	r := &reloader{files: t, log: log, now: time.Now}
	if err := r.read(r.stamp()); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return r.current(), nil },
	}, nil
}

// reloader holds what the files say.
type reloader struct {
	files TLS
	log   *slog.Logger
	now   func() time.Time

	mu     sync.Mutex
	config *tls.Config
	of     [3]fileStamp
	looked time.Time
}

// fileStamp tells one version of a file from the next.
type fileStamp struct {
	modified time.Time
	size     int64
}

func (r *reloader) stamp() (all [3]fileStamp) {
	for i, name := range []string{r.files.Cert, r.files.Key, r.files.ClientCA} {
		if info, err := os.Stat(name); name != "" && err == nil {
			all[i] = fileStamp{info.ModTime(), info.Size()}
		}
	}
	return all
}

func (r *reloader) current() *tls.Config {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.now(); now.Sub(r.looked) >= lookAgain {
		r.looked = now
		if s := r.stamp(); s != r.of {
			if err := r.read(s); err != nil {
				r.log.Warn("the new certificate cannot be used, the old one stays", slog.Any("error", err))
			}
		}
	}
	return r.config
}

// read keeps the stamp where it fails too: a broken file is complained about once.
func (r *reloader) read(s [3]fileStamp) error {
	r.of = s
	cert, err := tls.LoadX509KeyPair(r.files.Cert, r.files.Key)
	if err != nil {
		return fmt.Errorf("reading the certificate %s: %w", r.files.Cert, err)
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, Certificates: []tls.Certificate{cert}}
	if r.files.ClientCA != "" {
		if c.ClientCAs, err = pool(r.files.ClientCA); err != nil {
			return err
		}
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	r.config = c
	return nil
}

func pool(name string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the authorities of clients: %w", err)
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("reading the authorities of clients: %s holds no certificate in PEM form", name)
	}
	return p, nil
}
