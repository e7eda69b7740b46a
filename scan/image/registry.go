package image

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// openRegistry resolves a name in its registry. Credentials come from docker's configuration ($DOCKER_CONFIG or
// ~/.docker/config.json, with its credential helpers), else from podman's auth.json.
func (s *Source) openRegistry(ctx context.Context, repo, ref string, o *Options) error {
	var nameOptions []name.Option
	if o.Insecure {
		nameOptions = append(nameOptions, name.Insecure)
	}
	parsed, err := name.ParseReference(repo, nameOptions...)
	if err != nil {
		return err
	}
	puller, err := newPuller(o)
	if err != nil {
		return err
	}
	desc, err := puller.Get(ctx, parsed)
	if err != nil {
		return registryError(err)
	}
	r := &resolver{opts: o, lim: o.Limits, ref: ref}
	r.content = &registryContent{puller: puller, repo: parsed.Context(), top: desc}
	top := descriptor{MediaType: string(desc.MediaType), Digest: desc.Digest.String(), Size: desc.Size}
	if !isIndexType(top.MediaType) && !isImageType(top.MediaType) {
		top.MediaType = "" // let the content tell
	}
	s.Kind = KindRegistry
	s.Images, err = r.images(ctx, []descriptor{top})
	s.Notes = r.notes
	if _, tagged := parsed.(name.Tag); tagged {
		for _, img := range s.Images {
			img.Tags = []string{parsed.Name()}
		}
	}
	return err
}

func newPuller(o *Options) (*remote.Puller, error) {
	if o.Transport != nil {
		return remote.NewPuller(remote.WithTransport(o.Transport), remote.WithUserAgent("seawall"))
	}
	rt, err := registryTransport(o)
	if err != nil {
		return nil, err
	}
	return remote.NewPuller(remote.WithTransport(rt), remote.WithAuthFromKeychain(authn.DefaultKeychain),
		remote.WithUserAgent("seawall"))
}

// RegistryTransport carries requests to registries as Open's do: see Insecure and CAFile of Options.
func RegistryTransport(o *Options) (http.RoundTripper, error) { return registryTransport(o) }

// registryTransport is the system's trust, CAFile added, proxies from the environment.
func registryTransport(o *Options) (http.RoundTripper, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.Insecure}
	if o.CAFile != "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("reading the CA file: %w", err)
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("CA file %s holds no PEM certificate", o.CAFile)
		}
		conf.RootCAs = pool
	}
	rt := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		TLSClientConfig:       conf,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 60 * time.Second,
		MaxIdleConnsPerHost:   8,
		IdleConnTimeout:       30 * time.Second,
	}
	if o.Insecure {
		return rt, nil
	}
	return &tlsOnly{rt}, nil
}

// tlsOnly keeps the client library from falling back to plain HTTP, with credentials, for private addresses and
// .local names. This machine itself may be spoken to in the clear.
type tlsOnly struct{ next http.RoundTripper }

var errPlainHTTP = errors.New("the registry speaks plain HTTP: allow it with Insecure (--insecure)")

func (t *tlsOnly) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !isLoopback(req.URL.Hostname()) {
		return nil, fmt.Errorf("%s: %w", req.URL.Host, errPlainHTTP)
	}
	return t.next.RoundTrip(req)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// registryError makes a missing manifest fs.ErrNotExist and says what to do about a refusal.
func registryError(err error) error {
	var te *transport.Error
	if !errors.As(err, &te) {
		return err
	}
	switch te.StatusCode {
	case http.StatusNotFound:
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w; log in to the registry first (docker login, podman login)", err)
	}
	return err
}

// registryContent is content of one repository.
type registryContent struct {
	puller *remote.Puller
	repo   name.Repository
	top    *remote.Descriptor
}

func (g *registryContent) has(descriptor) bool { return true }

func (g *registryContent) metadata(ctx context.Context, d descriptor, limit int64) ([]byte, error) {
	if err := checkDigest(d.Digest); err != nil {
		return nil, err
	}
	raw, err := g.fetch(ctx, d, limit)
	if err != nil {
		return nil, registryError(err)
	}
	if int64(len(raw)) > limit {
		return nil, fmt.Errorf("%d bytes: %w of %d", len(raw), ErrLimit, limit)
	}
	return raw, verifyBytes(raw, d.Digest)
}

func (g *registryContent) fetch(ctx context.Context, d descriptor, limit int64) ([]byte, error) {
	if d.Digest == g.top.Digest.String() {
		return g.top.Manifest, nil
	}
	if !isConfigOrUnknown(d.MediaType) {
		desc, err := g.puller.Get(ctx, g.repo.Digest(d.Digest))
		if err != nil {
			return nil, err
		}
		return desc.Manifest, nil
	}
	r, err := g.stream(ctx, d.Digest)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, limit+1))
}

// isConfigOrUnknown tells blobs from manifests: a registry serves them from two places.
func isConfigOrUnknown(mediaType string) bool {
	return mediaType != "" && !isIndexType(mediaType) && !isImageType(mediaType)
}

func (g *registryContent) stream(ctx context.Context, digest string) (io.ReadCloser, error) {
	l, err := g.puller.Layer(ctx, g.repo.Digest(digest))
	if err != nil {
		return nil, err
	}
	r, err := l.Compressed()
	if err != nil {
		return nil, registryError(err)
	}
	return r, nil
}

// layer names the blob by its digest. Foreign layers are not looked for: their URLs would send us anywhere.
func (g *registryContent) layer(d descriptor) (Blob, error) {
	return Blob{
		Length: d.Size,
		digest: d.Digest,
		fetch:  func(ctx context.Context) (io.ReadCloser, error) { return g.stream(ctx, d.Digest) },
	}, nil
}
