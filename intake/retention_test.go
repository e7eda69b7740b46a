package intake_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/intake"
)

// stock is one repository of every sort of manifest. The number is its age in days.
func stock() []catalog.Manifest {
	image := func(digest string, days int, tags ...string) catalog.Manifest {
		return catalog.Manifest{Repository: "app", Digest: digest, Kind: catalog.KindImage, Pushed: start.AddDate(0, 0, -days), Tags: tags}
	}
	index := image("index", 50, "v3")
	index.Kind, index.Children = catalog.KindIndex, []string{"child1", "child2"}
	oldIndex := image("old-index", 90)
	oldIndex.Kind, oldIndex.Children = catalog.KindIndex, []string{"child2", "child3"}
	sig := image("sig", 1)
	sig.Kind, sig.Subject = catalog.KindArtifact, "old"
	sigOfSig := image("sig-of-sig", 1)
	sigOfSig.Kind, sigOfSig.Subject = catalog.KindArtifact, "sig"
	dangling := image("dangling", 40)
	dangling.Kind, dangling.Subject = catalog.KindArtifact, "never-seen"
	pulled := image("pulled", 100)
	pulled.Pulled = start.AddDate(0, 0, -2)
	return []catalog.Manifest{
		image("new", 1, "v5", "latest"), image("middle", 20, "v4"), index, image("child1", 50), image("child2", 50),
		oldIndex, image("child3", 90), image("old", 200, "v1"), sig, sigOfSig, image("release", 300, "release-1"), image("loose", 10), dangling, pulled,
	}
}

func TestKeep(t *testing.T) {
	for _, c := range []struct {
		name string
		rule *catalog.Retention
		want []string
	}{
		{"no rule", nil, nil},
		{"an empty rule", &catalog.Retention{}, nil},
		{"untagged", &catalog.Retention{Untagged: 30}, []string{
			"child3: listed only by indexes that go", "dangling: untagged for longer than the rule keeps",
			"old-index: untagged for longer than the rule keeps", "pulled: untagged for longer than the rule keeps"}},
		{"untagged, but pulled", &catalog.Retention{Untagged: 5, KeepPulled: 3, KeepNewest: 9}, []string{
			"child3: listed only by indexes that go", "dangling: untagged for longer than the rule keeps",
			"loose: untagged for longer than the rule keeps", "old-index: untagged for longer than the rule keeps"}},
		{"the two newest and releases", &catalog.Retention{KeepNewest: 2, KeepTags: []string{"release-*"}}, []string{
			"index: no rule keeps it", "child1: listed only by indexes that go", "old: no rule keeps it", "sig: what it refers to goes",
			"sig-of-sig: what it refers to goes"}},
		{"by days", &catalog.Retention{KeepDays: 60}, []string{
			"old: no rule keeps it", "release: no rule keeps it", "sig: what it refers to goes", "sig-of-sig: what it refers to goes"}},
	} {
		var got []string
		for _, r := range intake.Keep(stock(), c.rule, start) {
			got = append(got, r.Digest+": "+r.Reason)
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// Property: whatever the repository and the rule, what a kept index lists is kept, what refers to a kept manifest is
// kept, and nothing tagged goes while the rule says nothing about tags.
func TestKeepKeepsWhatHangsTogether(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		n := 1 + r.IntN(25)
		images := make([]catalog.Manifest, n)
		for i := range images {
			m := catalog.Manifest{Digest: fmt.Sprint(i), Pushed: start.AddDate(0, 0, -r.IntN(100)), Kind: catalog.KindImage}
			switch r.IntN(5) {
			case 0:
				m.Kind, m.Children = catalog.KindIndex, []string{fmt.Sprint(r.IntN(n)), fmt.Sprint(r.IntN(n))}
			case 1:
				m.Kind, m.Subject = catalog.KindArtifact, fmt.Sprint(r.IntN(n))
			}
			if r.IntN(3) == 0 {
				m.Tags = []string{fmt.Sprintf("v%d", i)}
			}
			images[i] = m
		}
		rule := &catalog.Retention{KeepNewest: r.IntN(4), KeepDays: r.IntN(2) * 40, Untagged: r.IntN(2) * 20}
		goes := map[string]bool{}
		for _, x := range intake.Keep(images, rule, start) {
			goes[x.Digest] = true
		}
		for _, m := range images {
			for _, child := range m.Children {
				if !goes[m.Digest] && goes[child] {
					t.Fatalf("%s stays and lists %s, which goes: %s %s", m.Digest, child, jsonOf(images), jsonOf(rule))
				}
			}
			if m.Subject != "" && m.Subject != m.Digest && goes[m.Digest] && !goes[m.Subject] {
				t.Fatalf("%s goes and refers to %s, which stays: %s %s", m.Digest, m.Subject, jsonOf(images), jsonOf(rule))
			}
			if rule.KeepNewest+rule.KeepDays == 0 && len(m.Tags) > 0 && m.Subject == "" && goes[m.Digest] {
				t.Fatalf("%s is tagged and goes: %s %s", m.Digest, jsonOf(images), jsonOf(rule))
			}
		}
	}
}

func TestRetain(t *testing.T) {
	h := newHub(t, nil)
	h.store.rules = []catalog.Rule{{ID: 1, Pattern: "**", Retention: &catalog.Retention{KeepNewest: 1, GraceDays: 3}}}
	for _, d := range []string{"sha256:a", "sha256:b"} {
		h.push("app", d, "left-pad")
		h.must(h.Tagged(t.Context(), "app", "v-"+d[7:], d, alice, ""))
		h.pass(1)
	}
	dry, err := h.Retain(t.Context(), "app", &catalog.Retention{KeepNewest: 1}, true)
	if err != nil || len(dry.Deleted) != 1 || dry.Deleted[0].Digest != "sha256:a" {
		t.Fatalf("%+v, %v", dry, err)
	}
	if !h.served("app", "sha256:a").Serve {
		t.Error("a dry run deleted")
	}
	if _, err := h.Retain(t.Context(), "app", &catalog.Retention{}, false); err == nil {
		t.Error("a rule that is tried out was applied")
	}
	retain := func() intake.Retained {
		r, err := h.Retain(t.Context(), "app", nil, false)
		h.must(err)
		return r
	}
	if r := retain(); len(r.Deleted) != 1 || len(r.Purged) != 0 {
		t.Errorf("%+v", r)
	}
	h.pass(2 * 24 * 3600e9)
	if r := retain(); len(r.Deleted)+len(r.Purged) != 0 {
		t.Errorf("within its grace: %+v", r)
	}
	h.pass(2 * 24 * 3600e9)
	if r := retain(); len(r.Purged) != 1 {
		t.Errorf("after its grace: %+v", r)
	}
	if _, err := h.store.Manifest(t.Context(), "app", "sha256:a"); err == nil {
		t.Error("it is still there")
	}
}

func TestListOutdated(t *testing.T) {
	image := func(digest string, days int, e *catalog.Evaluation) catalog.Manifest {
		at := start.AddDate(0, 0, -days)
		if e != nil {
			e.Scanned = at
		}
		return catalog.Manifest{Repository: "app", Digest: digest, Kind: catalog.KindImage, Tags: []string{"x"}, Pushed: at, Created: at, Platform: "linux/amd64", Scan: e}
	}
	built := func(on string) *catalog.Evaluation {
		return &catalog.Evaluation{BaseName: "docker.io/library/debian:12", BaseDigest: on}
	}
	copied := image("deb3", 1, built(""))
	copied.Origin = "docker.io/library/debian:12"
	ended, failed, fixable := built("deb3"), built("deb3"), built("deb3")
	ended.EndOfLife, failed.Error, fixable.Fixable = "2026-11-19", "no config", 4
	images := []catalog.Manifest{
		image("old-base", 30, built("deb1")), image("newer-base", 10, built("deb2")), copied, image("current", 0, built("deb3")),
		image("old", 400, nil), image("ended", 0, ended), image("failed", 0, failed), image("fixable", 0, fixable),
		{Repository: "app", Digest: "untagged", Kind: catalog.KindImage}, {Repository: "app", Digest: "index", Kind: catalog.KindIndex, Tags: []string{"y"}},
	}
	got := map[string]string{}
	for _, o := range intake.ListOutdated(images, intake.MaxAge, start) {
		text := fmt.Sprint(o.Days, o.Fixable, o.NotScanned, o.EndOfLife)
		if o.Base != nil {
			text += " " + o.Base.Built + "→" + o.Base.Newer
		}
		got[o.Digest] = text
	}
	want := map[string]string{
		"old-base": "0 0 false deb1→deb3", "newer-base": "0 0 false deb2→deb3", "old": "400 0 true", "ended": "0 0 false2026-11-19",
		"failed": "0 0 true", "fixable": "0 4 false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
