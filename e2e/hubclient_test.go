//go:build e2e

package e2e

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// client is a real program that pushes and pulls.
type client struct {
	name string
	// push and pull sign in as somebody first; pull fetches everything, and fails with what the program said.
	push func(t *testing.T, h *hub, who login, file, ref string)
	pull func(t *testing.T, h *hub, who login, ref string) (said string, err error)
}

// clients are made when a test needs them: an engine is started for it alone. One that lacks its program skips.
var clients = map[string]func(t *testing.T) client{
	"docker": dockerClient, "podman": podmanClient, "buildah": buildahClient, "skopeo": skopeoClient, "crane": craneClient,
}

func dockerClient(t *testing.T) client {
	lacks(t, "dockerd")
	h := engineHere(t, `exec dockerd --data-root "$DIR/data" --exec-root /run/docker-exec --pidfile /run/docker.pid \
		-H unix:///run/docker.sock --bridge none --iptables=false --ip-forward=false --default-ulimit nofile=1024:4096`, "run/docker.sock")
	waitFor(t, "docker", func() bool { return h.try("docker", "-H", "unix:///run/docker.sock", "info") == nil })
	docker := func(hub *hub, who login) tool {
		home := t.TempDir()
		c := tool{line: append(h.enter(), "docker", "--config", home, "-H", "unix:///run/docker.sock")}
		c.must(t, who.password, "login", "--username", who.name, "--password-stdin", hub.host)
		return c
	}
	return client{
		push: func(t *testing.T, hub *hub, who login, file, ref string) {
			d := docker(hub, who)
			loaded := d.must(t, "", "load", "-i", file)
			d.must(t, "", "tag", strings.TrimSpace(strings.TrimPrefix(loaded, "Loaded image:")), ref)
			d.must(t, "", "push", ref)
			d.must(t, "", "image", "rm", ref)
		},
		pull: func(t *testing.T, hub *hub, who login, ref string) (string, error) {
			d := docker(hub, who)
			said, err := d.try("", "pull", ref)
			if err == nil {
				d.must(t, "", "image", "rm", ref)
			}
			return said, err
		},
	}
}

// libpod is where podman and buildah keep what they keep, with a policy that the machine may lack.
func libpod(t *testing.T) engineHost {
	return engineHere(t, `printf '[engine]\ncgroup_manager="cgroupfs"\nevents_logger="none"\n' >/run/containers.conf
		mkdir -p "$DIR/etc"; echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$DIR/etc/policy.json"
		mkdir -p /etc/containers; mount --bind "$DIR/etc" /etc/containers
		touch /run/ready; exec sleep infinity`, "run/ready")
}

func podmanClient(t *testing.T) client {
	lacks(t, "podman")
	return libpodClient(t, "podman", func(p tool, file, ref string) {
		loaded := p.must(t, "", "load", "-i", file)
		_, name, _ := strings.Cut(strings.TrimSpace(loaded), "Loaded image: ")
		p.must(t, "", "tag", strings.TrimSpace(name), ref)
	})
}

func buildahClient(t *testing.T) client {
	lacks(t, "buildah")
	return libpodClient(t, "buildah", func(b tool, file, ref string) {
		b.must(t, "", "pull", "docker-archive:"+file)
		names := strings.Fields(b.must(t, "", "images", "--format", "{{.ID}}"))
		b.must(t, "", "tag", names[0], ref)
	})
}

func libpodClient(t *testing.T, program string, load func(c tool, file, ref string)) client {
	inside, storage := libpod(t), t.TempDir()
	run := func(hub *hub, who login) tool {
		c := tool{line: append(inside.enter(), "CONTAINERS_CONF=/run/containers.conf", "REGISTRY_AUTH_FILE="+filepath.Join(t.TempDir(), "auth.json"),
			program, "--root", storage, "--runroot", "/run/"+program, "--storage-driver", "vfs")}
		c.must(t, who.password, "login", "--tls-verify=false", "--username", who.name, "--password-stdin", hub.host)
		return c
	}
	return client{
		push: func(t *testing.T, hub *hub, who login, file, ref string) {
			c := run(hub, who)
			load(c, file, ref)
			c.must(t, "", "push", "--tls-verify=false", ref)
			c.must(t, "", "rmi", "--all", "--force")
		},
		pull: func(t *testing.T, hub *hub, who login, ref string) (string, error) {
			c := run(hub, who)
			said, err := c.try("", "pull", "--tls-verify=false", ref)
			if err == nil {
				c.must(t, "", "rmi", "--all", "--force")
			}
			return said, err
		},
	}
}

func skopeoClient(t *testing.T) client {
	need(t, "skopeo")
	run := tool{line: []string{"skopeo", "--insecure-policy"}}
	return client{
		push: func(t *testing.T, _ *hub, who login, file, ref string) {
			run.must(t, "", "copy", "--dest-tls-verify=false", "--dest-creds="+who.String(), "docker-archive:"+file, "docker://"+ref)
		},
		pull: func(t *testing.T, _ *hub, who login, ref string) (string, error) {
			return run.try("", "copy", "--all", "--preserve-digests", "--src-tls-verify=false", "--src-creds="+who.String(), "docker://"+ref, "oci:"+t.TempDir()+":x")
		},
	}
}

func craneClient(t *testing.T) client {
	need(t, "crane")
	run := func(h *hub, who login) tool {
		c := tool{line: []string{"crane"}, env: []string{"DOCKER_CONFIG=" + t.TempDir()}}
		c.must(t, who.password, "auth", "login", h.host, "--username", who.name, "--password-stdin")
		return c
	}
	return client{
		push: func(t *testing.T, h *hub, who login, file, ref string) {
			run(h, who).must(t, "", "push", "--insecure", file, ref)
		},
		pull: func(t *testing.T, h *hub, who login, ref string) (string, error) {
			return run(h, who).try("", "pull", "--insecure", "--format", "oci", ref, filepath.Join(t.TempDir(), "image"))
		},
	}
}

// Each client pushes what each other one pulls, byte for byte: the digest is the same everywhere.
func TestHubClients(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	h := startHub(t, hubConfig{advisories: u.dbDir()})
	pusher, puller := h.person("pusher", "pusher"), h.person("puller", "puller")
	for name, start := range clients {
		t.Run(name, func(t *testing.T) {
			c := start(t)
			file := saved(t, debian(t, vulnerable, "pushed by "+name), "made/up:1")
			repository := "clients/" + name
			ref := h.host + "/" + repository + ":1"
			c.push(t, h, pusher, file, ref)
			if said, err := c.pull(t, h, puller, ref); err != nil {
				t.Errorf("pulling by tag: %v\n%s", err, said)
			}
			digest := h.resolve(repository + ":1")
			if said, err := c.pull(t, h, puller, h.host+"/"+repository+"@"+digest); err != nil {
				t.Errorf("pulling by digest: %v\n%s", err, said)
			}
			if said, err := c.pull(t, h, puller, h.host+"/"+repository+":2"); err == nil {
				t.Errorf("pulled a tag that is not there: %s", said)
			}
			m := h.scanned(repository, digest)
			if m.PushedBy != "pusher" || m.Scan.Counts.Critical != 1 {
				t.Errorf("pushed by %q, %d critical; want pusher and 1", m.PushedBy, m.Scan.Counts.Critical)
			}
			mayNotPush(t, h, puller, repository)
		})
	}
}

// mayNotPush fails the test unless somebody is kept from pushing.
func mayNotPush(t *testing.T, h *hub, who login, repository string) {
	t.Helper()
	ref, err := h.reference(repository + ":no")
	if err == nil {
		err = remote.Write(ref, debian(t, clean, "by "+who.name), h.as(who)...)
	}
	if err == nil || !strings.Contains(err.Error(), "DENIED") {
		t.Errorf("%s pushed to %s: %v", who.name, repository, err)
	}
}

// resolve asks the registry for the digest of a tag.
func (h *hub) resolve(path string) string {
	h.t.Helper()
	digest, err := h.tryResolve(path)
	if err != nil {
		h.t.Fatal(err)
	}
	return digest
}

func (h *hub) tryResolve(path string) (string, error) {
	ref, err := h.reference(path)
	if err != nil {
		return "", err
	}
	d, err := remote.Head(ref, h.as(login{"admin", adminPassword})...)
	if err != nil {
		return "", err
	}
	return d.Digest.String(), nil
}

// An index for two platforms goes in and out whole, its images are scanned each, and a copy within the hub, a mount,
// is the same.
func TestHubIndex(t *testing.T) {
	need(t, "skopeo", "crane")
	u := withMadeUp(t, newUser(t))
	h := startHub(t, hubConfig{advisories: u.dbDir()})
	one, other := debian(t, vulnerable, "amd64"), debian(t, clean, "arm64")
	x := index(t, one, other)
	ref, err := h.reference("team/index:1")
	if err == nil {
		err = remote.WriteIndex(ref, x, h.as(login{"admin", adminPassword})...)
	}
	if err != nil {
		t.Fatal(err)
	}
	if n := h.scanned("team/index", digestOf(t, one)).Scan.Counts.Critical; n != 1 {
		t.Errorf("the first platform has %d critical findings; want 1", n)
	}
	if n := h.scanned("team/index", digestOf(t, other)).Scan.Counts.Critical; n != 0 {
		t.Errorf("the second platform has %d critical findings; want 0", n)
	}
	admin := login{"admin", adminPassword}
	crane := tool{line: []string{"crane"}, env: []string{"DOCKER_CONFIG=" + t.TempDir()}}
	crane.must(t, admin.password, "auth", "login", h.host, "--username", admin.name, "--password-stdin")
	crane.must(t, "", "copy", "--insecure", ref.String(), h.host+"/team/copy:1")
	if got, want := h.resolve("team/copy:1"), digestOf(t, x); got != want {
		t.Errorf("the index came back as %s; want %s", got, want)
	}
	// skopeo may write another form of index, but it takes both images along.
	skopeo := tool{line: []string{"skopeo", "--insecure-policy"}}
	skopeo.must(t, "", "copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false", "--src-creds="+admin.String(),
		"--dest-creds="+admin.String(), "docker://"+ref.String(), "docker://"+h.host+"/team/other:1")
	h.scanned("team/other", digestOf(t, other))
}

// What is no image is kept and served, not scanned, and not held for want of a scan.
func TestHubArtifact(t *testing.T) {
	need(t, "crane")
	u := withMadeUp(t, newUser(t))
	h := startHub(t, hubConfig{advisories: u.dbDir()})
	h.call("POST", "/rules", object{"name": "all", "pattern": "**", "mode": "enforce"}, nil)
	puller := h.person("puller", "puller")
	a := artifact(t, "application/vnd.example.policy.v1+json", `{"allow":true}`)
	h.push("team/policy", "1", a)
	ref, err := h.reference("team/policy:1")
	if err != nil {
		t.Fatal(err)
	}
	got, err := remote.Get(ref, h.as(puller)...)
	if err != nil {
		t.Fatalf("an artifact in a repository that is enforced: %v", err)
	}
	var m struct{ Layers []struct{ Digest string } }
	if err := json.Unmarshal(got.Manifest, &m); err != nil || len(m.Layers) != 1 {
		t.Fatalf("%v in %s", err, got.Manifest)
	}
	c := tool{line: []string{"crane"}, env: []string{"DOCKER_CONFIG=" + t.TempDir()}}
	c.must(t, puller.password, "auth", "login", h.host, "--username", puller.name, "--password-stdin")
	if content := c.must(t, "", "blob", "--insecure", h.host+"/team/policy@"+m.Layers[0].Digest); content != `{"allow":true}` {
		t.Errorf("the content is %q", content)
	}
}
