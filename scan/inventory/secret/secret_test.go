package secret

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/inventory/secret/sample"
)

func TestFileFindsEverySample(t *testing.T) {
	d := New()
	for seed := range uint64(3) {
		for _, s := range sample.All(seed) {
			found := d.File(s.Path, []byte(s.Content))
			if !slices.ContainsFunc(found, func(f finding.Secret) bool { return f.Rule == s.Rule }) {
				t.Errorf("seed %d: %s in %s: found %v in\n%s", seed, s.Rule, s.Path, found, s.Content)
			}
			if len(found) > 1 && s.Rule != "aws-secret-key" {
				t.Errorf("seed %d: %s in %s: found %d: %v", seed, s.Rule, s.Path, len(found), found)
			}
		}
	}
}

func TestFileKeepsQuietOnDecoys(t *testing.T) {
	d := New()
	for seed := range uint64(3) {
		for _, s := range sample.Decoys(seed) {
			if found := d.File(s.Path, []byte(s.Content)); found != nil {
				t.Errorf("seed %d: %s: found %v in\n%s", seed, s.Path, found, s.Content)
			}
		}
	}
}

// A report must not carry enough of a value to use it: of a long one at most six characters.
func TestMaskedValuesAreUseless(t *testing.T) {
	d := New()
	for _, s := range samples() {
		for _, f := range d.File(s.Path, []byte(s.Content)) {
			if strings.HasPrefix(f.Masked, "-----BEGIN ") {
				continue
			}
			if shown := strings.ReplaceAll(f.Masked, "…", ""); len(shown) > 6 {
				t.Errorf("%s shows %q", f.Rule, f.Masked)
			}
		}
	}
}

func TestEveryRuleHasASample(t *testing.T) {
	without := []string{"azure-token-cache", "gcp-user-credentials"} // tested below
	have := map[string]bool{}
	for _, s := range samples() {
		have[s.Rule] = true
	}
	for _, r := range Rules() {
		if !have[r.ID] && !slices.Contains(without, r.ID) {
			t.Errorf("no sample of %s", r.ID)
		}
		delete(have, r.ID)
	}
	for id := range have {
		t.Errorf("sample of %q, which is no rule", id)
	}
}

func TestFile(t *testing.T) {
	pw := "T0p" + "q9vLx2mZ"
	for _, c := range []struct {
		name, path, content string
		want                []finding.Secret
	}{
		{"two on their lines", "app/.env", "A=1\nDB_PASSWORD=" + pw + "\n\nexport API_TOKEN='" + pw + "8'\n", []finding.Secret{
			{Rule: "assigned-secret", Path: "app/.env", Line: 2, Masked: "…"},
			{Rule: "assigned-secret", Path: "app/.env", Line: 4, Masked: "T0…"},
		}},
		{"example environment", "app/.env.example", "DB_PASSWORD=" + pw + "\n", nil},
		{"comment", "app/.env", "# DB_PASSWORD=" + pw + "\n", nil},
		{"azure cache", "root/.azure/msal_token_cache.json", `{"secret": "` + strings.Repeat(pw, 9) + `"}`, []finding.Secret{
			{Rule: "azure-token-cache", Path: "root/.azure/msal_token_cache.json", Line: 1, Masked: "T0pq…mZ"},
		}},
		{"gcloud user", "root/.config/gcloud/application_default_credentials.json", `{"refresh_token": "1//` + pw + pw + pw + `"}`, []finding.Secret{
			{Rule: "gcp-user-credentials", Path: "root/.config/gcloud/application_default_credentials.json", Line: 1, Masked: "1//T…mZ"},
		}},
		{"php", "srv/wp-config.php", "define( 'DB_PASSWORD', '" + pw + "' );\n", []finding.Secret{
			{Rule: "assigned-secret", Path: "srv/wp-config.php", Line: 1, Masked: "…"},
		}},
		{"configuration", "srv/app/config.json", `{"db": {` + "\n" + `"password": "` + pw + `",` + "\n" + `"user": "x"}}`, []finding.Secret{
			{Rule: "assigned-secret", Path: "srv/app/config.json", Line: 2, Masked: "…"},
		}},
		{"minified configuration", "srv/app/config.json", `{"db":{"user":"x","password":"` + pw + `"},"n":1}`, []finding.Secret{
			{Rule: "assigned-secret", Path: "srv/app/config.json", Line: 1, Masked: "…"},
		}},
		{"a package's configuration", "usr/share/app/config.json", `"password": "` + pw + `"`, nil},
		{"a manual's configuration", "srv/app/docs/config.yaml", "password: " + pw, nil},
		{"lock file", "srv/app/package-lock.json", strings.Repeat("# filler\n", maxHandWritten/9+1) + `"token": "` + pw + `"`, nil},
		{"identity token", "root/.docker/config.json", `{"auths":{"a":{"identitytoken":"` + pw + pw + `"}}}`, []finding.Secret{
			{Rule: "docker-auth", Path: "root/.docker/config.json", Line: 1, Masked: "T0…"},
		}},
		{"message file", "app/messages.properties", "login.password=Enter your password\nreset.token=Token\n", nil},
		{"empty", "app/.env", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := New().File(c.path, []byte(c.content))
			for i := range c.want {
				r := ruleOf(c.want[i].Rule)
				c.want[i].Title, c.want[i].Severity = r.Title, r.Severity
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestWanted(t *testing.T) {
	for path, want := range map[string]bool{
		"app/config.py": true, "usr/share/doc/x/README": false, "app/logo.png": false, "opt/app.so": true,
		"usr/lib/python3/dist-packages/x/tests/key.pem": false, "usr/lib/python3/dist-packages/x/key.pem": true,
	} {
		if got := Wanted(path, 100); got != want {
			t.Errorf("Wanted(%q) = %v", path, got)
		}
	}
	if Wanted("app/dump.sql", MaxFile+1) || Wanted("app/empty", 0) {
		t.Error("wants a file that is too large or empty")
	}
}

// In a program only forms that cannot be chance are reported.
func TestBinary(t *testing.T) {
	for _, s := range samples() {
		if s.Rule != "github-token" && s.Rule != "private-key" && s.Rule != "jwt" {
			continue
		}
		found := New().File("opt/app.bin", []byte("\x7fELF\x00\x01"+s.Content+"\x00"))
		if want := s.Rule != "jwt"; (len(found) == 1) != want {
			t.Errorf("%s in a binary: %v", s.Rule, found)
		}
	}
}

func BenchmarkFile(b *testing.B) {
	line := "The quick brown fox asks for a password=, an access key or token: https://host/path?key=value; eyJ -----BEGIN CERTIFICATE\n"
	text := []byte(strings.Repeat(line, 1<<20/len(line)))
	d := New()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		d.File("app/notes.txt", text)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		New().prepare()
	}
}

// A file of nothing but anchors costs no more than a small multiple of ordinary text: each would read far ahead.
func TestHostileAnchorsAreBounded(t *testing.T) {
	for _, unit := range []string{"-eyJ", "\n-----BEGIN ", "LS0tLS1CRUdJTi", "-----BEGIN PRIVATE KEY-----", "PuTTY-User-Key-File-", "Q~Q~", "postgres://a:b", "glpat-", "pypi-AgE"} {
		text := []byte(strings.Repeat(unit, MaxFile/4/len(unit)))
		v := viewOf(text, false)
		d := New()
		d.prepare()
		d.words.find(text, func(anchor, start int) bool {
			d.needs[anchor](text, start, v)
			return true
		})
		if v.budget < 0 {
			t.Errorf("%q: overspent by %d", unit, -v.budget)
		}
	}
}
