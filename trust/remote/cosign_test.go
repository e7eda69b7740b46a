package remote_test

import (
	"context"
	"crypto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seawall/seawall/trust"
	"github.com/seawall/seawall/trust/remote"
)

// cosign is Cosign itself, version 2.6 or near it.
type cosign struct {
	t    *testing.T
	path string
	dir  string
}

func needCosign(t *testing.T) *cosign {
	t.Helper()
	path, err := exec.LookPath("cosign")
	if err != nil {
		cache, _ := os.UserCacheDir()
		path = filepath.Join(cache, "seawall-ci", "bin", "cosign")
		if _, err := os.Stat(path); err != nil {
			t.Skipf("cosign is neither in PATH nor at %s", path)
		}
	}
	return &cosign{t, path, t.TempDir()}
}

func (c *cosign) run(args ...string) (string, error) {
	cmd := exec.Command(c.path, args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "COSIGN_PASSWORD=secret", "HOME="+c.dir, "TUF_ROOT="+c.dir+"/tuf", "HTTPS_PROXY=http://127.0.0.1:1")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (c *cosign) must(args ...string) {
	c.t.Helper()
	if out, err := c.run(args...); err != nil {
		c.t.Fatalf("cosign %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (c *cosign) file(name string, content []byte) string {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// emptyRoot is a trusted root that trusts nobody: keys need none, and Cosign would fetch one.
const emptyRoot = `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`

// flags of Cosign for a form.
func signFlags(form trust.Form) []string {
	if form == trust.FormBundle {
		return []string{"--tlog-upload=false", "-y", "--new-bundle-format"}
	}
	return []string{"--tlog-upload=false", "-y"}
}

func (c *cosign) verifyFlags(form trust.Form) []string {
	if form == trust.FormBundle {
		return []string{"--insecure-ignore-tlog", "--new-bundle-format", "--trusted-root", c.file("root.json", []byte(emptyRoot))}
	}
	return []string{"--insecure-ignore-tlog"}
}

func client(t *testing.T, ref string) (*remote.Client, trust.Subject) {
	t.Helper()
	c, err := remote.New(remote.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Resolve(context.Background(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

func publicPEM(t *testing.T, key crypto.PublicKey) []byte {
	t.Helper()
	pub, err := trust.MarshalPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pub
}

func keyPolicy(pub []byte) trust.Policy {
	signer := trust.Signer{Name: "release", Keys: []string{string(pub)}}
	return trust.Policy{Signers: []trust.Signer{signer}, Attestations: []trust.Attestation{{Predicate: trust.PredicateScan, Signer: signer}}}
}

const vulnPredicate = `{"invocation":{},"scanner":{"uri":"scanner","version":"1","db":{},"result":{}},"metadata":{"scanStartedOn":"2026-01-02T03:04:05Z","scanFinishedOn":"2026-01-02T03:04:06Z"}}`

var algorithms = []trust.Algorithm{trust.ECDSA, trust.P384, trust.Ed25519, trust.RSA}

// TestOursInCosign: what we sign with a key file of ours, Cosign verifies.
func TestOursInCosign(t *testing.T) {
	c := needCosign(t)
	for _, algorithm := range algorithms {
		raw, err := trust.GenerateKey(algorithm)
		if err != nil {
			t.Fatal(err)
		}
		key, err := trust.NewKey(raw)
		if err != nil {
			t.Fatal(err)
		}
		pub := c.file("ours.pub", publicPEM(t, key.Public()))
		for _, form := range []trust.Form{trust.FormLegacy, trust.FormBundle} {
			t.Run(string(algorithm)+"/"+string(form), func(t *testing.T) {
				ref := newRegistry(t, true)
				to, s := client(t, ref)
				if _, err := key.Sign(context.Background(), to, s, trust.Options{Form: form}); err != nil {
					t.Fatal(err)
				}
				if _, err := key.Attest(context.Background(), to, s, "https://cosign.sigstore.dev/attestation/vuln/v1", []byte(vulnPredicate), trust.Options{Form: form}); err != nil {
					t.Fatal(err)
				}
				digest := s.Repository + "@" + s.Digest
				if out, err := c.run(append(append([]string{"verify", "--key", pub}, c.verifyFlags(form)...), digest)...); err != nil {
					t.Errorf("cosign verify: %v\n%s", err, out)
				}
				if out, err := c.run(append(append([]string{"verify-attestation", "--type", "vuln", "--key", pub}, c.verifyFlags(form)...), digest)...); err != nil {
					t.Errorf("cosign verify-attestation: %v\n%s", err, out)
				}
			})
		}
	}
}

// TestCosignInOurs: what Cosign signs, with its key or with one of ours, we verify.
func TestCosignInOurs(t *testing.T) {
	c := needCosign(t)
	c.must("generate-key-pair")
	c.file("predicate.json", []byte(vulnPredicate))
	keys := map[string][]byte{"cosign's": nil}
	for _, algorithm := range algorithms {
		raw, err := trust.GenerateKey(algorithm)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := trust.MarshalPrivateKey(raw, []byte("secret"))
		if err != nil {
			t.Fatal(err)
		}
		keys[string(algorithm)] = sealed
	}
	for name, sealed := range keys {
		path := filepath.Join(c.dir, "cosign.key")
		if sealed != nil {
			path = c.file("ours.key", sealed)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		key, err := trust.ParsePrivateKey(text, []byte("secret"))
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []trust.Form{trust.FormLegacy, trust.FormBundle} {
			t.Run(name+"/"+string(form), func(t *testing.T) {
				ref := newRegistry(t, true)
				from, s := client(t, ref)
				digest := s.Repository + "@" + s.Digest
				if out, err := c.run(append(append([]string{"sign", "--key", path}, signFlags(form)...), digest)...); err != nil {
					t.Fatalf("cosign sign: %v\n%s", err, out)
				}
				if out, err := c.run(append(append([]string{"attest", "--type", "vuln", "--predicate", "predicate.json", "--key", path}, signFlags(form)...), digest)...); err != nil {
					t.Fatalf("cosign attest: %v\n%s", err, out)
				}
				rep, err := trust.Verify(context.Background(), from, s, keyPolicy(publicPEM(t, key.Public())), time.Now())
				if err != nil {
					t.Fatal(err)
				}
				if !rep.Met {
					t.Errorf("not met: %+v", rep)
				}
			})
		}
	}
}

// TestCosignReadsOurKey: Cosign opens a key file of ours, and tells the same public key.
func TestCosignReadsOurKey(t *testing.T) {
	c := needCosign(t)
	raw, err := trust.GenerateKey(trust.ECDSA)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := trust.MarshalPrivateKey(raw, []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.run("public-key", "--key", c.file("ours.key", sealed))
	if err != nil || !strings.Contains(out, string(publicPEM(t, raw.Public()))) {
		t.Errorf("cosign public-key: %v\n%s", err, out)
	}
}

// TestCosignReferrers: Cosign's experiment, a legacy signature as a referrer.
func TestCosignReferrers(t *testing.T) {
	c := needCosign(t)
	c.must("generate-key-pair")
	pub, err := os.ReadFile(filepath.Join(c.dir, "cosign.pub"))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("COSIGN_EXPERIMENTAL", "1")
	from, s := client(t, newRegistry(t, true))
	c.must("sign", "--key", "cosign.key", "--tlog-upload=false", "-y", "--registry-referrers-mode=oci-1-1", s.Repository+"@"+s.Digest)
	rep, err := trust.Verify(context.Background(), from, s, trust.Policy{Signers: []trust.Signer{{Name: "release", Keys: []string{string(pub)}}}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if !rep.Met || len(rep.Signatures) != 1 || rep.Signatures[0].Form != trust.FormReferrer {
		t.Errorf("got %+v", rep)
	}
}
