package main

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/seawall/seawall/api"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory"
)

// Advisory joins the records that have or name an id into one answer.
func (a *actionsOf) Advisory(_ context.Context, id string) (api.Advisory, error) {
	records, err := a.judge.Lookup(id)
	if err != nil {
		return api.Advisory{}, err
	}
	if len(records) == 0 {
		return api.Advisory{}, catalog.ErrNotFound
	}
	return joined(strings.ToUpper(id), records), nil
}

// Advisories answers a search by id from the database, and one by words from what was found in images: nobody searches
// for what none of their images has.
func (a *actionsOf) Advisories(ctx context.Context, search string, limit int) ([]api.Advisory, error) {
	var out []api.Advisory
	if strings.Contains(search, "-") {
		if one, err := a.Advisory(ctx, search); err == nil {
			out = append(out, one)
		}
	}
	page, err := a.db.Findings(ctx, catalog.Findings{Search: search, Type: "vulnerability", Limit: min(4*limit, 1000)}, a.started)
	if err != nil {
		return nil, err
	}
	for i := range page.Items {
		t := &page.Items[i]
		seen := slices.ContainsFunc(out, func(o api.Advisory) bool { return o.ID == t.ID || slices.Contains(o.Aliases, t.ID) })
		if !seen && len(out) < limit {
			out = append(out, ofTracked(t))
		}
	}
	return out, nil
}

func ofTracked(t *catalog.Tracked) api.Advisory {
	return api.Advisory{ID: t.ID, Aliases: t.Aliases, Title: t.Title, Severity: t.Severity,
		Packages: []api.AdvisoryPackage{{Name: t.Package, Fixed: t.FixedIn}}}
}

// joined makes one advisory of all records of a group: the highest score, the first title, every id.
func joined(id string, records []advisory.Entry) api.Advisory {
	out := api.Advisory{ID: id}
	for i := range records {
		r := &records[i]
		out.Records = append(out.Records, r.ID)
		out.Aliases = append(append(out.Aliases, r.ID), append(r.Aliases, r.Upstream...)...)
		out.Title, out.URL = cmp.Or(out.Title, r.Title), cmp.Or(out.URL, r.URL)
		if r.Score > out.Score {
			out.Score, out.Vector = r.Score, r.Vector
		}
		if s, err := finding.ParseSeverity(r.Rating); err == nil {
			out.Severity = max(out.Severity, s)
		}
		out.KEV, out.EPSS = cmp.Or(out.KEV, r.KEV), cmp.Or(out.EPSS, r.EPSS)
		if out.Published.IsZero() || r.Published.Before(out.Published) {
			out.Published = r.Published
		}
		if r.Modified.After(out.Modified) {
			out.Modified = r.Modified
		}
	}
	if out.Score > 0 {
		out.Severity = finding.SeverityOfScore(out.Score)
	}
	out.ID = canonical(out.ID, out.Aliases)
	slices.Sort(out.Aliases)
	out.Aliases = slices.DeleteFunc(slices.Compact(out.Aliases), func(s string) bool { return s == out.ID })
	out.Records = slices.Compact(slices.Sorted(slices.Values(out.Records)))
	return out
}

// canonical is the CVE of the group where the id that was asked for is none and the group has exactly one.
func canonical(id string, aliases []string) string {
	if strings.HasPrefix(id, "CVE-") {
		return id
	}
	var cves []string
	for _, a := range aliases {
		if strings.HasPrefix(a, "CVE-") && !slices.Contains(cves, a) {
			cves = append(cves, a)
		}
	}
	if len(cves) == 1 {
		return cves[0]
	}
	return id
}
