package advisory

import (
	"path/filepath"
	"slices"
	"sort"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/record"
	"github.com/seawall/seawall/scan/advisory/version"
)

// affectedBySpec is OSV's evaluation written down again, without ranks and intervals: sort the events, let each
// decide from its version on. ok is false where a version is outside the ecosystem's rules.
func affectedBySpec(a *record.Affected, v string) (affected, ok bool) {
	if slices.Contains(a.Versions, v) {
		return true, true
	}
	for _, r := range a.Ranges {
		eco := a.Ecosystem
		if r.Kind == record.Git {
			continue
		}
		if r.Kind == record.Semver && !semverNative[family(eco)] {
			eco = semverEcosystem
		}
		in, ok := inRangeBySpec(eco, r.Events, v)
		if !ok {
			return false, false
		}
		if in {
			return true, true
		}
	}
	return false, true
}

func inRangeBySpec(eco string, events []record.Event, text string) (in, ok bool) {
	v, err := version.Parse(eco, normalVersion(eco, text))
	if err != nil {
		return false, false
	}
	type event struct {
		at   version.Version
		kind byte
	}
	var list []event
	for _, e := range events {
		kind, at := eventOf(e)
		if kind == eventIntroduced && at == "0" {
			list = append(list, event{version.Version{}, kind})
			continue
		}
		w, err := version.Parse(eco, normalVersion(eco, at))
		if err != nil {
			return false, false
		}
		list = append(list, event{w, kind})
	}
	sort.SliceStable(list, func(i, j int) bool {
		if c := list[i].at.Compare(list[j].at); c != 0 {
			return c < 0
		}
		return list[i].kind != eventLastAffected && list[j].kind == eventLastAffected
	})
	for _, e := range list {
		c := v.Compare(e.at)
		switch {
		case e.kind == eventIntroduced && (e.at.IsZero() || c >= 0):
			in = true
		case e.kind == eventFixed && c >= 0, e.kind == eventLastAffected && c > 0:
			in = false
		}
	}
	return in, true
}

// TestAgainstSpecification compares the compiled database with the plain evaluation, on every version that the real
// advisories name of a seventh of their packages.
func TestAgainstSpecification(t *testing.T) {
	db := openReal(t)
	type key struct{ eco, name string }
	type said struct {
		id string
		a  record.Affected
	}
	byKey := map[key][]said{}
	files, _ := filepath.Glob(filepath.Join(sharedData(t, "advisories", "osv"), "*.jsonl.zst"))
	for _, f := range files {
		eachRecord(t, f, func(r record.Record) {
			if k := kindOf(&r); !r.Withdrawn.IsZero() || k == record.Bug || k == record.Enhancement {
				return
			}
			for _, a := range r.Affected {
				k := key{a.Ecosystem, normalName(a.Ecosystem, a.Name)}
				if len(k.name)%7 == 3 {
					byKey[k] = append(byKey[k], said{r.ID, a})
				}
			}
		})
	}
	questions := 0
	for k, list := range byKey {
		eco, ok := db.ecosystem(k.eco)
		if !ok {
			t.Errorf("%s is not in the database", k.eco)
			continue
		}
		for _, v := range versionsOf(list[0].a, list[len(list)-1].a, list[len(list)/2].a) {
			want := map[string]bool{}
			for _, s := range list {
				in, ok := affectedBySpec(&s.a, v)
				if ok && in {
					want[s.id] = true
				}
			}
			p := &finding.Package{Name: k.name, Version: v}
			fd, found := newFinder(db), looked{}
			err := fd.find(&found, &subject{eco: resolved{eco, false}, name: k.name, version: v, pkg: p}, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]bool{}
			for _, h := range found.hits {
				rec, err := db.record(h.rec)
				if err != nil {
					t.Fatal(err)
				}
				got[rec.id] = true
			}
			questions++
			if diff := cmp.Diff(want, got); diff != "" && found.unparsed == nil {
				t.Errorf("%s %s %s (-want +got):\n%s", k.eco, k.name, v, diff)
			}
		}
	}
	t.Logf("%d questions about %d packages", questions, len(byKey))
}

func versionsOf(all ...record.Affected) (out []string) {
	for _, a := range all {
		for _, r := range a.Ranges {
			for _, e := range r.Events {
				if _, v := eventOf(e); v != "0" && v != "*" {
					out = append(out, v)
				}
			}
		}
		out = append(out, a.Versions...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
