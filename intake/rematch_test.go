package intake_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/intake"
)

// settle brings a hub to where all images are matched against its database.
func (h *hub) settle() {
	h.t.Helper()
	h.run()
	_, err := h.Rematch(context.Background(), nil)
	h.must(err)
	h.told()
}

func TestRematch(t *testing.T) {
	h := newHub(t, nil)
	h.store.rules = []catalog.Rule{enforce("**")}
	h.judge.known = map[string]finding.Finding{"old": high("CVE-2020-1")}
	h.push("a/app", "sha256:1", "log4j", "left-pad")
	h.push("a/app", "sha256:2", "log4j")
	h.push("b/app", "sha256:1", "log4j", "left-pad")
	h.push("b/app", "sha256:3", "left-pad")
	h.push("b/app", "sha256:4", "old")
	h.store.exceptions = []catalog.Exception{{Repositories: "b/*", State: catalog.Approved, Suppression: finding.Suppression{
		Source: finding.SourceHub, ID: "CVE-2021-44228", Expires: start.AddDate(1, 0, 0)}}}
	h.settle()
	scans := h.scanner.runs

	h.pass(time.Hour)
	h.judge.update("sha256:db2", h.now(), map[string]finding.Finding{"log4j": high("CVE-2021-44228")})
	h.must(h.Schedule(t.Context()))
	if got := h.store.waiting(); !slices.Contains(got, "rematch database") {
		t.Fatalf("waiting: %q", got)
	}
	h.run()
	for image, want := range map[[2]string]catalog.Status{
		{"a/app", "sha256:1"}: catalog.Rejected, {"a/app", "sha256:2"}: catalog.Rejected, {"b/app", "sha256:1"}: catalog.Released,
		{"b/app", "sha256:3"}: catalog.Released, {"b/app", "sha256:4"}: catalog.Released,
	} {
		if got := h.status(image[0], image[1]); got != want {
			t.Errorf("%s is %s; want %s", image, got, want)
		}
	}
	want := []string{"newly-affected: CVE-2021-44228: newly affected: 2 images", "image.rejected: a/app is rejected", "image.rejected: a/app is rejected"}
	got := slices.DeleteFunc(h.told(), func(e string) bool { return e[:6] == "report" })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if h.scanner.runs != scans {
		t.Error("an image was unpacked")
	}
	m, err := h.store.Manifest(t.Context(), "b/app", "sha256:3")
	h.must(err)
	if m.Scan.Database.Digest != "sha256:db1" {
		t.Error("an image that nothing concerns was matched")
	}
	decided := h.store.decided
	if a := h.served("b/app", "sha256:3"); !a.Serve || h.store.decided != decided {
		t.Errorf("a pull of an image that the rematch passed by: %+v, matched %v", a, h.store.decided != decided)
	}
	if r, err := h.Rematch(t.Context(), nil); err != nil || r.Images != 0 {
		t.Errorf("again: %+v, %v", r, err)
	}
}

// A database that takes everything back closes findings and releases images, without telling anybody that they are
// affected.
func TestRematchWithdrawn(t *testing.T) {
	h := newHub(t, nil)
	h.judge.known = map[string]finding.Finding{"log4j": high("CVE-2021-44228")}
	h.push("app", "sha256:1", "log4j")
	h.settle()
	h.judge.update("sha256:db2", h.now(), nil)
	r, err := h.Rematch(t.Context(), nil)
	h.must(err)
	if h.status("app", "sha256:1") != catalog.Released || r.Moved != 1 || len(h.told()) > 0 {
		t.Errorf("%s, %+v", h.status("app", "sha256:1"), r)
	}
}

func TestRematchAfterAnInterruption(t *testing.T) {
	h := newHub(t, nil)
	h.push("app", "sha256:1", "log4j")
	h.push("app", "sha256:2", "log4j")
	h.settle()
	h.judge.update("sha256:db2", h.now(), map[string]finding.Finding{"log4j": high("CVE-2021-44228")})
	// One of the two was matched before the hub was stopped.
	if err := h.Handlers()[intake.KindMatch](t.Context(), matchJob("app", "sha256:1"), nil); err != nil {
		t.Fatal(err)
	}
	h.told()
	r, err := h.Rematch(t.Context(), nil)
	h.must(err)
	if r.Decided != 1 {
		t.Errorf("decided %d", r.Decided)
	}
	if got := h.told(); !slices.Contains(got, "newly-affected: CVE-2021-44228: newly affected: 2 images") {
		t.Errorf("told: %q", got)
	}
}

// An exception that speaks of a path can only be judged when the image is decided: who has one is told then, and once.
func TestRematchTellsAboutPathsLater(t *testing.T) {
	h := newHub(t, nil)
	h.push("a/app", "sha256:1", "log4j")
	h.push("b/app", "sha256:2", "log4j")
	h.store.exceptions = []catalog.Exception{{Repositories: "b/*", State: catalog.Approved, Suppression: finding.Suppression{
		Source: finding.SourceHub, ID: "CVE-2021-44228", Path: "opt/other/**", Expires: start.AddDate(1, 0, 0)}}}
	h.settle()
	h.judge.update("sha256:db2", h.now(), map[string]finding.Finding{"log4j": high("CVE-2021-44228")})
	_, err := h.Rematch(t.Context(), nil)
	h.must(err)
	got := slices.DeleteFunc(h.told(), func(e string) bool { return !strings.HasPrefix(e, "newly-affected") })
	want := []string{"newly-affected: CVE-2021-44228: newly affected: 1 image", "newly-affected: CVE-2021-44228: newly affected: 1 image"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// Where nothing is remembered, what is new is found by comparing results.
func TestRematchWithoutMemory(t *testing.T) {
	for name, change := range map[string]func(*intake.Config){"no index": func(c *intake.Config) { c.Index = nil }, "an index": nil} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t, change)
			h.judge.known = map[string]finding.Finding{"log4j": high("CVE-2021-44228")}
			h.push("app", "sha256:1", "log4j", "left-pad")
			h.settle()
			h.index.from = ""
			h.judge.update("sha256:db2", h.now(), map[string]finding.Finding{"log4j": high("CVE-2021-44228"), "left-pad": high("CVE-2026-7")})
			if _, err := h.Rematch(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if got := h.told(); !slices.Equal(got, []string{"newly-affected: CVE-2026-7: newly affected: 1 image"}) {
				t.Errorf("told: %q", got)
			}
		})
	}
}

func TestRematchFollowsADatabaseThatCameMeanwhile(t *testing.T) {
	h := newHub(t, nil)
	h.push("app", "sha256:1", "log4j")
	h.settle()
	accepted := h.index.accepted
	h.judge.update("sha256:db2", h.now(), map[string]finding.Finding{"log4j": high("CVE-2021-44228")})
	once := false
	_, err := h.Rematch(t.Context(), func(string) {
		if !once {
			once = true
			h.judge.update("sha256:db3", h.now(), nil)
		}
	})
	h.must(err)
	if h.index.accepted != accepted {
		t.Error("accepted what another database said")
	}
	h.run()
	if h.status("app", "sha256:1") != catalog.Released {
		t.Errorf("in the end: %s", h.status("app", "sha256:1"))
	}
}

// Many images that become held are told at once.
func TestRematchSumsUpWhatBecameHeld(t *testing.T) {
	h := newHub(t, nil)
	for i := range 12 {
		h.push("app", fmt.Sprintf("sha256:%02d", i), "log4j")
	}
	h.settle()
	h.judge.update("sha256:db2", h.now(), map[string]finding.Finding{"log4j": high("CVE-2021-44228")})
	_, err := h.Rematch(t.Context(), nil)
	h.must(err)
	want := []string{"newly-affected: CVE-2021-44228: newly affected: 12 images", "image.rejected: 12 images became rejected with new advisories"}
	if diff := cmp.Diff(want, h.told()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// BenchmarkRematch matches SEAWALL_BENCH_INVENTORIES images (50,000 for the figure in the documentation) of 300
// packages each, of which a new advisory concerns one in twenty. The store keeps inventories as JSON, as a database does.
func BenchmarkRematch(b *testing.B) {
	n := 2000
	if v, err := strconv.Atoi(os.Getenv("SEAWALL_BENCH_INVENTORIES")); err == nil && v > 0 {
		n = v
	}
	stored := &packed{}
	h := newHub(b, func(c *intake.Config) {
		stored.store = c.Catalog.(*store)
		c.Catalog = stored
	})
	for i := range 20 {
		inv := finding.Inventory{Analyser: analyser}
		for j := range 299 {
			inv.Packages = append(inv.Packages, finding.Package{Name: fmt.Sprintf("package-%d", (i*97+j*7)%2000), Version: "1.2.3", Type: "npm", PURL: "pkg:npm/package@1.2.3"})
		}
		inv.Packages = append(inv.Packages, finding.Package{Name: fmt.Sprintf("only-%d", i), Version: "1", Type: "npm"})
		stored.inventories[i], _ = json.Marshal(inv)
		stored.plain[i] = inv
	}
	for i := range n {
		digest := fmt.Sprintf("sha256:%d", i)
		h.store.put(&catalog.Manifest{
			Repository: fmt.Sprintf("team/app%d", i%1000), Digest: digest, Kind: catalog.KindImage, Status: catalog.Released,
			Scan: &catalog.Evaluation{Scanned: start, Matched: start, Analyser: analyser, Database: h.judge.db},
		})
		h.store.inventories[digest] = stored.plain[i%20]
	}
	h.index.from = "sha256:db1"
	h.must(h.store.PutSetting(b.Context(), "intake.settled", []byte(`{"digest":"sha256:db1"}`), audit.Entry{}))
	i := 1
	for b.Loop() {
		i++
		known := map[string]finding.Finding{}
		if i%2 == 0 {
			known["only-3"] = high("CVE-2026-1")
		}
		h.judge.update(fmt.Sprintf("sha256:db%d", i), start, known)
		r, err := h.Rematch(b.Context(), nil)
		h.must(err)
		b.ReportMetric(float64(r.Decided), "images")
	}
}

// packed is a store that reads inventories from JSON and writes results as JSON.
type packed struct {
	*store
	inventories [20][]byte
	plain       [20]finding.Inventory
}

func (p *packed) Inventory(_ context.Context, digest, _ string) (inv finding.Inventory, err error) {
	n, err := strconv.Atoi(digest[len("sha256:"):])
	if err == nil {
		err = json.Unmarshal(p.inventories[n%20], &inv)
	}
	return inv, err
}

func (p *packed) PutDecided(ctx context.Context, d catalog.Decided, by ...audit.Entry) error {
	if _, err := json.Marshal(d.Result); err != nil {
		return err
	}
	d.Result.Inventory = finding.Inventory{}
	return p.store.change(d.Repository, d.Digest, func(m *catalog.Manifest) {
		m.Status, m.Reasons, m.Scan = d.Status, d.Reasons, &d.Evaluation
	})
}
