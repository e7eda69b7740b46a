package intake_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/intake"
)

func TestPushScanRelease(t *testing.T) {
	h := newHub(t, nil)
	h.store.rules = []catalog.Rule{enforce("**")}
	h.judge.known = map[string]finding.Finding{"log4j": high("CVE-2021-44228")}
	h.push("team/app", "sha256:good", "left-pad")
	h.push("team/app", "sha256:bad", "log4j")
	if a := h.served("team/app", "sha256:good"); a.Serve || !strings.Contains(a.Message, "being scanned") {
		t.Errorf("before the scan: %+v", a)
	}
	h.run()
	if a := h.served("team/app", "sha256:good"); !a.Serve || a.Status != catalog.Released {
		t.Errorf("after the scan: %+v", a)
	}
	bad := h.served("team/app", "sha256:bad")
	want := "held: 1 high finding (CVE-2021-44228); see https://hub.example/images/team%2Fapp/sha256:bad"
	if bad.Serve || bad.Message != want {
		t.Errorf("a rejected image: %+v", bad)
	}
	if a, err := h.Serve(t.Context(), "team/app", "sha256:bad", true); err != nil || !a.Serve {
		t.Errorf("who may pull what is held: %+v, %v", a, err)
	}
	if got := h.told(); !slices.Equal(got, []string{"image.rejected: team/app is rejected"}) {
		t.Errorf("notifications: %q", got)
	}
	var acts []string
	for _, e := range h.store.records {
		acts = append(acts, e.Action+" by "+e.Actor.Name)
	}
	if diff := cmp.Diff([]string{"image.push by alice", "image.push by alice", "image.released by intake", "image.rejected by intake"}, acts); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	m, err := h.store.Manifest(t.Context(), "team/app", "sha256:bad")
	h.must(err)
	if m.Scan.Counts.High != 1 || m.Scan.Packages != 1 || m.PushedBy != "alice" || m.PushedFrom != "192.0.2.1" {
		t.Errorf("the manifest: %s", jsonOf(m))
	}
}

func TestObserveServesAndMarks(t *testing.T) {
	h := newHub(t, nil)
	h.judge.known = map[string]finding.Finding{"log4j": high("CVE-2021-44228")}
	h.push("team/app", "sha256:bad", "log4j")
	if a := h.served("team/app", "sha256:bad"); !a.Serve || a.Status != catalog.Received {
		t.Errorf("before the scan: %+v", a)
	}
	h.run()
	if a := h.served("team/app", "sha256:bad"); !a.Serve || a.Status != catalog.Rejected {
		t.Errorf("after the scan: %+v", a)
	}
	if a, err := h.ServeBlob(t.Context(), "team/app", "sha256:unknown", false); err != nil || !a.Serve {
		t.Errorf("a blob: %+v, %v", a, err)
	}
}

func TestBlobs(t *testing.T) {
	h := newHub(t, nil)
	h.store.rules = []catalog.Rule{enforce("**")}
	h.judge.known = map[string]finding.Finding{"log4j": high("CVE-2021-44228")}
	h.push("team/app", "sha256:bad", "log4j")
	h.run()
	serves := func(blob string) bool {
		t.Helper()
		a, err := h.ServeBlob(t.Context(), "team/app", blob, false)
		h.must(err)
		if !a.Serve && !strings.HasPrefix(a.Message, "held: ") {
			t.Errorf("%s: %q", blob, a.Message)
		}
		return a.Serve
	}
	if serves("sha256:config-sha256:bad") || serves("sha256:base") || serves("sha256:of-nobody") {
		t.Error("a blob of a held image, or of none, is served")
	}
	h.push("team/app", "sha256:good", "left-pad")
	h.run()
	if !serves("sha256:base") || serves("sha256:config-sha256:bad") {
		t.Error("a blob that a released image names is not served, or another is")
	}
	h.must(h.Deleted(t.Context(), "team/app", "sha256:good", alice, "", ""))
	if serves("sha256:base") {
		t.Error("a blob of a deleted image is served")
	}
	if _, err := h.Serve(t.Context(), "team/app", "sha256:good", true); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("a deleted image: %v", err)
	}
}

// Naming the blobs of a held image in an artifact does not let them out.
func TestArtifactsReleaseNoImage(t *testing.T) {
	h := newHub(t, nil)
	h.store.rules = []catalog.Rule{enforce("**")}
	h.judge.known = map[string]finding.Finding{"log4j": high("CVE-2021-44228")}
	const empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
	h.push("team/app", "sha256:bad", "log4j")
	h.run()
	artifact := func(digest string, blobs ...string) {
		h.must(h.Pushed(t.Context(), catalog.Manifest{Repository: "team/app", Digest: digest, Kind: catalog.KindArtifact, Blobs: blobs}, alice, ""))
	}
	artifact("sha256:artifact", "sha256:config-sha256:bad", "sha256:base", "sha256:statement", empty)
	h.must(h.Pushed(t.Context(), catalog.Manifest{Repository: "team/app", Digest: "sha256:naming", Kind: catalog.KindImage, Blobs: []string{empty}}, alice, ""))
	for blob, want := range map[string]bool{"sha256:config-sha256:bad": false, "sha256:base": false, "sha256:statement": true, empty: true} {
		if a, err := h.ServeBlob(t.Context(), "team/app", blob, false); err != nil || a.Serve != want {
			t.Errorf("%s: %+v, %v; want %v", blob, a, err, want)
		}
	}
}

func TestOneScanForManyRepositories(t *testing.T) {
	h := newHub(t, nil)
	h.push("team/app", "sha256:a", "left-pad")
	h.run()
	h.pass(time.Hour)
	h.push("other/app", "sha256:a", "left-pad")
	h.run()
	if h.scanner.runs != 1 {
		t.Errorf("%d scans", h.scanner.runs)
	}
	m, err := h.store.Manifest(t.Context(), "other/app", "sha256:a")
	h.must(err)
	if m.Status != catalog.Released || !m.Scan.Scanned.Equal(start) || !m.Scan.Matched.Equal(start.Add(time.Hour)) {
		t.Errorf("%s", jsonOf(m))
	}
	if _, err := h.Order(t.Context(), "other/app", "sha256:a", true, alice); err != nil {
		t.Fatal(err)
	}
	h.run()
	if h.scanner.runs != 2 {
		t.Errorf("%d scans after one that was ordered anew", h.scanner.runs)
	}
}

func TestScanFails(t *testing.T) {
	h := newHub(t, nil)
	h.store.rules = []catalog.Rule{enforce("**")}
	h.scanner.fail = errors.New("layer 2 is no tar")
	h.push("team/app", "sha256:a", "left-pad")
	for range 2 {
		if err := h.try(); err == nil {
			t.Fatal("a failed scan is a job that succeeds")
		}
		_, err := h.Order(t.Context(), "team/app", "sha256:a", false, alice)
		h.must(err)
	}
	if a := h.served("team/app", "sha256:a"); a.Serve || !strings.Contains(a.Message, "layer 2 is no tar") && !strings.Contains(a.Message, "try again") {
		t.Errorf("%+v", a)
	}
	if got := h.told(); !slices.Equal(got, []string{"scan.failed: An image could not be scanned"}) {
		t.Errorf("told %q", got)
	}
	h.scanner.fail = nil
	h.run()
	if got := h.status("team/app", "sha256:a"); got != catalog.Released {
		t.Errorf("after it went well: %s", got)
	}
	h.scanner.fail = errors.New("storage away")
	if _, err := h.Order(t.Context(), "team/app", "sha256:a", true, alice); err != nil {
		t.Fatal(err)
	}
	_ = h.try()
	m, err := h.store.Manifest(t.Context(), "team/app", "sha256:a")
	h.must(err)
	if m.Status != catalog.Released || !strings.Contains(m.Scan.Error, "storage away") {
		t.Errorf("a scan that fails again: %s", jsonOf(m))
	}
}

func TestIndex(t *testing.T) {
	h := newHub(t, nil)
	h.store.rules = []catalog.Rule{enforce("**")}
	h.judge.known = map[string]finding.Finding{"log4j": high("CVE-2021-44228")}
	h.push("app", "sha256:amd64", "left-pad")
	h.push("app", "sha256:arm64", "log4j")
	h.must(h.Pushed(t.Context(), catalog.Manifest{Repository: "app", Digest: "sha256:attest", Kind: catalog.KindArtifact}, alice, ""))
	h.must(h.Pushed(t.Context(), catalog.Manifest{
		Repository: "app", Digest: "sha256:index", Kind: catalog.KindIndex, Children: []string{"sha256:amd64", "sha256:arm64", "sha256:attest"},
	}, alice, ""))
	if got := h.status("app", "sha256:index"); got != catalog.Received {
		t.Errorf("before the scan: %s", got)
	}
	h.run()
	m, err := h.store.Manifest(t.Context(), "app", "sha256:index")
	h.must(err)
	if m.Status != catalog.Rejected || len(m.Reasons) != 1 || m.Reasons[0].Message != "linux/amd64: 1 high finding (CVE-2021-44228)" {
		t.Errorf("the index: %s", jsonOf(m))
	}
	if a := h.served("app", "sha256:index"); !a.Serve {
		t.Errorf("an index with one platform that is served: %+v", a)
	}
	if h.served("app", "sha256:arm64").Serve || !h.served("app", "sha256:amd64").Serve {
		t.Error("its platforms are not served each by its own verdict")
	}
	h.must(h.store.PutScanError(t.Context(), "app", "sha256:amd64", "", catalog.Rejected, nil))
	h.Touched("app")
	if a := h.served("app", "sha256:index"); a.Serve {
		t.Errorf("an index of which nothing is served: %+v", a)
	}
}

func TestTrust(t *testing.T) {
	h := newHub(t, nil)
	r := enforce("**")
	r.Trust = &catalog.TrustRule{Signers: []catalog.Signer{{Name: "release"}}}
	h.store.rules = []catalog.Rule{r}
	h.push("app", "sha256:"+strings.Repeat("a", 64), "left-pad")
	h.run()
	digest := "sha256:" + strings.Repeat("a", 64)
	if a := h.served("app", digest); a.Serve || !strings.Contains(a.Message, "no signature by release") {
		t.Errorf("without a signature: %+v", a)
	}
	h.truster.signed[digest] = true
	h.must(h.Pushed(t.Context(), catalog.Manifest{Repository: "app", Digest: "sha256:sig", Kind: catalog.KindArtifact, Subject: digest}, alice, ""))
	h.run()
	if a := h.served("app", digest); !a.Serve {
		t.Errorf("with a signature: %+v", a)
	}
	h.truster.signed[digest] = false
	h.must(h.Deleted(t.Context(), "app", "sha256:sig", alice, "", ""))
	h.run()
	if h.served("app", digest).Serve {
		t.Error("served after its signature was deleted")
	}
	h.truster.signed[digest] = true
	h.must(h.Pushed(t.Context(), catalog.Manifest{Repository: "app", Digest: "sha256:old", Kind: catalog.KindArtifact}, alice, ""))
	h.must(h.Tagged(t.Context(), "app", "sha256-"+strings.Repeat("a", 64)+".sig", "sha256:old", alice, ""))
	h.run()
	if !h.served("app", digest).Serve {
		t.Error("not served after a signature came under a tag")
	}
	h.truster.fail = errors.New("storage away")
	h.must(h.Pushed(t.Context(), catalog.Manifest{Repository: "app", Digest: "sha256:sig2", Kind: catalog.KindArtifact, Subject: digest}, alice, ""))
	h.run()
	if a := h.served("app", digest); a.Serve || !strings.Contains(a.Message, "storage away") {
		t.Errorf("when signatures cannot be verified: %+v", a)
	}
	h.must(h.Pushed(t.Context(), catalog.Manifest{Repository: "app", Digest: "sha256:own", Kind: catalog.KindArtifact, Subject: digest}, audit.System("intake"), ""))
	if got := h.store.waiting(); len(got) > 0 {
		t.Errorf("what the hub attached has %q follow", got)
	}
}

func TestPullMatchesAnewWhatIsStale(t *testing.T) {
	h := newHub(t, nil)
	r := enforce("prod/**")
	r.VerdictMaxAge = catalog.Duration(24 * time.Hour)
	h.store.rules = []catalog.Rule{r}
	h.push("prod/app", "sha256:a", "log4j")
	h.push("dev/app", "sha256:a", "log4j")
	h.run()
	if !h.served("prod/app", "sha256:a").Serve {
		t.Fatal("not served")
	}
	h.pass(time.Minute)
	h.judge.update("sha256:db2", h.now(), map[string]finding.Finding{"log4j": high("CVE-2021-44228")})
	if a := h.served("prod/app", "sha256:a"); a.Serve || a.Status != catalog.Rejected {
		t.Errorf("with a newer database: %+v", a)
	}
	if a := h.served("dev/app", "sha256:a"); !a.Serve || a.Status != catalog.Released {
		t.Errorf("under observation: %+v", a)
	}
	if h.scanner.runs != 1 {
		t.Errorf("%d scans", h.scanner.runs)
	}
	h.judge.update("sha256:db2", h.now(), nil)
	h.pass(25 * time.Hour)
	if a := h.served("prod/app", "sha256:a"); !a.Serve {
		t.Errorf("older than the rule allows: %+v", a)
	}
}

func TestPullFailsClosedUnderEnforcement(t *testing.T) {
	h := newHub(t, nil)
	h.store.rules = []catalog.Rule{enforce("prod/**"), {ID: 2, Pattern: "dev/**", VerdictMaxAge: catalog.Duration(time.Hour)}}
	h.push("prod/app", "sha256:a", "left-pad")
	h.push("dev/app", "sha256:a", "left-pad")
	h.run()
	h.pass(2 * time.Hour)
	release := make(chan struct{})
	h.judge.update("sha256:db2", h.now(), nil)
	h.judge.mu.Lock()
	h.judge.wait = release
	h.judge.mu.Unlock()
	if a := h.served("prod/app", "sha256:a"); a.Serve || !strings.Contains(a.Message, "newer advisories") {
		t.Errorf("enforced: %+v", a)
	}
	if a := h.served("dev/app", "sha256:a"); !a.Serve || !a.Stale {
		t.Errorf("observed: %+v", a)
	}
	close(release)
	for deadline := time.Now().Add(10 * time.Second); !h.served("prod/app", "sha256:a").Serve; {
		if time.Now().After(deadline) {
			t.Fatal("the match that a pull began does not end")
		}
	}
}

func TestPullsOfOneImageMatchOnce(t *testing.T) {
	h := newHub(t, func(c *intake.Config) { c.PullWait = 10 * time.Second })
	h.store.rules = []catalog.Rule{enforce("**")}
	h.push("app", "sha256:a", "left-pad")
	h.run()
	before := h.store.decided
	h.pass(time.Hour)
	h.judge.update("sha256:db2", h.now(), nil)
	var pulls sync.WaitGroup
	for range 30 {
		pulls.Go(func() {
			if a, err := h.Serve(context.Background(), "app", "sha256:a", false); err != nil || !a.Serve {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
	pulls.Wait()
	if n := h.store.decided - before; n < 1 || n > 3 {
		t.Errorf("%d matches for 30 pulls at once", n)
	}
}

func TestScanOnPull(t *testing.T) {
	h := newHub(t, nil)
	h.push("app", "sha256:a", "left-pad")
	h.store.jobs = nil // came by another way
	if a := h.served("app", "sha256:a"); !a.Serve {
		t.Errorf("%+v", a)
	}
	if got := h.store.waiting(); !slices.Equal(got, []string{"scan app@sha256:a"}) {
		t.Errorf("waiting: %q", got)
	}
	h.store.jobs = nil
	h.pass(time.Hour)
	h.must(h.Sweep(t.Context()))
	if got := h.store.waiting(); !slices.Contains(got, "scan app@sha256:a") {
		t.Errorf("after a sweep: %q", got)
	}
}

func TestOverride(t *testing.T) {
	h := newHub(t, nil)
	h.store.rules = []catalog.Rule{enforce("**")}
	h.judge.known = map[string]finding.Finding{"log4j": high("CVE-2021-44228")}
	h.push("app", "sha256:a", "log4j")
	h.push("app", "sha256:b", "left-pad")
	h.run()
	override := func(digest string, o *catalog.Override) {
		h.must(h.store.change("app", digest, func(m *catalog.Manifest) { m.Override = o }))
		h.Touched("app")
	}
	override("sha256:a", &catalog.Override{Status: catalog.Released, By: "bob", Reason: "hotfix", Expires: start.Add(time.Hour)})
	override("sha256:b", &catalog.Override{Status: catalog.Rejected, By: "bob", Reason: "leaked key"})
	if !h.served("app", "sha256:a").Serve {
		t.Error("what a person released is held")
	}
	if a := h.served("app", "sha256:b"); a.Serve || !strings.Contains(a.Message, "leaked key") {
		t.Errorf("what a person rejected: %+v", a)
	}
	h.pass(2 * time.Hour)
	if h.served("app", "sha256:a").Serve {
		t.Error("served after the release ran out")
	}
}

func TestExceptions(t *testing.T) {
	h := newHub(t, nil)
	h.store.rules = []catalog.Rule{enforce("**")}
	h.judge.known = map[string]finding.Finding{"log4j": high("CVE-2021-44228")}
	h.push("team/app", "sha256:a", "log4j")
	h.push("other/app", "sha256:a", "log4j")
	h.run()
	e := catalog.Exception{ID: 3, Repositories: "team/*", State: catalog.Approved, Suppression: finding.Suppression{
		Source: finding.SourceHub, ID: "CVE-2021-44228", Reason: "not reachable", Owner: "team", Expires: start.AddDate(0, 0, 10),
	}}
	h.store.exceptions = []catalog.Exception{e}
	h.must(h.ExceptionChanged(t.Context(), e))
	if got := h.store.waiting(); !slices.Equal(got, []string{"match team/app@sha256:a"}) {
		t.Errorf("waiting: %q", got)
	}
	h.run()
	if !h.served("team/app", "sha256:a").Serve || h.served("other/app", "sha256:a").Serve {
		t.Error("the exception does not hold where it should, or where it should not")
	}
	h.must(h.Sweep(t.Context()))
	h.told()
	h.pass(4 * 24 * time.Hour)
	h.must(h.Sweep(t.Context()))
	h.must(h.Sweep(t.Context()))
	if got := h.told(); !slices.Equal(got, []string{"exception.expiring: Exception 3 runs out on 2026-11-30"}) {
		t.Errorf("told: %q", got)
	}
	h.pass(7 * 24 * time.Hour)
	h.must(h.Sweep(t.Context()))
	h.run()
	if h.served("team/app", "sha256:a").Serve {
		t.Error("served after the exception ran out")
	}
}

func TestRulesChanged(t *testing.T) {
	h := newHub(t, nil)
	before := []catalog.Rule{enforce("**")}
	h.store.rules = before
	h.judge.known = map[string]finding.Finding{"log4j": high("CVE-2021-44228")}
	h.push("team/app", "sha256:a", "log4j")
	h.push("other/app", "sha256:a", "log4j")
	h.run()
	after := append([]catalog.Rule{{ID: 2, Name: "lax", Pattern: "team/*", Gate: "allow"}}, before...)
	h.store.rules = after
	h.must(h.RulesChanged(t.Context(), before, after))
	if got := h.store.waiting(); !slices.Equal(got, []string{"redecide team/app"}) {
		t.Errorf("waiting: %q", got)
	}
	h.run()
	if !h.served("team/app", "sha256:a").Serve || h.served("other/app", "sha256:a").Serve {
		t.Error("the rule does not hold where it should, or where it should not")
	}
}

func TestPulls(t *testing.T) {
	h := newHub(t, nil)
	for range 3 {
		h.Pulled("app", "sha256:a")
	}
	if _, err := h.FlushPulls(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]catalog.Pull{{Repository: "app", Digest: "sha256:a", Count: 3, Last: start}}, h.store.pulls); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Gaps that a match found are not taken for the inventory's by the next.
func TestGapsDoNotPileUp(t *testing.T) {
	h := newHub(t, nil)
	h.push("app", "sha256:a", "left-pad")
	inv := h.scanner.by["sha256:a"]
	inv.Gaps = []finding.Gap{{Kind: finding.GapTooLarge, Detail: "a file"}, {Kind: finding.GapUnparsedVersion, Detail: "x 1: a"}}
	h.scanner.by["sha256:a"] = inv
	h.run()
	r, err := h.store.Result(t.Context(), "app", "sha256:a")
	h.must(err)
	if len(r.Inventory.Gaps) != 1 || r.Inventory.Gaps[0].Kind != finding.GapTooLarge {
		t.Errorf("gaps: %v", r.Inventory.Gaps)
	}
}
