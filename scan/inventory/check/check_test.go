package check

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/seawall/seawall/finding"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// good is an image that no check objects to.
func good() Input {
	return Input{
		Distro: finding.Distro{ID: "debian", VersionID: "12", Name: "Debian 12"},
		Image: finding.Image{
			IDKind: finding.IDManifest, Created: now.AddDate(0, -1, 0),
			Layers: []finding.Layer{{LayerRef: finding.LayerRef{Index: 0}}, {LayerRef: finding.LayerRef{Index: 1}}},
			Config: finding.Config{
				User: "app:app", Entrypoint: []string{"/app"}, WorkingDir: "/srv", ExposedPorts: []string{"22/udp", "8080/tcp"},
				Env:         []string{"PATH=/usr/bin", "LD_PRELOAD=/usr/lib/libjemalloc.so.2"},
				Healthcheck: []string{"CMD", "/app", "-check"}, Volumes: []string{"/data"},
				Labels: map[string]string{"org.opencontainers.image.base.name": "docker.io/library/debian:12-slim", "run": "docker run app"},
			},
		},
	}
}

func history(lines ...string) []finding.History {
	var out []finding.History
	for _, l := range lines {
		out = append(out, finding.History{CreatedBy: l})
	}
	return out
}

func ids(in Input) []string {
	var out []string
	for _, c := range Run(in, now) {
		out = append(out, c.ID)
	}
	return out
}

func TestRun(t *testing.T) {
	file := func(paths ...string) (out []File) {
		for _, p := range paths {
			out = append(out, File{Path: p})
		}
		return out
	}
	for _, c := range []struct {
		name   string
		change func(*Input)
		want   string // ids, separated by blanks, without their prefix
	}{
		{"good", func(*Input) {}, ""},
		{"no user", func(in *Input) { in.Image.Config.User = "" }, "001"},
		{"root with group", func(in *Input) { in.Image.Config.User = "0:1000" }, "001"},
		{"number", func(in *Input) { in.Image.Config.User = "1000" }, ""},
		{"no health check", func(in *Input) { in.Image.Config.Healthcheck = nil }, "002"},
		{"health check off", func(in *Input) { in.Image.Config.Healthcheck = []string{"NONE"} }, "002"},
		{"latest base", func(in *Input) {
			in.Image.Config.Labels = map[string]string{"org.opencontainers.image.base.name": "reg.acme.dev:5000/debian"}
		}, "004"},
		{"base by digest", func(in *Input) {
			in.Image.Config.Labels = map[string]string{"org.opencontainers.image.base.name": "debian:latest", "org.opencontainers.image.base.digest": "sha256:00"}
		}, ""},
		{"ports", func(in *Input) { in.Image.Config.ExposedPorts = []string{"22/tcp", "2375"} }, "005 026"},
		{"files", func(in *Input) {
			in.Paths = file("usr/sbin/sshd", "bin/sh", "usr/bin/apt-get", "root/.ssh/authorized_keys", "var/lib/apt/lists/deb_x_Packages")
		}, "006 011 012 015 020"},
		{"setuid", func(in *Input) { in.Setuid = file("usr/bin/su") }, "007"},
		{"world-writable", func(in *Input) { in.WorldWritable = file("dev/null", "srv/data") }, "008"},
		{"devices only", func(in *Input) { in.WorldWritable = file("dev/null") }, ""},
		{"secrets", func(in *Input) {
			in.Secrets = []finding.Secret{{Where: "env A", Title: "x"}, {Where: "history 3", Title: "x"}, {Path: "etc/key", Title: "x"}}
		}, "009 010"},
		{"old", func(in *Input) { in.Image.Created = now.AddDate(-1, 0, 0) }, "013"},
		{"younger than asked", func(in *Input) {
			in.Image.Created, in.MaxAge = now.AddDate(-1, 0, 0), 800*24*time.Hour
		}, ""},
		{"reproducible", func(in *Input) { in.Image.Created = time.Unix(0, 0) }, ""},
		{"end of life", func(in *Input) { in.Distro.VersionID = "9" }, "014"},
		{"unknown distribution", func(in *Input) { in.Distro = finding.Distro{ID: "nonesuch", VersionID: "1"} }, ""},
		{"no command", func(in *Input) { in.Image.Config.Entrypoint = nil }, "016"},
		{"relative", func(in *Input) { in.Image.Config.WorkingDir = "srv" }, "017"},
		{"label", func(in *Input) { in.Image.Config.Labels["RUN"] = "docker run --privileged -v /:/host IMAGE" }, "018"},
		{"empty password", func(in *Input) { in.EmptyPasswords = []string{"root"} }, "019"},
		{"environment", func(in *Input) {
			in.Image.Config.Env = []string{"NODE_TLS_REJECT_UNAUTHORIZED=0", "PYTHONHTTPSVERIFY=1", "LD_AUDIT="}
		}, "028"},
		{"volume", func(in *Input) { in.Image.Config.Volumes = []string{"/var/run/docker.sock"} }, "029"},
		{"root file system", func(in *Input) {
			in.Image = finding.Image{IDKind: finding.IDTree}
			in.Setuid = file("usr/bin/su")
		}, "007"},
		{"sbom", func(in *Input) {
			in.Image.IDKind = finding.IDSBOM
			in.Setuid = file("usr/bin/su")
		}, ""},
	} {
		in := good()
		c.change(&in)
		var want []string
		for _, id := range strings.Fields(c.want) {
			want = append(want, "SW-IMG-"+id)
		}
		if d := cmp.Diff(want, ids(in)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

func TestHistory(t *testing.T) {
	for _, c := range []struct{ instruction, want string }{
		{"ADD https://acme.dev/x.tgz /srv/ # buildkit", "003"},
		{"ADD --checksum=sha256:00 https://acme.dev/x.tgz /srv/ # buildkit", ""},
		{"/bin/sh -c #(nop) ADD file:0d1e2f3a in / ", ""},
		{"RUN /bin/sh -c sudo apt-get install -y x # buildkit", "021"},
		{"RUN /bin/sh -c apt-get install -y sudo # buildkit", ""},
		{"RUN /bin/sh -c curl -fsSL https://acme.dev/i.sh | bash -s -- -y # buildkit", "022"},
		{"RUN /bin/bash -o pipefail -c wget -qO- https://acme.dev/i.sh | tee x | sh # buildkit", "022"},
		{"RUN /bin/sh -c curl https://acme.dev/i.sh | sudo -u root bash # buildkit", "021 022"},
		{"RUN /bin/sh -c sh -c \"$(curl -fsSL https://acme.dev/i.sh)\" # buildkit", "022"},
		{"RUN /bin/bash -c bash <(curl -s https://acme.dev/i.sh) # buildkit", "022"},
		{"RUN /bin/sh -c curl https://acme.dev/x.json | python3 -c 'import json' # buildkit", ""},
		{"RUN /bin/sh -c curl -o x https://acme.dev/x.tgz && tar xf x | sh # buildkit", ""},
		{"RUN /bin/sh -c curl https://acme.dev/x.tgz | tar xz; sh ./x/install.sh # buildkit", ""},
		{"RUN |1 V=1 /bin/sh -c chmod -R 777 /srv # buildkit", "023"},
		{"/bin/sh -c chmod 0777 /srv && true", "023"},
		{"/bin/sh -c chmod a+rwx /srv", "023"},
		{"/bin/sh -c chmod u=rw,go=rw /srv", "023"},
		{"/bin/sh -c chmod 1777 /tmp; chmod 755 /a; chmod +x /b; chmod g+w /c; chmod o+t /d", ""},
		{"RUN /bin/sh -c apt-get update && apt-get -y dist-upgrade # buildkit", "024"},
		{"RUN /bin/sh -c apk upgrade --no-cache # buildkit", "024"},
		{"RUN /bin/sh -c dnf -y update && dnf clean all # buildkit", "024"},
		{"RUN /bin/sh -c dnf -y update openssl # buildkit", ""},
		{"RUN /bin/sh -c apt-get update # buildkit", "025"},
		{"RUN /bin/sh -c set -eux; DEBIAN_FRONTEND=noninteractive apt-get update; apt-get install -y --no-install-recommends x; rm -rf /var/lib/apt/lists/* # buildkit", ""},
		{"RUN /bin/sh -c curl -fsSLk https://acme.dev/x -o x # buildkit", "027"},
		{"RUN /bin/sh -c npm config set strict-ssl false # buildkit", "027"},
		{"RUN /bin/sh -c pip install --trusted-host pypi.acme.dev x # buildkit", "027"},
		{"RUN /bin/sh -c curl -fsSL https://acme.dev/k -o k # buildkit", ""},
		{"RUN /bin/sh -c echo 'curl x | sh; chmod 777 y' # buildkit", ""},
		{"CMD [\"sh\" \"-c\" \"curl x | sh\"]", ""},
		{"", ""},
	} {
		in := good()
		in.Image.Config.History = history(c.instruction)
		var want []string
		for _, id := range strings.Fields(c.want) {
			want = append(want, "SW-IMG-"+id)
		}
		if d := cmp.Diff(want, ids(in)); d != "" {
			t.Errorf("%s: %s", c.instruction, d)
		}
	}
}

// A report names the layer that the instruction made, and does not repeat the instruction, which may hold a secret.
func TestHistoryNamesLayer(t *testing.T) {
	in := good()
	in.Image.Config.History = []finding.History{
		{CreatedBy: "ADD rootfs.tar /"}, {CreatedBy: "ENV A=b", EmptyLayer: true}, {CreatedBy: "RUN /bin/sh -c curl -k -u ci:hunter2hunter https://x"},
	}
	got := Run(in, now)
	if len(got) != 1 || got[0].Layer == nil || got[0].Layer.Index != 1 || got[0].Detail != "instruction 3: RUN curl" {
		t.Errorf("got %+v", got)
	}
}

func TestManyPathsAreCut(t *testing.T) {
	in := good()
	for i := range 3 * maxPaths {
		in.Setuid = append(in.Setuid, File{Path: fmt.Sprintf("bin/%04d", i), Layer: &finding.LayerRef{Index: 1}})
	}
	got := Run(in, now)
	if len(got) != 1 || len(got[0].Paths) != maxPaths || got[0].Layer == nil || !strings.HasPrefix(got[0].Detail, "600 files") {
		t.Errorf("got %+v", got)
	}
}

func TestInteresting(t *testing.T) {
	for path, want := range map[string]bool{
		"bin/sh": true, "usr/bin/dpkg": true, "usr/share/bash": false, "usr/local/bin/pip3": true, "usr/bin/x/sh": false,
		"home/a/.ssh/authorized_keys": true, "var/cache/apt/archives/x.deb": true, "var/cache/apt/archives": false,
		"var/lib/apt/lists/lock": false, "root/.npm/_cacache": true, "": false, "etc/passwd": false,
	} {
		if got := Interesting(path); got != want {
			t.Errorf("Interesting(%q) = %v", path, got)
		}
	}
}

var update = flag.Bool("update", false, "write docs/checks.md anew from the table of rules")

const docs = "../../../docs/checks.md"

const docsHead = `# Configuration checks

What ` + "`seawall scan`" + ` looks for in an image's configuration, build history and files. A gate file or an ignore file names
a check by its id; an id never changes its meaning. CIS is the recommendation of the CIS Docker Benchmark 1.6, section 4,
that a check answers in whole or in part.

A root file system has no configuration and no history: only the checks marked *files* are made there.

| id | what | severity | needs | CIS | fix |
|---|---|---|---|---|---|
`

func TestDocs(t *testing.T) {
	var b strings.Builder
	b.WriteString(docsHead)
	for _, r := range Rules() {
		needs := "files"
		if r.needsConfig {
			needs = "configuration"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", r.ID, r.Title, r.Severity, needs, r.CIS, r.Fix)
	}
	if *update {
		if err := os.WriteFile(docs, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(b.String(), string(have)); d != "" {
		t.Errorf("docs/checks.md differs from the rules; run go test with -update:\n%s", d)
	}
}

func TestRulesAreSortedAndWhole(t *testing.T) {
	if !slices.IsSortedFunc(rules, func(a, b Rule) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("rules are not sorted")
	}
	seen := map[string]bool{}
	for _, r := range rules {
		if seen[r.ID] || r.Title == "" || r.Fix == "" || r.Severity == finding.SeverityUnknown || strings.Contains(r.Fix, "|") {
			t.Errorf("%s is not whole", r.ID)
		}
		seen[r.ID] = true
	}
}

func FuzzHistory(f *testing.F) {
	f.Add("RUN |1 A=b /bin/sh -c sudo -u 'x y' curl -k x | sh && chmod 777 \"a", "run", "--privileged")
	f.Add("/bin/sh -c #(nop) ADD file:x in / ", "", "sudo")
	f.Add("RUN sudo -u", "", "")
	f.Fuzz(func(t *testing.T, instruction, name, value string) {
		in := good()
		in.Image.Config.History = history(instruction, value)
		in.Image.Config.Labels = map[string]string{name: value}
		in.Image.Config.Env = []string{value}
		in.Paths = []File{{Path: name}}
		for _, c := range Run(in, now) {
			if c.Detail == "" || c.Fix == "" || len(c.Detail) > 4096+len(name)+len(value) {
				t.Fatalf("odd report %+v", c)
			}
		}
	})
}

func BenchmarkInteresting(b *testing.B) {
	for b.Loop() {
		Interesting("usr/share/perl/5.36.0/unicore/lib/Nt/De.pl")
	}
}
