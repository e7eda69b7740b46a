package mirror

import (
	"errors"
	"fmt"
	"time"

	"github.com/seawall/seawall/internal/egress"
)

var (
	// ErrName says that a name is none, of the source or of what is copied to.
	ErrName = errors.New("this is no name of an image")
	// ErrNotFound says that the source has no such repository, tag or manifest.
	ErrNotFound = errors.New("the source has no such image")
	// ErrDenied says that the source refused: give a credential, or another one.
	ErrDenied = errors.New("the source refuses access")
	// ErrUnavailable says that the source cannot be reached or fails: try again later.
	ErrUnavailable = errors.New("the source cannot be reached")
	// ErrContent says that the source sent something else than it named: trying again will not help.
	ErrContent = errors.New("the source's content is not what it says")
	// ErrNoPlatform says that an index lists none of the platforms that were asked for.
	ErrNoPlatform = errors.New("the image is not there for this platform")
)

// Permanent reports whether trying again later will not help: somebody has to change something first.
func Permanent(err error) bool {
	for _, e := range []error{ErrName, ErrNotFound, ErrDenied, ErrContent, ErrNoPlatform, errPlainHTTP, egress.ErrRefused} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// LimitedError says that the source takes no more requests for now.
type LimitedError struct {
	Host  string
	After time.Duration // 0 where the source does not say
	// Anonymous says that no credential was given: with one, many registries allow more.
	Anonymous bool
}

func (e *LimitedError) Error() string {
	text := e.Host + " takes no more requests for now (429)"
	if e.After > 0 {
		text += fmt.Sprintf(": try again in %s", e.After)
	}
	if e.Anonymous {
		text += "; a credential usually raises the limit"
	}
	return text
}

// Is makes every LimitedError an ErrUnavailable.
func (e *LimitedError) Is(target error) bool { return target == ErrUnavailable }
