package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/seawall/seawall/trust"
)

// pushed is a registry with an image, and a directory to work in.
func pushed(t *testing.T) (ref, dir string) {
	t.Helper()
	s := httptest.NewServer(registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(s.Close)
	ref = strings.TrimPrefix(s.URL, "http://") + "/team/app:1"
	img, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(parsed, img); err != nil {
		t.Fatal(err)
	}
	return ref, t.TempDir()
}

// typed runs a command line and returns its exit code and what it wrote.
func typed(dir string, args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	env := map[string]string{"SEAWALL_KEY_PASSWORD": "secret", "HOME": dir}
	code = run(context.Background(), args, terminal{in: strings.NewReader(""), out: &o, err: &e,
		env: func(k string) (string, bool) { v, ok := env[k]; return v, ok }})
	return code, o.String(), e.String()
}

func wantExit(t *testing.T, want int, dir string, args ...string) (out, errs string) {
	t.Helper()
	code, out, errs := typed(dir, args...)
	if code != want {
		t.Fatalf("seawall %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, want, out, errs)
	}
	return out, errs
}

func TestSignVerify(t *testing.T) {
	ref, dir := pushed(t)
	key, other := filepath.Join(dir, "release"), filepath.Join(dir, "other")
	wantExit(t, exitOK, dir, "sign", "keygen", key)
	wantExit(t, exitOK, dir, "sign", "keygen", other, "--algorithm", "ed25519")
	wantExit(t, exitUsage, dir, "sign", "keygen", key) // never over an old key

	out, _ := wantExit(t, exitFail, dir, "verify", ref, "--key", key+".pub")
	if !strings.Contains(out, "NOT MET") || !strings.Contains(out, "no signature was found") {
		t.Errorf("got\n%s", out)
	}
	wantExit(t, exitOK, dir, "sign", ref, "--key", key+".key")
	wantExit(t, exitOK, dir, "sign", ref, "--key", key+".key", "--form", "legacy", "-a", "build=7")
	out, _ = wantExit(t, exitOK, dir, "verify", ref, "--key", key+".pub")
	if !strings.Contains(out, "cosign-bundle") || !strings.Contains(out, "cosign-legacy") {
		t.Errorf("got\n%s", out)
	}
	out, _ = wantExit(t, exitFail, dir, "verify", ref, "--key", other+".pub")
	if !strings.Contains(out, string(trust.UnknownKey)) {
		t.Errorf("got\n%s", out)
	}
	wantExit(t, exitOK, dir, "verify", ref, "--key", other+".pub", "--key", key+".pub", "--same-repository")
}

func TestAttestVerify(t *testing.T) {
	ref, dir := pushed(t)
	key := filepath.Join(dir, "release")
	wantExit(t, exitOK, dir, "sign", "keygen", key)
	bom := filepath.Join(dir, "bom.json")
	if err := os.WriteFile(bom, []byte(`{"bomFormat":"CycloneDX"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	wantExit(t, exitOK, dir, "sign", ref, "--key", key+".key")
	out, _ := wantExit(t, exitFail, dir, "verify", ref, "--key", key+".pub", "--attestation", "sbom")
	if !strings.Contains(out, "no attestation of this kind") {
		t.Errorf("got\n%s", out)
	}
	wantExit(t, exitOK, dir, "sign", ref, "--key", key+".key", "--attest", bom, "--type", "cyclonedx")
	wantExit(t, exitOK, dir, "verify", ref, "--key", key+".pub", "--attestation", "sbom")

	// The same by a policy file, whose keys are files beside it; the report as JSON.
	policy := filepath.Join(dir, "trust.yaml")
	text := "signers:\n- name: release\n  keys: [release.pub]\nattestations:\n- predicate: sbom\n  signer: {keys: [release.pub]}\n"
	if err := os.WriteFile(policy, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ = wantExit(t, exitOK, dir, "verify", ref, "--policy", policy, "-o", "json")
	var rep trust.Report
	if err := json.Unmarshal([]byte(out), &rep); err != nil || !rep.Met || len(rep.Signatures) != 2 || len(rep.Requirements) != 2 {
		t.Errorf("%v: %s", err, out)
	}
}

func TestSignUsage(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct {
		args string
		want string
	}{
		{"sign", "which image"},
		{"sign app", "--key FILE is missing"},
		{"sign app --key absent.key", "absent.key"},
		{"sign app --key k --form gpg", "want bundle, legacy or notation"},
		{"sign app --key k --form notation", "--cert"},
		{"sign app --key k --cert c", "--form notation"},
		{"sign app --key k --attest f", "--type"},
		{"sign app --key k --cose", "--form notation"},
		{"sign app --key k -a x=y", "--form legacy"},
		{"sign app --key k -o xml", "want text or json"},
		{"sign keygen k --algorithm dsa", "unknown algorithm"},
		{"verify", "which image"},
		{"verify app", "what must be proved"},
		{"verify app --key absent.pub", "absent.pub"},
		{"verify app --certificate-identity x", "go together"},
		{"verify app --certificate-identity x --certificate-identity-regexp y", "not both"},
		{"verify app --builder x --policy p", "not both"},
		{"verify app --policy absent.yaml", "absent.yaml"},
		{"verify app --notation-identity *", "certificates"},
		{"verify app --timeout 0 --key k", "above 0"},
	} {
		_, errs := wantExit(t, exitUsage, dir, strings.Fields(tc.args)...)
		if !strings.Contains(errs, tc.want) {
			t.Errorf("seawall %s: %q; want %q", tc.args, errs, tc.want)
		}
	}
}
