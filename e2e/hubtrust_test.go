//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seawall/seawall/catalog"
)

// cosignTool signs in somebody and returns cosign with a key pair of its own: cosign.key and cosign.pub in dir.
func cosignTool(t *testing.T, h *hub, who login) (cosign tool, dir string) {
	t.Helper()
	need(t, "cosign")
	dir = t.TempDir()
	cosign = tool{line: []string{"cosign"}, env: []string{"DOCKER_CONFIG=" + dir, "COSIGN_PASSWORD=of no worth", "HOME=" + dir}}
	cosign.must(t, "", "login", h.host, "--username", who.name, "--password", who.password)
	cosign.must(t, "", "generate-key-pair", "--output-key-prefix", filepath.Join(dir, "cosign"))
	return cosign, dir
}

// offline are the flags of a cosign that asks nobody but the registry.
func offline(t *testing.T, command string) []string {
	root := write(t, filepath.Join(t.TempDir(), "root.json"), `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`)
	return []string{command, "--new-bundle-format", "--insecure-ignore-tlog", "--allow-http-registry", "--trusted-root", root}
}

func contentOf(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Where a signature is required, an image is held until cosign signs it with that key, in any of its forms.
func TestHubTrust(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	h := startHub(t, hubConfig{advisories: u.dbDir()})
	signer := h.person("signer", "signer")
	cosign, dir := cosignTool(t, h, signer)
	_, stranger := cosignTool(t, h, signer)
	h.call("POST", "/rules", object{"name": "signed", "pattern": "prod/**", "mode": "enforce", "trust": object{
		"signers": []object{{"name": "release", "keys": []string{contentOf(t, filepath.Join(dir, "cosign.pub"))}}}}}, nil)
	for _, c := range []struct {
		name  string
		flags []string
	}{{"legacy", nil}, {"bundle", []string{"--new-bundle-format"}}} {
		t.Run(c.name, func(t *testing.T) {
			repository := "prod/" + c.name
			digest := h.push(repository, "1", debian(t, clean, c.name))
			h.becomes(repository, digest, catalog.Quarantined)
			if m := h.image(repository, digest); !strings.Contains(reasonsOf(m), "release") {
				t.Errorf("held for %q; want the missing signer", reasonsOf(m))
			}
			image := h.host + "/" + repository + "@" + digest
			sign := func(key string) {
				args := append([]string{"sign", "--yes", "--tlog-upload=false", "--allow-http-registry", "--key", key}, c.flags...)
				cosign.must(t, "", append(args, image)...)
			}
			sign(filepath.Join(stranger, "cosign.key"))
			h.until("the stranger's signature was looked at", func() bool { return len(h.referrers(repository, digest)) > 0 || c.flags == nil })
			if s := h.image(repository, digest).Status; s != catalog.Quarantined {
				t.Errorf("%s by a stranger's signature", s)
			}
			sign(filepath.Join(dir, "cosign.key"))
			h.becomes(repository, digest, catalog.Released)
			if c.flags == nil {
				h.call("DELETE", "/repositories/"+url.PathEscape(repository)+"/tags/"+strings.Replace(digest, ":", "-", 1)+".sig", nil, nil)
				h.becomes(repository, digest, catalog.Quarantined)
			}
		})
	}
	t.Run("ours", func(t *testing.T) {
		digest := h.push("prod/ours", "1", debian(t, clean, "ours"))
		h.becomes("prod/ours", digest, catalog.Quarantined)
		u.env = append(u.env, "DOCKER_CONFIG="+dir, "COSIGN_PASSWORD=of no worth")
		u.must(t, 0, "sign", "--insecure", "--key", filepath.Join(dir, "cosign.key"), h.host+"/prod/ours@"+digest)
		h.becomes("prod/ours", digest, catalog.Released)
		u.must(t, 0, "verify", "--insecure", "--key", filepath.Join(dir, "cosign.pub"), h.host+"/prod/ours@"+digest)
		u.must(t, 1, "verify", "--insecure", "--key", filepath.Join(stranger, "cosign.pub"), h.host+"/prod/ours@"+digest)
		cosign.must(t, "", append(offline(t, "verify"), "--key", filepath.Join(dir, "cosign.pub"), h.host+"/prod/ours@"+digest)...)
	})
	t.Run("a signer pushes no image", func(t *testing.T) { mayNotPush(t, h, signer, "prod/forged") })
}

func reasonsOf(m catalog.Manifest) string {
	var all []string
	for _, r := range m.Reasons {
		all = append(all, r.Source+" "+r.Rule+": "+r.Message)
	}
	return strings.Join(all, "; ")
}

// The hub attaches the SBOM and the verdict to each image, and signs both: cosign and seawall verify them with the
// hub's public key, with no other help from the hub than the registry.
func TestHubAttestations(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	h := startHub(t, hubConfig{advisories: u.dbDir()})
	puller := h.person("puller", "puller")
	digest := h.push("team/app", "1", debian(t, vulnerable, "attested"))
	h.scanned("team/app", digest)
	h.until("SBOM and verdict are attached", func() bool { return len(h.referrers("team/app", digest)) >= 4 })
	t.Logf("attached: %q", h.referrers("team/app", digest))
	cosign, dir := cosignTool(t, h, puller)
	var system struct{ SigningKey string }
	h.call("GET", "/system", nil, &system)
	key := write(t, filepath.Join(dir, "hub.pub"), system.SigningKey)
	image := h.host + "/team/app@" + digest

	u.env = append(u.env, "DOCKER_CONFIG="+dir)
	asks := func(key string) string {
		return write(t, filepath.Join(t.TempDir(), "trust.yaml"), fmt.Sprintf(
			"attestations:\n- predicate: sbom\n  signer: {name: hub, keys: [%[1]s]}\n- predicate: https://seawall.dev/verdict/v1\n  signer: {name: hub, keys: [%[1]s]}\n", key))
	}
	u.must(t, 0, "verify", "--insecure", "--policy", asks(key), image)
	u.must(t, 1, "verify", "--insecure", "--policy", asks(filepath.Join(dir, "cosign.pub")), image)
	said := cosign.must(t, "", append(offline(t, "verify-attestation"), "--type", "cyclonedx", "--key", key, image)...)
	if !strings.Contains(said, "payload") {
		t.Errorf("cosign prints no statement:\n%s", said)
	}
	if _, err := cosign.try("", append(offline(t, "verify-attestation"), "--type", "cyclonedx", "--key", filepath.Join(dir, "cosign.pub"), image)...); err == nil {
		t.Error("cosign takes a stranger's key")
	}
	sbom := h.referrerContent(t, "team/app", digest, "application/vnd.cyclonedx+json")
	var doc struct{ Components []struct{ Name string } }
	if err := json.Unmarshal(sbom, &doc); err != nil {
		t.Fatalf("the SBOM: %v in %.200s", err, sbom)
	}
	if !slices.ContainsFunc(doc.Components, func(c struct{ Name string }) bool { return c.Name == "perl" }) {
		t.Errorf("the SBOM names no perl: %.500s", sbom)
	}
}
