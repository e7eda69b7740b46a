package keys

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	vault "github.com/hashicorp/vault/api"
	"gocloud.dev/gcerrors"
	"gocloud.dev/secrets"
	_ "gocloud.dev/secrets/awskms"
	_ "gocloud.dev/secrets/azurekeyvault"
	_ "gocloud.dev/secrets/gcpkms"
	_ "gocloud.dev/secrets/hashivault"
)

// schemes of the services that may hold the key-encryption key. base64key, whose key stands in the URL, is not among them.
var schemes = []string{"awskms", "azurekeyvault", "gcpkms", "hashivault"}

// service is a key management service. The library takes credentials from the environment, as each service's own tools do.
type service struct {
	keeper *secrets.Keeper
	shown  string
}

func openService(ctx context.Context, scheme, spec string) (provider, error) {
	if !slices.Contains(schemes, scheme) {
		return nil, fmt.Errorf("key provider %q is unknown: want file, awskms, azurekeyvault, gcpkms or hashivault", scheme)
	}
	u, err := url.Parse(spec)
	if err != nil {
		return nil, fmt.Errorf("key provider: the %s URL is malformed", scheme)
	}
	k, err := secrets.OpenKeeper(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("opening the key provider %s: %w", shownURL(u), err)
	}
	return &service{keeper: k, shown: shownURL(u)}, nil
}

// shownURL leaves out what could be a secret.
func shownURL(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

func (s *service) wrap(ctx context.Context, plaintext []byte) ([]byte, error) {
	return guarded(ctx, func(ctx context.Context) ([]byte, error) {
		b, err := s.keeper.Encrypt(ctx, plaintext)
		return b, s.explain(err)
	})
}

func (s *service) unwrap(ctx context.Context, wrapped []byte) ([]byte, error) {
	return guarded(ctx, func(ctx context.Context) ([]byte, error) {
		b, err := s.keeper.Decrypt(ctx, wrapped)
		return b, s.explain(err)
	})
}

func (s *service) name() string { return s.shown }
func (s *service) close() error { return s.keeper.Close() }

// explain tells a refusal from anything that may pass.
func (s *service) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case refuses(err):
		return fmt.Errorf("%w: %s: %w", errRefused, s.shown, err)
	}
	return fmt.Errorf("%s: %w", s.shown, err)
}

// refuses: the service understood and said no, as it does for a key that is disabled, deleted or no longer granted.
func refuses(err error) bool {
	var answer *vault.ResponseError
	if errors.As(err, &answer) {
		return answer.StatusCode >= 400 && answer.StatusCode < 500 && answer.StatusCode != http.StatusTooManyRequests
	}
	switch gcerrors.Code(err) {
	case gcerrors.PermissionDenied, gcerrors.NotFound, gcerrors.FailedPrecondition, gcerrors.InvalidArgument:
		return true
	}
	return false
}
