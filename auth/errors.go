package auth

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrSignedOut says that nobody is signed in, or that the token is unknown, expired or revoked: sign in (401).
	ErrSignedOut = errors.New("not signed in")
	// ErrRefused says that the principal may not (403). What wraps it says which permission is missing.
	ErrRefused = errors.New("not allowed")
	// ErrWrong says that a name, password or code is wrong, or that the user is disabled: it never says which (401).
	ErrWrong = errors.New("the name, the password or the one-time code is wrong")
	// ErrCode says that the password was right and a one-time code is needed: ask for it and sign in again (401).
	ErrCode = errors.New("a one-time code is needed")
	// ErrToken says that this user's password does not open the registry: make an API token (401).
	ErrToken = errors.New("this user signs in with a one-time code or another provider: make an API token in the console and use it as password")
	// ErrMust says that the password has to be changed in the console first (401 for registry clients).
	ErrMust = errors.New("the password has to be changed in the console first")
	// ErrInvalid says that what was given breaks a rule (400); the text says which.
	ErrInvalid = errors.New("invalid")
	// ErrLast says that the change would leave nobody who is owner of everything (409).
	ErrLast = errors.New("this is the last owner: make another user owner of everything first")
	// ErrBusy says that too many sign-ins wait (503): try again.
	ErrBusy = errors.New("too many sign-ins at once: try again in a moment")
)

// Paused says that sign-in is refused for a while, whatever the password (429).
type Paused struct {
	For time.Duration // full seconds, at least one
}

func (p *Paused) Error() string {
	return fmt.Sprintf("too many failed sign-ins: try again in %s", p.For)
}

// invalid returns an error that is ErrInvalid and reads as given.
func invalid(format string, args ...any) error {
	return &invalidError{fmt.Sprintf(format, args...)}
}

type invalidError struct{ text string }

func (e *invalidError) Error() string        { return e.text }
func (e *invalidError) Is(target error) bool { return target == ErrInvalid }

func refused(a Action, s Scope) error {
	return fmt.Errorf("%w: this needs %s on %s", ErrRefused, a, s)
}
