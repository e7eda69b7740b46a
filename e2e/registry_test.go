//go:build e2e

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The account of the test registry. The hash is bcrypt's, as htpasswd -B prints it.
const (
	account  = "tester"
	password = "only-for-this-test"
	htpasswd = "tester:$2a$05$VSnAxD94yLTiaFvflhioIehpvrDOucSmBrS4zwq/AUJ1k7NL1t9tm"
)

// registry is a running docker-registry on loopback.
type registry struct {
	host string
	ca   string // file, "" without TLS
}

// startRegistry runs Debian's docker-registry until the test ends.
func startRegistry(t *testing.T, tls, auth bool) registry {
	t.Helper()
	need(t, "docker-registry")
	dir := t.TempDir()
	r := registry{host: freeAddress(t)}
	config := fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp:\n  addr: %s\n",
		filepath.Join(dir, "data"), r.host)
	if tls {
		r.ca = filepath.Join(dir, "cert.pem")
		writeCertificate(t, dir)
		config += fmt.Sprintf("  tls: {certificate: %s, key: %s}\n", r.ca, filepath.Join(dir, "key.pem"))
	}
	if auth {
		users := write(t, filepath.Join(dir, "htpasswd"), htpasswd+"\n")
		config += fmt.Sprintf("auth: {htpasswd: {realm: test, path: %s}}\n", users)
	}
	cmd := exec.CommandContext(t.Context(), "docker-registry", "serve", write(t, filepath.Join(dir, "config.yml"), config))
	start(t, cmd)
	waitFor(t, "the registry", func() bool { return dial("tcp", r.host) })
	return r
}

// push copies the bookworm image there.
func (r registry) push(t *testing.T) string {
	t.Helper()
	name := r.host + "/team/bookworm:1"
	flags := []string{"--dest-tls-verify=false"}
	skopeo(t, "docker-archive:"+bookwormSaved(t), "docker://"+name, append(flags, "--dest-creds="+account+":"+password)...)
	return name
}

func TestRegistry(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	want := reference(t, u)
	name := startRegistry(t, false, false).push(t)
	u.must(t, 4, "scan", "-q", strings.Replace(name, ":1", ":2", 1), "--insecure")
	same(t, want, u.scan(t, name, "--insecure"))
}

func TestRegistryWithAccountAndPrivateCA(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	want := reference(t, u)
	r := startRegistry(t, true, true)
	name := r.push(t)

	if o := u.must(t, 4, "scan", "-q", name); !strings.Contains(o.stderr, "--ca-cert") {
		t.Errorf("an unknown CA is not explained:\n%s", o.stderr)
	}
	if o := u.must(t, 4, "scan", "-q", name, "--ca-cert", r.ca); !strings.Contains(o.stderr, "docker login") {
		t.Errorf("a missing account is not explained:\n%s", o.stderr)
	}
	token := base64.StdEncoding.EncodeToString([]byte(account + ":" + password))
	write(t, filepath.Join(u.home, ".docker", "config.json"), fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, r.host, token))
	u.env = append(u.env, "DOCKER_CONFIG="+filepath.Join(u.home, ".docker"))
	same(t, want, u.scan(t, name, "--ca-cert", r.ca))

	digest := u.scan(t, name, "--ca-cert", r.ca).Inventory.Image.ID
	byDigest := u.scan(t, r.host+"/team/bookworm@"+digest, "--ca-cert", r.ca)
	if byDigest.Inventory.Image.ID != digest {
		t.Errorf("scanned by digest %s, got %s", digest, byDigest.Inventory.Image.ID)
	}
}

// A credential helper is asked as docker asks it.
func TestRegistryCredentialHelper(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	r := startRegistry(t, true, true)
	name := r.push(t)
	helper := filepath.Join(u.home, "bin", "docker-credential-e2e")
	write(t, helper, fmt.Sprintf("#!/bin/sh\ncat >/dev/null\necho '{\"ServerURL\":\"%s\",\"Username\":\"%s\",\"Secret\":\"%s\"}'\n", r.host, account, password))
	call(t, "chmod", "+x", helper)
	write(t, filepath.Join(u.home, ".docker", "config.json"), fmt.Sprintf(`{"credHelpers":{%q:"e2e"}}`, r.host))
	u.env = append(u.env, "DOCKER_CONFIG="+filepath.Join(u.home, ".docker"), "PATH="+filepath.Dir(helper)+":/usr/bin:/bin")
	if r := u.scan(t, name, "--ca-cert", r.ca); len(r.Findings) == 0 {
		t.Error("no finding")
	}
}

// writeCertificate makes a certificate for 127.0.0.1 that signs itself: dir/cert.pem and dir/key.pem.
func writeCertificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test registry"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "cert.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	write(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}
