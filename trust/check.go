package trust

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

func sha256Of(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}

func problem(code Code, format string, args ...any) *Problem {
	return &Problem{Code: code, Text: clean(fmt.Sprintf(format, args...))}
}

// check judges evidence for one signer: nil is verified. asked is false where the signer has nothing to do with the form.
func (r *run) check(ctx context.Context, e *evidence, s *signer) (p *Problem, asked bool) {
	if (s.notation != nil) != (e.notation != nil) {
		return nil, false
	}
	p, err := guarded(func() (*Problem, error) {
		switch {
		case s.notation != nil:
			return r.checkNotation(ctx, e, s), nil
		case s.keyless != nil:
			return r.checkKeyless(e, s), nil
		}
		return r.checkKeys(ctx, e, s), nil
	})
	if err != nil {
		p = problem(Malformed, "%v", err)
	}
	if p == nil && e.notation == nil {
		p = r.checkContent(e)
	}
	return p, true
}

// checkKeys looks for the key that made a signature.
func (r *run) checkKeys(ctx context.Context, e *evidence, s *signer) *Problem {
	c := e.cosign
	if c.cert != nil && !s.hasKey(c.cert.PublicKey) {
		return problem(UnknownKey, "made with a certificate (%s), not with a key of %s", orNobody(e.Identity), s.name)
	}
	message, p := r.message(ctx, e)
	if p != nil {
		return p
	}
	for _, k := range s.keys {
		if fits(k.key, message, c.signature) {
			e.KeyID = k.id
			return s.checkLog(e, k)
		}
	}
	for _, k := range s.keys {
		if hints(c.hint, k.id) {
			return problem(Forged, "it names the key %s of %s, but that key did not make it: altered, or forged", shortID(k.id), s.name)
		}
	}
	return problem(UnknownKey, "no key of %s made it (made with another key, or altered since)", s.name)
}

func (s *signer) hasKey(key any) bool {
	for _, k := range s.keys {
		if sameKey(k.key, key) {
			return true
		}
	}
	return false
}

func orNobody(name string) string {
	if name == "" {
		return "of nobody in particular"
	}
	return name
}

// hints reports whether a hint names a key id: in hexadecimal, or in base64 as Cosign writes it.
func hints(hint, id string) bool {
	raw, err := hex.DecodeString(id)
	return hint == id || err == nil && hint == base64.StdEncoding.EncodeToString(raw)
}

// message is what the signature is over. A bundle may sign the image's manifest itself; then that is fetched.
func (r *run) message(ctx context.Context, e *evidence) ([]byte, *Problem) {
	c := e.cosign
	if c.message != nil {
		return c.message, nil
	}
	if want := strings.TrimPrefix(e.Subject, "sha256:"); hex.EncodeToString(c.image) != want {
		return nil, problem(WrongDigest, "it signs sha256:%x, not %s", c.image, e.Subject)
	}
	raw, _, err := r.manifest(ctx, e.Subject)
	if err != nil {
		return nil, problem(Unreachable, "the image's manifest could not be read: %v", err)
	}
	if !bytes.Equal(sha256Of(raw), c.image) {
		return nil, problem(WrongDigest, "the image's manifest does not have its digest")
	}
	return raw, nil
}

// checkContent holds what was signed against the image, once the signature is known to be the signer's.
func (r *run) checkContent(e *evidence) *Problem {
	switch {
	case e.simple != nil:
		if got := e.simple.Critical.Image.Digest; got != e.Subject {
			return problem(WrongDigest, "a valid signature of another image: it signs %s, not %s", got, e.Subject)
		}
		if r.v.policy.SameRepository && !sameRepository(e.simple.repository(), r.subject.Repository) {
			return problem(WrongRepository, "a valid signature of this image in another repository: it was made for %s", orNobody(e.simple.repository()))
		}
	case e.statement != nil:
		if !e.statement.about(e.Subject) {
			return problem(WrongDigest, "a valid signature of something else: it is about %s, not %s", e.statement.digests(), e.Subject)
		}
	case hex.EncodeToString(e.cosign.image) != strings.TrimPrefix(e.Subject, "sha256:"):
		return problem(WrongDigest, "a valid signature of another image: it signs sha256:%x, not %s", e.cosign.image, e.Subject)
	}
	return nil
}

// sameRepository compares names of which one or both may begin with a registry's host. If only one does, the host does
// not count.
func sameRepository(signed, asked string) bool {
	if signed == asked {
		return true
	}
	a, aHost := splitHost(signed)
	b, bHost := splitHost(asked)
	return a == b && a != "" && (aHost == "" || bHost == "")
}

// splitHost cuts off a first part that can only be a host: with a dot or a port, or localhost.
func splitHost(name string) (path, host string) {
	first, rest, ok := strings.Cut(name, "/")
	if ok && (strings.ContainsAny(first, ".:") || first == "localhost") {
		return rest, first
	}
	return name, ""
}

// future is how far a clock may be ahead.
const future = 10 * time.Minute
