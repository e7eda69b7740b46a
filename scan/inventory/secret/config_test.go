package secret

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/inventory/secret/sample"
)

// seen is what a test wants to know of a secret in a configuration.
type seen struct {
	Rule, Where string
	Layer       int // -1: none
}

func seenIn(img finding.Image) []seen {
	var out []seen
	for _, s := range New().Config(img) {
		layer := -1
		if s.Layer != nil {
			layer = s.Layer.Index
		}
		out = append(out, seen{s.Rule, s.Where, layer})
	}
	return out
}

var samples = sync.OnceValue(func() []sample.Sample { return sample.All(11) })

func tokenFor(rule string) string {
	for _, s := range samples() {
		if s.Rule == rule {
			return s.Value
		}
	}
	return ""
}

const chosen = "T0pq9" + "vLx2mZr"

func TestConfigEnvironment(t *testing.T) {
	for _, c := range []struct{ env, rule string }{
		{"DB_PASSWORD=" + chosen, "assigned-secret"},
		{"DB_PASSWORD=correcthorse", "assigned-secret"},
		{"clientSecret=" + chosen, "assigned-secret"},
		{"HTTP_PROXY=http://ci:" + chosen + "@proxy.acme.dev:3128", "assigned-secret"},
		{"DATABASE_URL=postgres://ci:" + chosen + "@db.acme.dev/x", "database-url"},
		{"GH=" + tokenFor("github-token"), "github-token"},
		{"AWS_SECRET_ACCESS_KEY=" + tokenFor("aws-secret-key"), "aws-secret-key"},
		{"TLS_KEY=" + tokenFor("private-key"), "private-key"},
		{"DB_PASSWORD=", ""},
		{"DB_PASSWORD=postgres", ""},
		{"DB_PASSWORD=my-secret-password", ""},
		{"DB_PASSWORD_FILE=/run/secrets/db", ""},
		{"DB_PASSWORD=$OTHER", ""},
		{"ALLOW_EMPTY_PASSWORD=yes-really1", ""},
		{"GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D", ""},
		{"PYTHON_SHA256=f6d419a6d8743ab26700801b4908d26d97e8b986e14f95de31b32de2b0e79554", ""},
		{"PATH=/usr/local/sbin:/usr/local/bin", ""},
		{"PWD=/srv/app12345", ""},
		{"GOTOOLCHAIN=local", ""},
		{"broken", ""},
		{"=" + chosen, ""},
	} {
		var want []seen
		if name, _, _ := strings.Cut(c.env, "="); c.rule != "" {
			want = []seen{{c.rule, "env " + name, -1}}
		}
		got := seenIn(finding.Image{Config: finding.Config{Env: []string{c.env}}})
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", c.env, d)
		}
	}
}

func TestConfigHistory(t *testing.T) {
	for _, c := range []struct {
		instruction string
		rules       []string
	}{
		{"RUN |2 NPM_TOKEN=" + chosen + " VERSION=1.2 /bin/sh -c npm ci # buildkit", []string{"assigned-secret"}},
		{"/bin/sh -c #(nop)  ARG DEPLOY_TOKEN=" + chosen, []string{"assigned-secret"}},
		{"RUN /bin/sh -c curl -fsSu ci:" + chosen + " https://x.acme.dev # buildkit", nil},
		{"RUN /bin/sh -c curl -u ci:" + chosen + " https://x.acme.dev # buildkit", []string{"assigned-secret"}},
		{"RUN /bin/sh -c docker login -u ci -p " + chosen + " reg.acme.dev", []string{"assigned-secret"}},
		{"RUN /bin/sh -c mysql -uroot -p" + chosen + " < init.sql", []string{"assigned-secret"}},
		{"RUN /bin/sh -c git clone https://ci:" + chosen + "@git.acme.dev/app && make", []string{"assigned-secret"}},
		{"RUN /bin/sh -c curl -H \"Authorization: Bearer " + tokenFor("github-token") + "\" https://api.github.com", []string{"github-token"}},
		{"RUN /bin/sh -c export A_SECRET='" + chosen + "'; tool --password \"" + chosen + "8\"", []string{"assigned-secret", "assigned-secret"}},
		{"RUN /bin/sh -c mkdir -p /srv/data12345 && docker ps", nil},
		{"RUN /bin/sh -c tool --password-file /run/secrets/pw --token $TOKEN", nil},
		{"COPY file:9a8b7c6d5e4f in /etc/token", nil},
		{"CMD [\"postgres\"]", nil},
	} {
		got := seenIn(finding.Image{Config: finding.Config{History: []finding.History{{CreatedBy: c.instruction, EmptyLayer: true}}}})
		var rules []string
		for _, s := range got {
			rules = append(rules, s.Rule)
		}
		if d := cmp.Diff(c.rules, rules); d != "" {
			t.Errorf("%s: %s", c.instruction, d)
		}
	}
}

// What the environment shows is not told twice, and instructions with content name their layer.
func TestConfigPlaces(t *testing.T) {
	img := finding.Image{
		Layers: []finding.Layer{{LayerRef: finding.LayerRef{Index: 0}}, {LayerRef: finding.LayerRef{Index: 1}}},
		Config: finding.Config{
			Env:    []string{"A_SECRET=" + chosen},
			Labels: map[string]string{"z.token": chosen + "z", "b.token": chosen + "b", "maintainer": "x"},
			History: []finding.History{
				{CreatedBy: "ADD rootfs.tar / # buildkit"},
				{CreatedBy: "ENV A_SECRET=" + chosen, EmptyLayer: true},
				{CreatedBy: "RUN /bin/sh -c deploy --token " + chosen + "r # buildkit"},
			},
		},
	}
	want := []seen{
		{"assigned-secret", "env A_SECRET", -1}, {"assigned-secret", "label b.token", -1},
		{"assigned-secret", "label z.token", -1}, {"assigned-secret", "history 3", 1},
	}
	if d := cmp.Diff(want, seenIn(img)); d != "" {
		t.Error(d)
	}
}
