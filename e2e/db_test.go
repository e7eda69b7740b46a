//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// published is what a mirror holds: the made up advisories with filler, so that counts and sizes mean something.
func published(filler int) map[string][]object {
	all := maps.Clone(madeUp)
	for i := range filler {
		a := advisory(fmt.Sprintf("GHSA-2099-fill-%04d", i), "npm", fmt.Sprintf("seawall-e2e-filler-%d", i), "2.0.0", "")
		a["details"] = fmt.Sprint(rand.New(rand.NewPCG(7, uint64(i))).Perm(200)) // does not compress well
		all["npm"] = append(slices.Clone(all["npm"]), a)
	}
	return all
}

// app is a root file system with one npm package that the made up advisories speak of, and the file that says so.
func app(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	write(t, filepath.Join(root, "etc/os-release"), "ID=debian\nVERSION_ID=\"12\"\n")
	write(t, filepath.Join(root, "opt/app/node_modules/seawall-e2e-left/package.json"), `{"name":"seawall-e2e-left","version":"1.4.0"}`)
	return root
}

func (u *user) finds(t *testing.T, root string) []string {
	t.Helper()
	return findingsOf(u.scan(t, root, "--scanners", "vuln"))
}

var appFindings = []string{"GHSA-2099-aaaa-0001 seawall-e2e-left"}

func TestUpdateFromMirror(t *testing.T) {
	m := newMirror(t)
	writeBucket(t, m.dir, published(200))
	u, root := m.user(t), app(t)
	u.must(t, 0, "db", "update", "-q", "--from", m.URL)
	if diff := cmp.Diff(appFindings, u.finds(t, root)); diff != "" {
		t.Fatalf("findings (-want +got):\n%s", diff)
	}
	u.must(t, 0, "db", "verify")
	u.must(t, 0, "db", "status", "-o", "json")

	t.Run("unchanged is not fetched again", func(t *testing.T) {
		m.seen()
		u.must(t, 0, "db", "update", "-q", "--from", m.URL)
		for _, r := range m.seen() {
			if strings.HasPrefix(r, "GET") && strings.Contains(r, "GHSA-") {
				t.Errorf("fetched a record that has not changed: %s", r)
			}
		}
	})
	t.Run("out of order", func(t *testing.T) {
		m.set(func(m *mirror) { m.broken = true })
		u.must(t, 4, "db", "update", "-q", "--from", m.URL)
		m.set(func(m *mirror) { m.broken = false })
		if diff := cmp.Diff(appFindings, u.finds(t, root)); diff != "" {
			t.Errorf("the last good database is not in use (-want +got):\n%s", diff)
		}
	})
	t.Run("damaged archive", func(t *testing.T) {
		path := filepath.Join(m.dir, "npm", "all.zip")
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, string(whole[:len(whole)/2]))
		write(t, filepath.Join(m.dir, "npm", "modified_id.csv"), "2026-03-01T00:00:00Z,GHSA-2099-aaaa-0001\n")
		u.run(t, "db", "update", "-q", "--from", m.URL) // may go on with what it has, but must not lose it
		if diff := cmp.Diff(appFindings, u.finds(t, root)); diff != "" {
			t.Errorf("the last good database is not in use (-want +got):\n%s", diff)
		}
	})
	t.Run("shrunk", func(t *testing.T) {
		writeBucket(t, m.dir, published(20))
		if o := u.must(t, 4, "db", "update", "-q", "--from", m.URL); !strings.Contains(o.stderr, "202 records") {
			t.Errorf("the refusal does not say what is lost:\n%s", o.stderr)
		}
		u.must(t, 0, "db", "update", "-q", "--from", m.URL, "--accept-shrink")
	})
}

// A connection that breaks in the middle of an archive costs no second whole download.
func TestUpdateResumes(t *testing.T) {
	m := newMirror(t)
	writeBucket(t, m.dir, published(500))
	m.cutNext = true
	u := m.user(t)
	for range 3 {
		if u.run(t, "db", "update", "-q", "--from", m.URL).code == 0 {
			break
		}
	}
	if !slices.ContainsFunc(m.seen(), func(r string) bool { return strings.HasSuffix(r, "all.zip range") }) {
		t.Error("no part was asked for after a broken connection")
	}
	if diff := cmp.Diff(appFindings, u.finds(t, app(t))); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestUpdateRefusesUnknownCertificateAndPlainHTTP(t *testing.T) {
	m := newMirror(t)
	writeBucket(t, m.dir, madeUp)
	newUser(t).must(t, 4, "db", "update", "-q", "--from", m.URL)
	newUser(t).must(t, 4, "db", "update", "-q", "--from", strings.Replace(m.URL, "https:", "http:", 1))
}

// An update that is killed at any moment leaves a database that works, and the next one goes through.
func TestUpdateKilled(t *testing.T) {
	m := newMirror(t)
	writeBucket(t, m.dir, published(3000))
	u, root := m.user(t), app(t)
	begin := time.Now()
	u.must(t, 0, "db", "update", "-q", "--from", m.URL)
	whole := time.Since(begin)
	var killed int
	for i := range 20 {
		writeBucket(t, m.dir, published(3001+i))
		cmd := u.command(t.Context(), "db", "update", "-q", "--from", m.URL)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.Int64N(int64(whole))))
		_ = cmd.Process.Kill()
		if cmd.Wait() != nil {
			killed++
		}
		u.must(t, 0, "db", "verify")
		if diff := cmp.Diff(appFindings, u.finds(t, root)); diff != "" {
			t.Fatalf("after kill %d (-want +got):\n%s", i, diff)
		}
	}
	t.Logf("%d of 20 updates were killed, each within %s", killed, whole)
	u.must(t, 0, "db", "update", "-q", "--from", m.URL)
	u.must(t, 0, "db", "verify")
	if left, err := filepath.Glob(filepath.Join(u.dbDir(), "*tmp*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q %v", left, err)
	}
}

// A database is carried to a site without network in one file, which only a trusted key can have signed.
func TestExportImport(t *testing.T) {
	builder, site := withMadeUp(t, newUser(t)), newUser(t)
	root := app(t)
	file := filepath.Join(builder.home, "advisories.seawall")
	builder.must(t, 0, "db", "keygen", "builder", "--out", filepath.Join(builder.home, "builder"))
	builder.must(t, 0, "db", "keygen", "stranger", "--out", filepath.Join(builder.home, "stranger"))
	key, public := filepath.Join(builder.home, "builder.key"), filepath.Join(builder.home, "builder.pub")
	builder.must(t, 4, "db", "export", file)
	builder.must(t, 0, "db", "export", "--sign-key", key, file)

	site.must(t, 4, "db", "import", file)
	site.must(t, 4, "db", "import", "--key", filepath.Join(builder.home, "stranger.pub"), file)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{len(whole) / 3, len(whole) / 2, len(whole) - 100} {
		altered := slices.Clone(whole)
		altered[at] ^= 1
		site.must(t, 4, "db", "import", "--key", public, write(t, filepath.Join(site.home, "altered.seawall"), string(altered)))
	}
	site.must(t, 4, "db", "import", "--key", public, write(t, filepath.Join(site.home, "cut.seawall"), string(whole[:len(whole)-1])))
	if r := site.scan(t, root); !r.Database.Starter {
		t.Fatal("a refused import left something behind")
	}
	site.must(t, 0, "db", "import", "--key", public, file)
	if diff := cmp.Diff(appFindings, site.finds(t, root)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	trusted, err := os.ReadFile(public)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(site.dbDir(), "keys", "builder.pub"), string(trusted))
	if o := site.must(t, 0, "db", "status"); !strings.Contains(o.stdout, "signed by builder") {
		t.Errorf("the status does not name the signer:\n%s", o.stdout)
	}
}

// The new advisories of a day are matched against stored bills of materials.
func TestAffected(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	bills := t.TempDir()
	u.must(t, 0, "sbom", "-q", app(t), "-o", "cyclonedx", "--out", filepath.Join(bills, "hit.json"))
	other := t.TempDir()
	write(t, filepath.Join(other, "opt/node_modules/other/package.json"), `{"name":"other","version":"1.0.0"}`)
	u.must(t, 0, "sbom", "-q", other, "-o", "cyclonedx", "--out", filepath.Join(bills, "miss.json"))
	o := u.must(t, 0, "db", "affected", "--since", "2026-01-01", "--sboms", bills)
	if !strings.Contains(o.stdout, "hit.json") || strings.Contains(o.stdout, "miss.json") || !strings.Contains(o.stdout, "GHSA-2099-aaaa-0001") {
		t.Errorf("affected since the advisories were changed:\n%s", o.stdout)
	}
	if o := u.must(t, 0, "db", "affected", "--since", "2026-06-01", "--sboms", bills); strings.Contains(o.stdout, "hit.json") {
		t.Errorf("affected by advisories that did not change since:\n%s", o.stdout)
	}
}
