package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"slices"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
)

const (
	codePeriod    = 30 // seconds, RFC 6238 section 4.1
	codeSkew      = 1  // steps before and after that are taken
	recoveryCodes = 10
)

// oneTime is what is sealed in User.TOTP.
type oneTime struct {
	Secret string `json:"secret"` // base32
	// Recovery are SHA-256 hashes of codes of 80 random bits that were not used yet.
	Recovery []string `json:"recovery,omitempty"`
}

// Enrolment is what an authenticator needs to make codes.
type Enrolment struct {
	Secret string `json:"secret"` // base32, to type
	URL    string `json:"url"`    // otpauth://…
	PNG    []byte `json:"png"`    // the URL as QR code
}

func totpPlace(id string) string { return "totp:" + id }

// EnrolTOTP begins with one-time codes (RFC 6238: SHA-1, 6 digits, 30 seconds, as all authenticators know) for the
// principal, who proves the password anew. Nothing changes until ConfirmTOTP.
func (s *Authority) EnrolTOTP(ctx context.Context, password string) (Enrolment, error) {
	u, err := s.prove(ctx, From(ctx), password)
	if err != nil {
		return Enrolment{}, err
	}
	if u.HasTOTP {
		return Enrolment{}, invalid("this user has one-time codes: take them away first")
	}
	issuer := "Seawall"
	if s.public.Host != "" {
		issuer += " " + s.public.Hostname()
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: u.Name, SecretSize: 20, Period: codePeriod})
	if err != nil {
		return Enrolment{}, fmt.Errorf("making a one-time secret: %w", err)
	}
	_, err = s.edit(ctx, u.ID, s.entry(ctx, "user.totp-enrol", "user", u.Name), func(u *User) error {
		u.TOTP, err = s.sealCodes(ctx, u.ID, oneTime{Secret: key.Secret()})
		return err
	})
	if err != nil {
		return Enrolment{}, err
	}
	return enrolment(key)
}

func enrolment(key *otp.Key) (Enrolment, error) {
	img, err := key.Image(240, 240)
	if err != nil {
		return Enrolment{}, fmt.Errorf("drawing a QR code: %w", err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return Enrolment{}, fmt.Errorf("drawing a QR code: %w", err)
	}
	return Enrolment{Secret: key.Secret(), URL: key.URL(), PNG: b.Bytes()}, nil
}

// ConfirmTOTP takes the first code of what EnrolTOTP gave; from now on codes are needed. It returns recovery codes, each
// of which works once in place of a code, in clear this once, and ends the user's other sessions.
func (s *Authority) ConfirmTOTP(ctx context.Context, code string) (recovery []string, err error) {
	p := From(ctx)
	if !p.SignedIn() || p.Token != TokenSession {
		return nil, ErrSignedOut
	}
	a := attempt{name: p.Name, address: p.Address, via: "console"}
	err = s.charged(ctx, a, func() error {
		_, err := s.edit(ctx, p.ID, s.entry(ctx, "user.totp-confirm", "user", p.Name), func(u *User) (err error) {
			if u.HasTOTP || len(u.TOTP) == 0 {
				return invalid("there is nothing to confirm: enrol first")
			}
			u.HasTOTP = true
			recovery, err = s.confirm(ctx, u, code)
			return err
		})
		return err
	})
	if errors.Is(err, ErrWrong) {
		return nil, invalid("the code is wrong: check the clock of the device")
	} else if err != nil {
		return nil, err
	}
	return recovery, s.revokeAll(ctx, p.ID, func(t Token) bool { return t.ID != p.Via && t.Kind == TokenSession })
}

func (s *Authority) confirm(ctx context.Context, u *User, code string) ([]string, error) {
	c, err := s.openCodes(ctx, u)
	if err != nil {
		return nil, err
	}
	step, ok := matchCode(c.Secret, code, s.now(), 0)
	if !ok {
		return nil, ErrWrong
	}
	u.TOTPLast = step
	clear := make([]string, recoveryCodes)
	c.Recovery = make([]string, recoveryCodes)
	for i := range clear {
		clear[i] = newRecovery()
		c.Recovery[i] = hashRecovery(clear[i])
	}
	u.TOTP, err = s.sealCodes(ctx, u.ID, c)
	return clear, err
}

// DisableTOTP takes the principal's one-time codes away; it takes the password and a code.
func (s *Authority) DisableTOTP(ctx context.Context, password, code string) error {
	p := From(ctx)
	u, err := s.prove(ctx, p, password)
	if err != nil {
		return err
	}
	by := s.entry(ctx, "user.totp-disable", "user", u.Name)
	_, err = s.edit(ctx, u.ID, by, func(u *User) error {
		if !u.HasTOTP {
			return invalid("this user has no one-time codes")
		}
		if err := s.useCode(ctx, u, code); err != nil {
			return err
		}
		u.TOTP, u.HasTOTP = nil, false
		return nil
	})
	if errors.Is(err, ErrWrong) {
		a := attempt{name: u.Name, address: p.Address, via: "console"}
		return s.charged(ctx, a, func() error { return s.wrong(ctx, a, u, "wrong one-time code") })
	}
	s.principals.forget()
	return err
}

// ResetTOTP takes the one-time codes of another user away, who lost them, and ends the user's sessions. It needs
// user.write and the rank of UpdateUser.
func (s *Authority) ResetTOTP(ctx context.Context, id string) error {
	p, err := s.require(ctx, UserWrite)
	if err != nil {
		return err
	}
	if err := s.outranksSubject(ctx, p, id); err != nil {
		return err
	}
	_, err = s.edit(ctx, id, s.entry(ctx, "user.totp-reset", "user", strings.TrimPrefix(id, "user:")), func(u *User) error {
		u.TOTP, u.HasTOTP = nil, false
		return nil
	})
	if err != nil {
		return err
	}
	return s.revokeAll(ctx, id, func(t Token) bool { return t.Kind == TokenSession })
}

// useCode takes a one-time code or a recovery code, and sees to it that it is not taken again: ErrWrong. It runs inside
// edit, so that of two requests with one code one is refused.
func (s *Authority) useCode(ctx context.Context, u *User, code string) error {
	c, err := s.openCodes(ctx, u)
	if err != nil {
		return err
	}
	if step, ok := matchCode(c.Secret, code, s.now(), u.TOTPLast); ok {
		u.TOTPLast = step
		return nil
	}
	want := []byte(hashRecovery(code))
	i := slices.IndexFunc(c.Recovery, func(h string) bool { return subtle.ConstantTimeCompare([]byte(h), want) == 1 })
	if i < 0 {
		return ErrWrong
	}
	c.Recovery = slices.Delete(c.Recovery, i, i+1)
	u.TOTP, err = s.sealCodes(ctx, u.ID, c)
	return err
}

// matchCode returns the step of a code that is after the last one that was used.
func matchCode(secret, code string, now time.Time, last int64) (step int64, ok bool) {
	code = strings.ReplaceAll(code, " ", "")
	if len(code) != 6 {
		return 0, false
	}
	for d := int64(-codeSkew); d <= codeSkew; d++ {
		n := now.Unix()/codePeriod + d
		want, err := hotp.GenerateCodeCustom(secret, uint64(n), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && n > last && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, ok = n, true
		}
	}
	return step, ok
}

func (s *Authority) sealCodes(ctx context.Context, id string, c oneTime) ([]byte, error) {
	plain, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("writing one-time codes: %w", err)
	}
	return s.seal(ctx, plain, totpPlace(id))
}

func (s *Authority) openCodes(ctx context.Context, u *User) (oneTime, error) {
	var c oneTime
	plain, err := s.open(ctx, u.TOTP, totpPlace(u.ID))
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(plain, &c); err != nil {
		return c, fmt.Errorf("reading one-time codes of %s: %w", u.ID, err)
	}
	return c, nil
}

// newRecovery has 80 random bits, as ABCD-EFGH-IJKL-MNOP.
func newRecovery() string {
	t := base32.StdEncoding.EncodeToString(random(10))
	return t[:4] + "-" + t[4:8] + "-" + t[8:12] + "-" + t[12:]
}

func hashRecovery(code string) string {
	plain := strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(code))
	h := sha256.Sum256([]byte(plain))
	return hex.EncodeToString(h[:])
}
