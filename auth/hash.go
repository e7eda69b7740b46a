package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Hash is the cost of an argon2id hash (RFC 9106).
type Hash struct {
	Memory  uint32 // KiB
	Passes  uint32
	Threads uint8
}

// DefaultHash is the second recommended option of RFC 9106, section 4.
var DefaultHash = Hash{Memory: 64 << 10, Passes: 3, Threads: 4}

const (
	hashSalt = 16 // bytes
	hashSum  = 32 // bytes
	// hashesAtOnce bounds the memory of sign-ins: two times Hash.Memory. hashesWaiting bounds who waits for a turn.
	hashesAtOnce  = 2
	hashesWaiting = 64
)

// hasher makes and compares hashes, a few at a time.
type hasher struct {
	cost    Hash
	turns   chan struct{}
	waiting chan struct{}
	// nobody is a hash that no password has, for users that do not exist.
	nobody string
}

func newHasher(cost Hash) *hasher {
	h := &hasher{cost: cost, turns: make(chan struct{}, hashesAtOnce), waiting: make(chan struct{}, hashesWaiting)}
	h.nobody = phc{cost, random(hashSalt), random(hashSum)}.String()
	return h
}

// turn waits for a turn; the caller calls done after its hash.
func (h *hasher) turn(ctx context.Context) (done func(), err error) {
	select {
	case h.waiting <- struct{}{}:
		defer func() { <-h.waiting }()
	default:
		return nil, ErrBusy
	}
	select {
	case h.turns <- struct{}{}:
		return func() { <-h.turns }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to check a password: %w", ctx.Err())
	}
}

// hash returns the PHC string of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	done, err := h.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	p := phc{Hash: h.cost, salt: random(hashSalt)}
	p.sum = p.derive(password)
	return p.String(), nil
}

// matches compares a password with a PHC string. A string that is none, such as that of a user without password, costs
// as much as one that does not match.
func (h *hasher) matches(ctx context.Context, password, stored string) (bool, error) {
	p, parseErr := parsePHC(stored)
	if parseErr != nil {
		p, _ = parsePHC(h.nobody)
	}
	done, err := h.turn(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	same := subtle.ConstantTimeCompare(p.derive(password), p.sum) == 1
	return same && parseErr == nil, nil
}

// phc is a hash in the form of the PHC string format: $argon2id$v=19$m=65536,t=3,p=4$salt$sum.
type phc struct {
	Hash
	salt, sum []byte
}

func (p phc) derive(password string) []byte {
	return argon2.IDKey([]byte(password), p.salt, p.Passes, p.Memory, p.Threads, hashSum)
}

func (p phc) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.Memory, p.Passes, p.Threads,
		base64.RawStdEncoding.EncodeToString(p.salt), base64.RawStdEncoding.EncodeToString(p.sum))
}

// parsePHC reads what String writes, and nothing that would take more than 256 MiB or 16 passes.
func parsePHC(s string) (phc, error) {
	var p phc
	bad := fmt.Errorf("no argon2id hash in the PHC form")
	if len(s) > 256 {
		return p, bad
	}
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, bad
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.Memory, &p.Passes, &p.Threads); err != nil {
		return p, bad
	}
	var err error
	if p.salt, err = base64.RawStdEncoding.Strict().DecodeString(parts[4]); err != nil {
		return p, bad
	}
	if p.sum, err = base64.RawStdEncoding.Strict().DecodeString(parts[5]); err != nil {
		return p, bad
	}
	bounded := p.Memory >= 8 && p.Memory <= 256<<10 && p.Passes >= 1 && p.Passes <= 16 && p.Threads >= 1 && p.Threads <= 16
	if !bounded || len(p.salt) < 8 || len(p.salt) > 64 || len(p.sum) != hashSum || p.String() != s {
		return p, bad
	}
	return p, nil
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails, see crypto/rand
	return b
}
