//go:build e2e

package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seawall/seawall/finding"
)

const savedName = "seawall/bookworm:e2e"

// startDocker runs Debian's Docker without bridge and filter rules: nothing here needs a network.
func startDocker(t *testing.T) engineHost {
	t.Helper()
	lacks(t, "dockerd")
	h := startEngine(t, `exec dockerd --data-root "$DIR/data" --exec-root /run/docker-exec --pidfile /run/docker.pid \
		-H unix:///run/docker.sock --bridge none --iptables=false --default-ulimit nofile=1024:4096`, "run/docker.sock")
	waitFor(t, "docker", func() bool { return h.try("docker", "-H", "unix:///run/docker.sock", "info") == nil })
	return h
}

func TestDocker(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	want := reference(t, u)
	saved := bookwormSaved(t)
	h := startDocker(t)
	h.call(t, "docker", "load", "-i", saved)
	u.prefix = h.enter()
	same(t, want, u.scan(t, "docker:"+savedName))
	same(t, want, u.scan(t, "--engine=docker", savedName))
	t.Run("build", func(t *testing.T) { testDockerBuild(t, h, u, want) })
	if o := u.must(t, 4, "scan", "-q", "docker:no-such-image"); !strings.Contains(o.stderr, "no-such-image") {
		t.Errorf("an unknown image is not named:\n%s", o.stderr)
	}
}

const dockerfile = `FROM seawall/bookworm:e2e
COPY package.json /opt/app/node_modules/seawall-e2e-left/package.json
COPY key.pem /root/key.pem
RUN rm /root/key.pem && dpkg --purge --force-remove-essential --force-depends perl-base
USER 1000
`

// A real build on top: what a later layer removes is gone, what it adds is credited to it, and a secret that only a
// lower layer still carries is found.
func testDockerBuild(t *testing.T, h engineHost, u *user, base finding.Result) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "Dockerfile"), dockerfile)
	write(t, filepath.Join(dir, "package.json"), `{"name":"seawall-e2e-left","version":"1.4.0","license":"MIT"}`)
	write(t, filepath.Join(dir, "key.pem"), privateKey(t))
	h.call(t, "env", "DOCKER_BUILDKIT=0", "docker", "build", "--quiet", "--network", "none", "-t", "seawall/app:e2e", dir)
	built := u.scan(t, "docker:seawall/app:e2e")

	found := findingsOf(built)
	if slices.Contains(found, "CVE-2099-0001 perl") {
		t.Error("perl was purged in the last layer; its finding is still there")
	}
	if want, got := len(base.Inventory.Packages), len(built.Inventory.Packages); want != got {
		t.Errorf("%d packages; %d in the base, one removed and one added", got, want)
	}
	i := slices.IndexFunc(built.Findings, func(f finding.Finding) bool { return f.Package.Name == "seawall-e2e-left" })
	if i < 0 {
		t.Fatalf("no finding for the npm package that a layer adds: %q", found)
	}
	if l := built.Findings[i].Layer; l == nil || l.Index != 1 || !strings.Contains(l.CreatedBy, "COPY") {
		t.Errorf("the npm package is credited to %+v; want layer 1, COPY", l)
	}
	if !slices.ContainsFunc(built.Inventory.Secrets, func(s finding.Secret) bool { return s.Path == "root/key.pem" && s.Deleted }) {
		t.Errorf("the private key of a deleted file is not among the secrets: %+v", built.Inventory.Secrets)
	}
	path := filepath.Join(dir, "app.tar")
	h.call(t, "docker", "save", "-o", path, "seawall/app:e2e")
	same(t, built, u.scan(t, path))
}

func privateKey(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

func TestPodman(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	want := reference(t, u)
	saved := bookwormSaved(t)
	lacks(t, "podman")
	h := startEngine(t, `printf '[engine]\ncgroup_manager="cgroupfs"\nevents_logger="none"\n' >/run/containers.conf
		mkdir -p "$DIR/etc"; echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$DIR/etc/policy.json"
		mkdir -p /etc/containers; mount --bind "$DIR/etc" /etc/containers
		export CONTAINERS_CONF=/run/containers.conf
		exec podman --root "$DIR/data" --runroot /run/podman-run --storage-driver vfs --runtime runc \
			system service --time 0 unix:///run/podman/podman.sock`, "run/podman/podman.sock")
	h.call(t, "podman", "--remote", "--url", "unix:///run/podman/podman.sock", "load", "-i", saved)
	u.prefix = h.enter()
	same(t, want, u.scan(t, "podman:"+savedName))
}

func TestContainerd(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	want := reference(t, u)
	saved := bookwormSaved(t)
	lacks(t, "containerd")
	h := startEngine(t, `printf 'version = 2\nroot = "%s/root"\nstate = "/run/containerd/state"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n' "$DIR" >/run/containerd.toml
		exec containerd --config /run/containerd.toml --log-level error`, "run/containerd/containerd.sock")
	waitFor(t, "containerd", func() bool { return h.try("ctr", "version") == nil })
	h.call(t, "ctr", "images", "import", saved)
	u.prefix = h.enter()
	same(t, want, u.scan(t, "containerd:"+savedName))
}
