package auth

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestHash(t *testing.T) {
	h, ctx := newHasher(cheap), context.Background()
	stored, err := h.hash(ctx, "a password")
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := h.matches(ctx, "a password", stored); !ok || err != nil {
		t.Errorf("right password: %v, %v", ok, err)
	}
	if ok, _ := h.matches(ctx, "a passwore", stored); ok {
		t.Error("a wrong password matches")
	}
	for _, none := range []string{"", "x", h.nobody} {
		if ok, err := h.matches(ctx, "", none); ok || err != nil {
			t.Errorf("the hash %q matches the empty password (%v)", none, err)
		}
	}
}

// TestHashReference is a test vector of the reference implementation: what its command line tool prints for
// echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -e.
func TestHashReference(t *testing.T) {
	stored := "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	ok, err := newHasher(cheap).matches(context.Background(), "password", stored)
	if !ok || err != nil {
		t.Errorf("the reference hash does not match: %v", err)
	}
}

func TestHashTurns(t *testing.T) {
	h := newHasher(cheap)
	for range hashesAtOnce {
		if _, err := h.turn(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := h.turn(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting is not given up: %v", err)
	}
	for range hashesWaiting {
		h.waiting <- struct{}{}
	}
	if _, err := h.turn(context.Background()); !errors.Is(err, ErrBusy) {
		t.Errorf("the queue has no end: %v", err)
	}
}

func TestCheckPassword(t *testing.T) {
	tests := []struct{ name, password, want string }{
		{"alice", "tide comes at nine", ""},
		{"alice", "зимний прилив в девять", ""},
		{"alice", "short", "too short"},
		{"alice", strings.Repeat("long", 100), "longer than"},
		{"alice", "my name is Alice", "contains the name"},
		{"alice", "aaaaaaaaaaaaaaaa", "too simple"},
		{"alice", "Password1234", "tried first"},
		{"alice", "123456789012", "tried first"},
		{"alice", "administrator!1", "tried first"},
		{"alice", "1234-5678-9012", "tried first"},
		{"alice", "9876543210987!", "tried first"},
		{"alice", "4829-1837-2938-1928", ""},
		{"alice", "\xff\xfe tide comes at", "not UTF-8"},
	}
	for _, tt := range tests {
		err := CheckPassword(tt.name, tt.password)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !errors.Is(err, ErrInvalid)) {
			t.Errorf("%q: %v, want %q", tt.password, err, tt.want)
		}
	}
	if err := CheckPassword("admin", newPassword()); err != nil {
		t.Errorf("a password of our own: %v", err)
	}
}

func FuzzPHC(f *testing.F) {
	f.Add(newHasher(cheap).nobody)
	f.Add("$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$$")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePHC(s)
		if err != nil {
			return
		}
		if p.Memory > 256<<10 || p.Passes > 16 || p.Passes < 1 || p.Threads < 1 || p.String() != s {
			t.Errorf("%q is taken", s)
		}
	})
}
