package remote_test

import (
	"context"
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	ggcr "github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/seawall/seawall/trust"
	"github.com/seawall/seawall/trust/remote"
)

// newRegistry is a registry in memory with a random image, whose reference is returned.
func newRegistry(t *testing.T, referrers bool) string {
	t.Helper()
	s := httptest.NewServer(registry.New(registry.WithReferrersSupport(referrers), registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(s.Close)
	ref := strings.TrimPrefix(s.URL, "http://") + "/team/app:1"
	img, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := ggcr.Write(parsed, img); err != nil {
		t.Fatal(err)
	}
	return ref
}

func TestSignAndVerify(t *testing.T) {
	for _, referrers := range []bool{true, false} {
		for _, form := range []trust.Form{trust.FormBundle, trust.FormLegacy} {
			ref := newRegistry(t, referrers)
			ctx := context.Background()
			c, err := remote.New(remote.Config{})
			if err != nil {
				t.Fatal(err)
			}
			s, err := c.Resolve(ctx, ref)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := trust.GenerateKey(trust.ECDSA)
			if err != nil {
				t.Fatal(err)
			}
			key, err := trust.NewKey(raw)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := key.Sign(ctx, c, s, trust.Options{Form: form}); err != nil {
				t.Fatal(err)
			}
			if _, err := key.Attest(ctx, c, s, "https://spdx.dev/Document", []byte(`{"spdxVersion":"SPDX-2.3"}`), trust.Options{Form: form}); err != nil {
				t.Fatal(err)
			}
			pub, err := trust.MarshalPublicKey(key.Public())
			if err != nil {
				t.Fatal(err)
			}
			signer := trust.Signer{Name: "release", Keys: []string{string(pub)}}
			p := trust.Policy{Signers: []trust.Signer{signer}, Attestations: []trust.Attestation{{Predicate: "sbom", Signer: signer}}}
			rep, err := trust.Verify(ctx, c, s, p, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if !rep.Met || len(rep.Signatures) != 2 {
				t.Errorf("referrers %v, %s: not met: %+v", referrers, form, rep)
			}
		}
	}
}
