package advisory

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/record"
)

// An advisory whose versions cannot be read is not silence about the packages that it names.
func TestUnreadVersions(t *testing.T) {
	bad := ranged("npm", "x", "introduced 0", "fixed not a version")
	listed := ranged("npm", "x", "introduced 0", "fixed not a version")
	listed.Versions = []string{"1.0.0"}
	half := ranged("npm", "x", "introduced 0", "fixed ???")
	half.Ranges = append(half.Ranges, ranged("npm", "x", "introduced 1.0.0", "fixed 1.1.0").Ranges...)
	db := compiled(t,
		record.Record{ID: "A-1", Affected: []record.Affected{bad}},
		record.Record{ID: "A-2", Affected: []record.Affected{listed}},
		record.Record{ID: "A-3", Affected: []record.Affected{half}},
		record.Record{ID: "A-4", Withdrawn: day, Affected: []record.Affected{bad}},
		record.Record{ID: "A-5", Affected: []record.Affected{ranged("npm", "y", "introduced 0", "fixed not a version")}},
	)
	if got := db.Info().Stats.UnparsedVersions; got == 0 {
		t.Error("the build did not count the versions that it could not read")
	}
	x := func(version string) finding.Package {
		return finding.Package{Name: "x", Version: version, Type: "npm", Ecosystem: "npm"}
	}
	f := func(p finding.Package, found []string, gaps ...string) {
		t.Helper()
		inv := one(p)
		inv.Packages = append(inv.Packages, p) // a second place of the same package says nothing new
		inv.Packages[1].Path = "elsewhere"
		m := match(t, db, inv)
		var got []string
		for _, g := range m.Gaps {
			if g.Kind != finding.GapUnparsedVersion || g.Where != "npm" {
				t.Errorf("gap %+v, want unparsed-version of npm", g)
			}
			got = append(got, g.Detail)
		}
		if diff := cmp.Diff(gaps, got); diff != "" {
			t.Errorf("%s %s, gaps (-want +got):\n%s", p.Name, p.Version, diff)
		}
		if diff := cmp.Diff(found, summary(m)); diff != "" {
			t.Errorf("%s %s, findings (-want +got):\n%s", p.Name, p.Version, diff)
		}
	}
	const cannot = " names affected versions that cannot be read"
	f(x("1.0.0"), []string{"A-2  unfixed [A-2]", "A-3 1.1.0 fixed [A-3]"}, "x 1.0.0: A-1"+cannot)
	f(x("2.0.0"), nil, "x 2.0.0: A-1"+cannot, "x 2.0.0: A-2"+cannot, "x 2.0.0: A-3"+cannot)
	f(finding.Package{Name: "z", Version: "1.0.0", Type: "npm", Ecosystem: "npm"}, nil)
}

// A record whose versions cannot be read does not speak for a vulnerability that a bundle names too.
func TestUnreadDecidesNothing(t *testing.T) {
	db := compiled(t,
		record.Record{ID: "B-1", Upstream: []string{"CVE-1-1", "CVE-1-2"}, Affected: []record.Affected{ranged("npm", "x", "introduced 0", "fixed 3.0.0")}},
		record.Record{ID: "C-1", Upstream: []string{"CVE-1-1"}, Affected: []record.Affected{ranged("npm", "x", "introduced 0", "fixed ???")}},
		record.Record{ID: "C-2", Upstream: []string{"CVE-1-2"}, Affected: []record.Affected{ranged("npm", "x", "introduced 0", "fixed 1.0.0")}},
	)
	m := match(t, db, one(finding.Package{Name: "x", Version: "2.0.0", Type: "npm", Ecosystem: "npm"}))
	if diff := cmp.Diff([]string{"B-1 3.0.0 fixed [B-1]"}, summary(m)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"CVE-1-1"}, m.Findings[0].Aliases); diff != "" {
		t.Errorf("aliases (-want +got):\n%s", diff)
	}
	if len(m.Gaps) != 1 {
		t.Errorf("gaps %v, want one about C-1", m.Gaps)
	}
}
