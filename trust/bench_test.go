package trust

import (
	"context"
	"testing"
	"time"
)

// BenchmarkVerify verifies an image with one signature of each kind against a policy that demands all three.
func BenchmarkVerify(b *testing.B) {
	k, _ := newKey(b, ECDSA)
	v, n := newSigstore(b), newNotary(b, stamp.Add(-time.Hour), stamp.Add(time.Hour))
	f := newFake()
	s := f.image(b, "team/app", "one")
	_, err := k.Sign(context.Background(), f, s, Options{})
	must(b, err)
	f.attachBundle(b, s, v.bundle(b, s.Digest, someone, issuer, time.Minute))
	n.sign(b, f, s, NotationOptions{})
	policy := Policy{Signers: append(append(v.policy(b, true).Signers, n.policy("*").Signers...), keySigner(b, "key", k))}
	compiled, err := Compile(policy)
	must(b, err)
	for b.Loop() {
		rep, err := compiled.Verify(context.Background(), f, s, stamp.Add(time.Minute))
		if err != nil || !rep.Met {
			b.Fatal(err, indent(rep))
		}
	}
}
