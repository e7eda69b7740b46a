package state

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

// ours is the source of findings that this program made.
const ours = "seawall"

// The types of tracked findings.
const (
	typeVulnerability = "vulnerability"
	typeSecret        = "secret"
	typeCheck         = "check"
)

// tracked is a row of the table finding.
type tracked struct {
	catalog.Tracked
	id, repo       int64
	dueSet, ownSet bool
	until          int64 // of the exception
	images         int
	described      int64
	doc            trackedDoc
	docText        string // JSON of doc, which load reads
	dirty          bool   // has to be written
	rank           int64
	otherKeys      []string // under which it may have been known
}

// trackedDoc is what is kept of a finding beside its columns.
type trackedDoc struct {
	Aliases []string `json:"aliases,omitempty"`
	// Names are the ids of the records that it came from.
	Names []string `json:"names,omitempty"`
	// Rows are what exceptions are matched against: all rows of the finding in the image that describes it, with just
	// the fields that finding.Suppression looks at.
	Rows   []finding.Finding `json:"rows,omitempty"`
	Secret *finding.Secret   `json:"secret,omitempty"`
	Check  *finding.Check    `json:"check,omitempty"`
}

const trackedColumns = `f.id, f.key, f.repo_id, r.name, f.source, f.type, f.vid, f.title, f.package, f.version, f.fixed_in, f.severity,
	f.exploited, f.epss, f.state, f.first_seen, f.last_seen, f.fixed_at, f.due, f.due_set, f.owner, f.owner_set, f.exception,
	f.exception_until, f.images, f.described, f.doc, f.rank`

const trackedTables = ` FROM finding f JOIN repository r ON r.id = f.repo_id`

func scanTracked(s scanner) (x tracked, err error) {
	var first, last, fixed, due int64
	err = s.Scan(&x.id, &x.Key, &x.repo, &x.Repository, &x.Source, &x.Type, &x.ID, &x.Title, &x.Package, &x.Version, &x.FixedIn,
		&x.Severity, &x.Exploited, &x.EPSS, &x.State, &first, &last, &fixed, &due, &x.dueSet, &x.Owner, &x.ownSet, &x.Exception,
		&x.until, &x.images, &x.described, &x.docText, &x.rank)
	if err != nil {
		return x, err
	}
	x.FirstSeen, x.LastSeen, x.FixedAt, x.Due = when(first), when(last), when(fixed), when(due)
	return x, nil
}

// load reads what is kept beside the columns. Most matches compare it as text alone.
func (x *tracked) load() error {
	if len(x.doc.Rows) > 0 || x.doc.Secret != nil || x.doc.Check != nil {
		return nil
	}
	err := json.Unmarshal([]byte(x.docText), &x.doc)
	x.Aliases = x.doc.Aliases
	return err
}

// scanWhole is scanTracked with what is kept beside the columns.
func scanWhole(s scanner) (tracked, error) {
	x, err := scanTracked(s)
	if err == nil {
		err = x.load()
	}
	return x, err
}

// rankOf orders findings: severity, then known exploitation, then EPSS in tenths of a per cent.
func rankOf(s finding.Severity, exploited bool, epss float64) int64 {
	r := int64(s) * 10_000
	if exploited {
		r += 5_000
	}
	return r + int64(min(max(epss, 0), 1)*1000)
}

// gather makes the rows that a result asks for, one for each key, in the order of the result.
func gather(repository string, r *finding.Result) []tracked {
	var out []tracked
	at := map[string]int{}
	add := func(x tracked) {
		if i, ok := at[x.Key]; ok {
			out[i].join(&x)
			return
		}
		at[x.Key] = len(out)
		out = append(out, x)
	}
	for i := range r.Findings {
		add(ofFinding(repository, &r.Findings[i]))
	}
	for i := range r.Inventory.Secrets {
		add(ofSecret(repository, &r.Inventory.Secrets[i]))
	}
	for i := range r.Inventory.Checks {
		for _, x := range ofCheck(repository, &r.Inventory.Checks[i]) {
			add(x)
		}
	}
	for i := range out {
		out[i].rank = rankOf(out[i].Severity, out[i].Exploited, out[i].EPSS)
	}
	return out
}

func ofFinding(repository string, f *finding.Finding) tracked {
	keys := f.Keys(repository)
	x := tracked{otherKeys: keys[1:]}
	x.Tracked = catalog.Tracked{
		Key: keys[0], Type: typeVulnerability, ID: f.ID, Title: f.Title, Package: f.Package.Name, Version: f.Package.Version,
		FixedIn: f.Fixed, Severity: f.Severity, Exploited: f.KEV != nil,
	}
	if f.EPSS != nil {
		x.EPSS = f.EPSS.Score
	}
	x.doc = trackedDoc{Aliases: f.Aliases, Names: f.Advisories, Rows: []finding.Finding{matchable(f)}}
	return x
}

// matchable keeps what finding.Suppression.Covers looks at.
func matchable(f *finding.Finding) finding.Finding {
	p := f.Package
	out := finding.Finding{ID: f.ID, Aliases: f.Aliases, Advisories: f.Advisories, Paths: f.Paths}
	out.Package = finding.Package{Name: p.Name, Version: p.Version, Type: p.Type, SourceName: p.SourceName, PURL: p.PURL}
	if f.State == finding.StateMalware {
		out.State = f.State
	}
	if f.KEV != nil {
		out.KEV = &finding.KEV{}
	}
	return out
}

func ofSecret(repository string, s *finding.Secret) tracked {
	place := s.Path
	if place == "" {
		place = s.Where
	}
	var x tracked
	x.Tracked = catalog.Tracked{Key: s.Key(repository), Type: typeSecret, ID: s.Rule, Title: s.Title + " in " + place, Severity: s.Severity}
	x.doc = trackedDoc{Secret: &finding.Secret{Rule: s.Rule, Path: s.Path, Where: s.Where, Masked: s.Masked}}
	return x
}

// ofCheck makes a row for each path, as the check's keys do.
func ofCheck(repository string, c *finding.Check) (out []tracked) {
	for i, key := range c.Keys(repository) {
		one := finding.Check{ID: c.ID}
		title := c.Title
		if len(c.Paths) > 0 {
			one.Paths = []string{c.Paths[i]}
			title += ": " + c.Paths[i]
		}
		var x tracked
		x.Tracked = catalog.Tracked{Key: key, Type: typeCheck, ID: c.ID, Title: title, Severity: c.Severity}
		x.doc = trackedDoc{Check: &one}
		out = append(out, x)
	}
	return out
}

// join adds another row of the same finding: a second version of the package, or another layer.
func (x *tracked) join(y *tracked) {
	x.Severity = max(x.Severity, y.Severity)
	x.Exploited = x.Exploited || y.Exploited
	x.EPSS = max(x.EPSS, y.EPSS)
	x.doc.Rows = append(x.doc.Rows, y.doc.Rows...)
	for _, k := range y.otherKeys {
		if !slices.Contains(x.otherKeys, k) {
			x.otherKeys = append(x.otherKeys, k)
		}
	}
}

// track brings the tracked findings of ours up to date with what an evaluation of m found.
func (t tx) track(ctx context.Context, m manifestRow, d *catalog.Decided) error {
	want := gather(d.Repository, d.Result)
	for i := range want {
		want[i].Source = ours
	}
	return t.reconcile(ctx, m, ours, want, d.Due, d.Owner, d.At)
}

// reconcile makes the occurrences of one source in m be those of want, and lets findings open, change, return and be
// fixed accordingly.
func (t tx) reconcile(ctx context.Context, m manifestRow, source string, want []tracked, due catalog.DueDays, owner string, at time.Time) error {
	have, err := t.known(ctx, want)
	if err != nil {
		return err
	}
	before, err := t.occurrences(ctx, m.id, source)
	if err != nil {
		return err
	}
	rules, err := t.holding(ctx, m.Repository, at)
	if err != nil {
		return err
	}
	w := change{t: t, m: m, due: due, owner: owner, at: at, rules: rules, before: before}
	if err := w.apply(ctx, want, have); err != nil {
		return err
	}
	return w.finish(ctx)
}

// known reads the rows under any key of want, by key.
func (t tx) known(ctx context.Context, want []tracked) (map[string]tracked, error) {
	var keys []string
	for i := range want {
		keys = append(append(keys, want[i].Key), want[i].otherKeys...)
	}
	out := map[string]tracked{}
	err := each(ctx, t, func(s scanner) error {
		x, err := scanTracked(s)
		out[x.Key] = x
		return err
	}, `SELECT `+trackedColumns+trackedTables+` WHERE f.key = ANY(?)`, keys)
	return out, err
}

func (t tx) occurrences(ctx context.Context, manifest int64, source string) (map[int64]bool, error) {
	ids, err := list(ctx, t, scanInt, `SELECT o.finding_id FROM occurrence o JOIN finding f ON f.id = o.finding_id
		WHERE o.manifest_id = ? AND f.source = ?`, manifest, source)
	out := make(map[int64]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out, err
}
