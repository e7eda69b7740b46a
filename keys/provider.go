package keys

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// provider holds the key-encryption key.
type provider interface {
	wrap(ctx context.Context, plaintext []byte) ([]byte, error)
	unwrap(ctx context.Context, wrapped []byte) ([]byte, error)
	// name may be shown: it holds no secret.
	name() string
	close() error
}

// rotator is a provider that can make a new version of its key itself. With services the customer does that.
type rotator interface {
	rotate() error
}

// errRefused marks an answer of the provider that says no, in contrast to no answer.
var errRefused = errors.New("the key provider refuses")

// callTimeout bounds one call of a provider.
const callTimeout = 10 * time.Second

// dial opens the provider that a specification names.
func dial(ctx context.Context, spec string, create bool) (provider, error) {
	scheme, rest, ok := strings.Cut(spec, ":")
	if !ok {
		return nil, fmt.Errorf("key provider: want file:/path or a URL such as hashivault://key")
	}
	if scheme == "file" {
		return openFile(strings.TrimPrefix(rest, "//"), create)
	}
	return openService(ctx, scheme, spec)
}

// guarded calls a provider with a time limit that holds even where the library ignores contexts, and turns a panic over a
// malformed answer into an error.
func guarded(ctx context.Context, call func(ctx context.Context) ([]byte, error)) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	type answer struct {
		b   []byte
		err error
	}
	c := make(chan answer, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				c <- answer{err: fmt.Errorf("the key provider's answer is malformed: %v", p)}
			}
		}()
		b, err := call(ctx)
		c <- answer{b, err}
	}()
	select {
	case a := <-c:
		return a.b, a.err
	case <-ctx.Done():
		return nil, fmt.Errorf("asking the key provider: %w", ctx.Err())
	}
}
