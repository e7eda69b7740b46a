package auth

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// keyRing is a Keys of fixed keys.
type keyRing struct {
	current string
	keys    map[string][]byte
}

func (k *keyRing) Current(context.Context) (string, []byte, error) {
	return k.current, k.keys[k.current], nil
}

func (k *keyRing) Key(_ context.Context, id string) ([]byte, error) {
	if key, ok := k.keys[id]; ok {
		return key, nil
	}
	return nil, errors.New("no such key")
}

func (h *house) code(secret string) string {
	h.t.Helper()
	c, err := totp.GenerateCode(secret, h.clock.now())
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// enrol gives a user one-time codes.
func (h *house) enrol(name string) (secret string, recovery []string) {
	h.t.Helper()
	ctx := h.as(name)
	e, err := h.EnrolTOTP(ctx, rightPassword)
	if err != nil {
		h.t.Fatal(err)
	}
	if recovery, err = h.ConfirmTOTP(ctx, h.code(e.Secret)); err != nil {
		h.t.Fatal(err)
	}
	return e.Secret, recovery
}

func TestOneTimeCodes(t *testing.T) {
	ring := &keyRing{"k1", map[string][]byte{"k1": bytes.Repeat([]byte{1}, 32), "k2": bytes.Repeat([]byte{2}, 32)}}
	h, ctx := newHouse(t, func(c *Config) { c.Keys = ring }), context.Background()
	secret, recovery := h.enrol("alice")
	try := func(code string) error {
		_, _, err := h.SignIn(ctx, "alice", rightPassword, code, somewhere, agent)
		return err
	}
	if err := try(h.code(secret)); !errors.Is(err, ErrWrong) {
		t.Errorf("the code that confirmed is taken again: %v", err)
	}
	h.clock.add(time.Minute)
	code := h.code(secret)
	for _, tt := range []struct {
		name, code string
		want       error
	}{
		{"none", "", ErrCode}, {"wrong", "000000", ErrWrong}, {"letters", "abcdef", ErrWrong}, {"long", code + "0", ErrWrong},
		{"right", code[:3] + " " + code[3:], nil}, {"again", code, ErrWrong},
	} {
		if err := try(tt.code); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	ring.current = "k2" // the old key still opens
	h.clock.add(time.Hour)
	if err := try(recovery[3]); err != nil {
		t.Errorf("a recovery code: %v", err)
	}
	if err := try(recovery[3]); !errors.Is(err, ErrWrong) {
		t.Errorf("a recovery code a second time: %v", err)
	}
	if u := h.store.users["user:alice"]; u.TOTP[0] != sealGCM || bytes.Contains(u.TOTP, []byte(secret)) || bytes.Contains(u.TOTP, []byte(code)) {
		t.Error("the secret is not sealed")
	}
	h.clock.add(time.Hour)
	if _, _, err := h.SignIn(ctx, "alice", "wrong", h.code(secret), somewhere, agent); !errors.Is(err, ErrWrong) {
		t.Errorf("a right code with a wrong password: %v", err)
	}
}

// TestOneCodeOnce: of many sign-ins with one code at a time, one succeeds.
func TestOneCodeOnce(t *testing.T) {
	h := newHouse(t)
	secret, _ := h.enrol("alice")
	h.clock.add(time.Minute)
	code := h.code(secret)
	var wg sync.WaitGroup
	var mu sync.Mutex
	got := 0
	for range 8 {
		wg.Go(func() {
			if _, _, err := h.SignIn(context.Background(), "alice", rightPassword, code, "127.0.0.1", agent); err == nil {
				mu.Lock()
				got++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if got != 1 {
		t.Errorf("%d sign-ins with one code", got)
	}
}

func TestEnrol(t *testing.T) {
	h := newHouse(t)
	ctx := h.as("alice")
	if _, err := h.EnrolTOTP(ctx, "wrong"); !errors.Is(err, ErrWrong) {
		t.Errorf("without the password: %v", err)
	}
	if _, err := h.ConfirmTOTP(ctx, "000000"); !errors.Is(err, ErrInvalid) {
		t.Errorf("nothing to confirm: %v", err)
	}
	e, err := h.EnrolTOTP(ctx, rightPassword)
	if err != nil || !bytes.HasPrefix(e.PNG, []byte("\x89PNG")) {
		t.Fatalf("%+v, %v", e, err)
	}
	if _, err := h.ConfirmTOTP(ctx, "000000"); !errors.Is(err, ErrInvalid) {
		t.Errorf("a wrong code confirms: %v", err)
	}
	if h.store.users["user:alice"].HasTOTP {
		t.Error("codes are needed before they were confirmed")
	}
	codes, err := h.ConfirmTOTP(ctx, h.code(e.Secret))
	if err != nil || len(codes) != recoveryCodes {
		t.Fatal(err)
	}
	if _, err := h.EnrolTOTP(ctx, rightPassword); !errors.Is(err, ErrInvalid) {
		t.Errorf("a second enrolment: %v", err)
	}
	if err := h.DisableTOTP(ctx, rightPassword, "000000"); !errors.Is(err, ErrWrong) {
		t.Errorf("taken away without a code: %v", err)
	}
	if err := h.DisableTOTP(ctx, rightPassword, codes[0]); err != nil {
		t.Error(err)
	}
	h.as("alice")
}

func TestResetOneTimeCodes(t *testing.T) {
	h := newHouse(t)
	h.enrol("alice")
	if err := h.ResetTOTP(h.as("root"), "user:alice"); err != nil {
		t.Fatal(err)
	}
	h.as("alice")
}

func TestRequireTOTP(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.RequireTOTP = true })
	root := h.as("root")
	if p := From(root); p.Must != "totp" || p.May(ImageList, Everything) {
		t.Errorf("%+v", p)
	}
	h.enrol("root")
	p, err := h.principalOf(context.Background(), Token{Kind: TokenSession, Subject: "user:root"})
	if err != nil || p.Must != "" || !p.May(ImageList, Everything) {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestSealed(t *testing.T) {
	ring := &keyRing{"k1", map[string][]byte{"k1": bytes.Repeat([]byte{1}, 32)}}
	h, ctx := newHouse(t, func(c *Config) { c.Keys = ring }), context.Background()
	box, err := h.seal(ctx, []byte("secret"), "totp:user:a")
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := h.open(ctx, box, "totp:user:a"); err != nil || string(plain) != "secret" {
		t.Errorf("%q, %v", plain, err)
	}
	if _, err := h.open(ctx, box, "totp:user:b"); err == nil {
		t.Error("it opens for another user")
	}
	for i := range box {
		bad := bytes.Clone(box)
		bad[i] ^= 1
		if plain, err := h.open(ctx, bad, "totp:user:a"); err == nil && i > 0 {
			t.Errorf("it opens with byte %d changed: %q", i, plain)
		}
		h.open(ctx, box[:i], "totp:user:a") // must not panic
	}
}
