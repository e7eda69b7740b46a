package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/seawall/seawall/audit"
)

// names are those of local users and of service principals.
var names = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$`)

// recheck is how long a password that was right is taken for right without hashing it again, for clients that send it
// with each request. A change of the password ends it at once.
const recheck = 5 * time.Minute

// attempt is one sign-in.
type attempt struct {
	name, password, code, address string
	via                           string // "console" or "registry"
}

// SignIn opens a session for a local user and returns the cookie that carries it. code is a one-time code or a recovery
// code, "" for none. Errors: ErrWrong, ErrCode, *Paused, ErrBusy. Every outcome is recorded.
func (s *Authority) SignIn(ctx context.Context, name, password, code, address, agent string) (*http.Cookie, Principal, error) {
	a := attempt{normal(name), password, code, address, "console"}
	u, err := s.check(ctx, a)
	if err != nil {
		return nil, Principal{}, err
	}
	return s.openSession(ctx, u, address, agent)
}

func normal(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// check checks name, password and code, and records the outcome.
func (s *Authority) check(ctx context.Context, a attempt) (User, error) {
	var u User
	err := s.charged(ctx, a, func() (err error) {
		if u, err = s.known(ctx, a); err != nil {
			return err
		}
		return s.welcomeIn(ctx, a, &u)
	})
	return u, err
}

// charged runs one attempt: alone for its name, and charged to its address unless it turns out to be no failure.
func (s *Authority) charged(ctx context.Context, a attempt, f func() error) error {
	if err := s.admit(ctx, a); err != nil {
		return err
	}
	leave, err := s.guard.enter(ctx, a.name, a.address)
	if err == nil {
		err = f()
		leave()
	}
	if !failure(err) {
		s.guard.refund(a.address, s.now())
	}
	return err
}

// failure tells a guess from a success and from what is not the client's doing.
func failure(err error) bool {
	var paused *Paused
	return errors.Is(err, ErrWrong) || errors.Is(err, errNotTrusted) || errors.Is(err, errUnreachable) || errors.As(err, &paused)
}

// known returns the user whose name and password these are.
func (s *Authority) known(ctx context.Context, a attempt) (User, error) {
	u, _, err := s.local(ctx, a.name)
	if err != nil {
		return User{}, err
	}
	if d := s.guard.until(a, u).Sub(s.now()); d > 0 {
		return User{}, s.lockedOut(ctx, a, u, d)
	}
	ok, err := s.hasher.matches(ctx, bounded(a.password), u.Password)
	switch {
	case err != nil:
		return User{}, err
	case !ok && u.ID == "":
		return User{}, s.wrong(ctx, a, u, "no such user")
	case !ok:
		return User{}, s.wrong(ctx, a, u, "wrong password")
	case u.Disabled:
		return User{}, s.wrong(ctx, a, u, "the user is disabled")
	}
	return u, nil
}

// welcomeIn does what comes after the right password.
func (s *Authority) welcomeIn(ctx context.Context, a attempt, u *User) (err error) {
	switch {
	case u.HasTOTP && a.via == "registry":
		return s.almost(ctx, a, *u, ErrToken, "a password alone does not open the registry for a user with one-time codes")
	case u.HasTOTP && a.code == "":
		return s.almost(ctx, a, *u, ErrCode, "the password was right, the one-time code is missing")
	}
	*u, err = s.right(ctx, a, *u)
	return err
}

// bounded keeps a long password from costing: none that is longer was ever accepted.
func bounded(password string) string { return password[:min(len(password), maxPassword+1)] }

// admit charges an address, and refuses one that failed too often.
func (s *Authority) admit(ctx context.Context, a attempt) error {
	d, tell := s.guard.charge(a.address, s.now())
	if d == 0 {
		return nil
	}
	if tell {
		if err := s.record(ctx, a, User{}, "too many failures from this address"); err != nil {
			return err
		}
	}
	return wait(d)
}

func (s *Authority) local(ctx context.Context, name string) (User, bool, error) {
	if !names.MatchString(name) {
		return User{}, false, nil
	}
	u, err := s.store.User(ctx, "user:"+name)
	switch {
	case errors.Is(err, ErrNotFound) || err == nil && u.Provider != "":
		return User{}, false, nil
	case err != nil:
		return User{}, false, fmt.Errorf("reading user %s: %w", name, err)
	}
	return u, true, nil
}

func (s *Authority) lockedOut(ctx context.Context, a attempt, u User, d time.Duration) error {
	if err := s.record(ctx, a, u, "the user is locked out after failed sign-ins"); err != nil {
		return err
	}
	return wait(d)
}

// record notes a refused sign-in. The name of nobody is left out: people type passwords there.
func (s *Authority) record(ctx context.Context, a attempt, u User, reason string) error {
	if err := s.store.Record(ctx, s.refusal(ctx, a, u, reason)); err != nil {
		return fmt.Errorf("recording a refused sign-in: %w", err)
	}
	return nil
}

func (s *Authority) refusal(ctx context.Context, a attempt, u User, reason string) audit.Entry {
	e := audit.New(s.now(), nobody(a.address).Actor, "signin", audit.Object{Kind: "user", Name: u.Name})
	if u.ID == "" {
		e.Object.Name = "(unknown)"
	}
	e.Outcome, e.Reason, e.Request = audit.Refused, reason, RequestID(ctx)
	e.Detail = map[string]string{"by": a.via}
	return e
}

// wrong counts a failure against the name: of the network where that is a friend, else of the user.
func (s *Authority) wrong(ctx context.Context, a attempt, u User, reason string) error {
	now := s.now().UTC()
	var err error
	switch {
	case u.ID == "":
		s.guard.strangers.change(a.name, func(x stranger) stranger { return x.failed(now) })
		err = s.record(ctx, a, u, reason)
	case s.guard.knows(u.ID, a.address):
		s.guard.friends.change(friend{u.ID, network(a.address)}, func(x stranger) stranger { return x.failed(now) })
		err = s.record(ctx, a, u, reason)
	default:
		_, err = s.edit(ctx, u.ID, s.refusal(ctx, a, u, reason), func(u *User) error {
			u.Failures++
			u.LockedUntil = now.Add(pause(u.Failures))
			return nil
		})
	}
	if err != nil {
		return err
	}
	return ErrWrong
}

// almost refuses what lacks something beside the right password.
func (s *Authority) almost(ctx context.Context, a attempt, u User, why error, reason string) error {
	if err := s.record(ctx, a, u, reason); err != nil {
		return err
	}
	return why
}

// right takes the code, where there is one, and notes the sign-in.
func (s *Authority) right(ctx context.Context, a attempt, u User) (User, error) {
	fresh, err := s.rehash(ctx, u, a.password)
	if err != nil {
		return User{}, err
	}
	by := s.entry(With(ctx, s.ofUserAt(u, a.address)), "signin", "user", u.Name)
	by.Detail = map[string]string{"by": a.via}
	stored := u.Password
	u, err = s.edit(ctx, u.ID, by, func(u *User) error {
		if u.Password != stored || u.Disabled {
			return ErrWrong // changed while the password was being checked
		}
		if u.HasTOTP {
			if err := s.useCode(ctx, u, a.code); err != nil {
				return err
			}
		}
		if fresh != "" {
			u.Password = fresh
		}
		u.Failures, u.LockedUntil, u.LastSignIn = 0, time.Time{}, s.now().UTC()
		return nil
	})
	if errors.Is(err, ErrWrong) {
		return User{}, s.wrong(ctx, a, User{ID: by.Actor.ID, Name: by.Actor.Name}, "wrong one-time code")
	} else if err != nil {
		return User{}, err
	}
	s.guard.befriend(u.ID, a.address)
	return u, nil
}

// rehash returns a new hash of the right password where the stored one is of another cost, else "".
func (s *Authority) rehash(ctx context.Context, u User, password string) (string, error) {
	if p, err := parsePHC(u.Password); err == nil && p.Hash == s.hasher.cost {
		return "", nil
	}
	return s.hasher.hash(ctx, password)
}

func (s *Authority) ofUserAt(u User, address string) Principal {
	p := s.ofUser(u, "")
	p.Address = address
	return p
}

// checkPassword is check for clients that send the password with each request.
func (s *Authority) checkPassword(ctx context.Context, a attempt) (User, error) {
	u, found, err := s.local(ctx, a.name)
	if err != nil {
		return User{}, err
	}
	if found && !u.Disabled && !u.HasTOTP {
		if at, ok := s.passwords.get(s.passwordKey(u, a.password)); ok && s.now().Sub(at) < recheck {
			return u, nil
		}
	}
	if u, err = s.check(ctx, a); err != nil {
		return User{}, err
	}
	s.passwords.put(s.passwordKey(u, a.password), s.now())
	return u, nil
}

// passwordKey stands for a password of a user as long as the stored hash is the same. The key of the process keeps it
// from being of use elsewhere.
func (s *Authority) passwordKey(u User, password string) [32]byte {
	m := hmac.New(sha256.New, s.process[:])
	fmt.Fprintf(m, "%s\x00%s\x00%s", u.ID, u.Password, password)
	return [32]byte(m.Sum(nil))
}

// passwordMark changes with the user's password and tells nothing of it.
func (s *Authority) passwordMark(u User) string {
	h := sha256.Sum256([]byte("mark\x00" + u.Password))
	return hex.EncodeToString(h[:8])
}
