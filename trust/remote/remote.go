// Package remote is a trust.Source and trust.Sink for the repositories of any registry.
//
// It promises that what it returns by digest has that digest, that what is missing is fs.ErrNotExist, and that nothing
// longer than a limit is kept. Credentials are those of docker and podman. It leaves out everything else that a
// registry can do.
package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/seawall/seawall/trust"
)

// Config of a Client.
type Config struct {
	// Transport carries the requests; nil is the library's.
	Transport http.RoundTripper
	// Insecure also allows plain HTTP.
	Insecure bool
	// Keychain has the credentials; nil is docker's and podman's configuration.
	Keychain authn.Keychain
}

// Client speaks to registries. Repository names have the registry's host before them, or are Docker Hub's.
type Client struct {
	names  []name.Option
	puller *remote.Puller
	pusher *remote.Pusher
}

var (
	_ trust.Sink    = (*Client)(nil)
	_ trust.Deleter = (*Client)(nil)
)

// New makes a client. It asks nothing yet.
func New(c Config) (*Client, error) {
	if c.Keychain == nil {
		c.Keychain = authn.DefaultKeychain
	}
	options := []remote.Option{remote.WithAuthFromKeychain(c.Keychain), remote.WithUserAgent("seawall")}
	if c.Transport != nil {
		options = append(options, remote.WithTransport(c.Transport))
	}
	client := &Client{}
	if c.Insecure {
		client.names = append(client.names, name.Insecure)
	}
	var err error
	if client.puller, err = remote.NewPuller(options...); err != nil {
		return nil, fmt.Errorf("preparing the registry client: %w", err)
	}
	if client.pusher, err = remote.NewPusher(options...); err != nil {
		return nil, fmt.Errorf("preparing the registry client: %w", err)
	}
	return client, nil
}

// Resolve finds the digest of a reference by tag or digest.
func (c *Client) Resolve(ctx context.Context, ref string) (trust.Subject, error) {
	parsed, err := name.ParseReference(ref, c.names...)
	if err != nil {
		return trust.Subject{}, fmt.Errorf("reading the image's name: %w", err)
	}
	d, err := c.puller.Get(ctx, parsed)
	if err != nil {
		return trust.Subject{}, fmt.Errorf("reading %s: %w", ref, registryError(err))
	}
	s := trust.Subject{Repository: parsed.Context().Name(), Digest: d.Digest.String()}
	if tag, ok := parsed.(name.Tag); ok {
		s.Tag = tag.TagStr()
	}
	return s, nil
}

// Images lists the digests of an index's images; none if digest is an image itself.
func (c *Client) Images(ctx context.Context, repository, digest string) ([]string, error) {
	mediaType, raw, err := c.Manifest(ctx, repository, digest)
	if err != nil {
		return nil, err
	}
	if !types.MediaType(mediaType).IsIndex() {
		return nil, nil
	}
	var x v1.IndexManifest
	if err := json.Unmarshal(raw, &x); err != nil {
		return nil, fmt.Errorf("reading the index %s: %w", digest, err)
	}
	var all []string
	for _, m := range x.Manifests {
		all = append(all, m.Digest.String())
	}
	return all, nil
}

// Manifest is trust.Source's.
func (c *Client) Manifest(ctx context.Context, repository, reference string) (string, []byte, error) {
	ref, err := c.reference(repository, reference)
	if err != nil {
		return "", nil, err
	}
	d, err := c.puller.Get(ctx, ref)
	if err != nil {
		return "", nil, registryError(err)
	}
	return string(d.MediaType), d.Manifest, nil
}

func (c *Client) reference(repository, reference string) (name.Reference, error) {
	repo, err := name.NewRepository(repository, c.names...)
	if err != nil {
		return nil, fmt.Errorf("reading the repository's name: %w", err)
	}
	if _, err := v1.NewHash(reference); err == nil {
		return repo.Digest(reference), nil
	}
	return repo.Tag(reference), nil
}

// Blob is trust.Source's.
func (c *Client) Blob(ctx context.Context, repository, digest string, limit int64) ([]byte, error) {
	ref, err := name.NewDigest(repository+"@"+digest, c.names...)
	if err != nil {
		return nil, fmt.Errorf("reading the blob's name: %w", err)
	}
	layer, err := c.puller.Layer(ctx, ref)
	if err != nil {
		return nil, registryError(err)
	}
	r, err := layer.Compressed()
	if err != nil {
		return nil, registryError(err)
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, limit+1))
}

// Referrers is trust.Source's. Registries without the referrers API are asked for the fallback tag.
func (c *Client) Referrers(ctx context.Context, repository, digest, artifactType string) ([]trust.Descriptor, error) {
	ref, err := name.NewDigest(repository+"@"+digest, c.names...)
	if err != nil {
		return nil, fmt.Errorf("reading the image's name: %w", err)
	}
	index, err := remote.Referrers(ref, remote.WithContext(ctx), remote.Reuse(c.puller))
	if err != nil {
		return nil, registryError(err)
	}
	raw, err := index.RawManifest()
	if err != nil {
		return nil, registryError(err)
	}
	var x struct {
		Manifests []trust.Descriptor `json:"manifests"`
	}
	if err := json.Unmarshal(raw, &x); err != nil {
		return nil, fmt.Errorf("reading the list of referrers: %w", err)
	}
	return ofType(x.Manifests, artifactType), nil
}

func ofType(all []trust.Descriptor, artifactType string) []trust.Descriptor {
	if artifactType == "" {
		return all
	}
	var some []trust.Descriptor
	for _, d := range all {
		if d.ArtifactType == artifactType {
			some = append(some, d)
		}
	}
	return some
}

// PushBlob is trust.Sink's.
func (c *Client) PushBlob(ctx context.Context, repository, _ string, content []byte) error {
	repo, err := name.NewRepository(repository, c.names...)
	if err != nil {
		return fmt.Errorf("reading the repository's name: %w", err)
	}
	return registryError(c.pusher.Upload(ctx, repo, static.NewLayer(content, types.OCIUncompressedLayer)))
}

// PushManifest is trust.Sink's.
func (c *Client) PushManifest(ctx context.Context, repository, reference, mediaType string, content []byte) error {
	ref, err := c.reference(repository, reference)
	if err != nil {
		return err
	}
	return registryError(c.pusher.Put(ctx, ref, manifest{content, types.MediaType(mediaType)}))
}

// DeleteManifest is trust.Deleter's.
func (c *Client) DeleteManifest(ctx context.Context, repository, digest string) error {
	ref, err := c.reference(repository, digest)
	if err != nil {
		return err
	}
	return registryError(c.pusher.Delete(ctx, ref))
}

// manifest is what the library pushes as it is.
type manifest struct {
	raw       []byte
	mediaType types.MediaType
}

func (m manifest) RawManifest() ([]byte, error) { return m.raw, nil }

func (m manifest) MediaType() (types.MediaType, error) { return m.mediaType, nil }

// registryError makes what is missing fs.ErrNotExist, and says what to do about a refusal.
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
