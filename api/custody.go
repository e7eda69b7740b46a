package api

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

// noSource is what stands where a cluster or a node would have to tell.
const noSource = "no source connected"

func (c *call) custody() (reply, error) {
	if err := c.query().err(); err != nil {
		return nil, err
	}
	m, err := c.manifest()
	if err != nil {
		return nil, err
	}
	records, err := c.s.Audit.Audit(c.ctx(), audit.Query{Object: c.imageName(), Limit: maxLimit})
	if err != nil {
		return nil, err
	}
	build, err := c.s.Actions.Provenance(c.ctx(), m.Repository, m.Digest)
	if err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return nil, err
	}
	return ok(Custody{m.Repository, m.Digest, steps(&m, build, err == nil, records)}), nil
}

// steps puts the chain together: what the manifest tells, each step with the record that shows it, then the acts that
// only the trail tells, then what nobody tells yet.
func steps(m *catalog.Manifest, build Build, built bool, records []audit.Stored) []CustodyStep {
	t := &trail{records: records, used: map[string]bool{}}
	all := []CustodyStep{buildStep(build, built), arrival(m, t)}
	all = append(all, scanSteps(m, t)...)
	all = append(all, signatureSteps(m, t)...)
	if o := m.Override; o != nil {
		all = append(all, overrideStep(o, t))
	}
	all = append(all, t.rest()...)
	slices.SortStableFunc(all, func(a, b CustodyStep) int {
		return cmp.Or(compareKnown(a, b), a.At.Compare(b.At))
	})
	return append(all,
		CustodyStep{Kind: "admitted", Note: noSource},
		CustodyStep{Kind: "running", Note: noSource})
}

// compareKnown puts the build first, whatever is known of it: it came before all else. What did not happen yet comes last.
func compareKnown(a, b CustodyStep) int {
	place := func(s CustodyStep) int {
		switch {
		case s.Kind == "built":
			return 0
		case s.Known:
			return 1
		}
		return 2
	}
	return cmp.Compare(place(a), place(b))
}

func buildStep(b Build, known bool) CustodyStep {
	if !known {
		return CustodyStep{Kind: "built", Note: "no verified provenance is attached"}
	}
	s := CustodyStep{Kind: "built", Known: true, At: b.Finished, By: b.Builder, From: b.Source, Detail: map[string]string{}}
	for name, v := range map[string]string{"type": b.Type, "signer": b.Signer} {
		if v != "" {
			s.Detail[name] = v
		}
	}
	return s
}

func arrival(m *catalog.Manifest, t *trail) CustodyStep {
	s := CustodyStep{Kind: "pushed", Known: true, At: m.Pushed, By: m.PushedBy, From: m.PushedFrom}
	if m.Origin != "" {
		s.Kind, s.From = "imported", m.Origin
	}
	s.Audit = t.find(m.Pushed, "image.push", "image.import")
	return s
}

func scanSteps(m *catalog.Manifest, t *trail) []CustodyStep {
	e := m.Scan
	switch {
	case e == nil && m.Status == catalog.NotScanned:
		return []CustodyStep{{Kind: "scanned", Note: "this is no image: there is nothing to scan"}}
	case e == nil:
		return []CustodyStep{{Kind: "scanned", Note: "not scanned yet"}}
	}
	scanned := CustodyStep{Kind: "scanned", Known: true, At: e.Scanned, By: "seawall " + e.Analyser,
		Detail: map[string]string{"analyser": e.Analyser}, Note: e.Error, Audit: t.find(e.Scanned, "image.scan")}
	decided := CustodyStep{Kind: "decided", Known: true, At: e.Matched, By: "gate",
		Detail: map[string]string{"decision": string(e.Decision)}, Audit: t.find(e.Matched, "image.released", "image.rejected", "image.quarantined")}
	describe(decided.Detail, &e.Database)
	return []CustodyStep{scanned, decided}
}

func describe(detail map[string]string, d *finding.Database) {
	if d.Digest == "" {
		detail["database"] = "none"
		return
	}
	detail["database"] = d.Digest
	if !d.BuiltAt.IsZero() {
		detail["databaseBuilt"] = d.BuiltAt.UTC().Format(time.RFC3339)
	}
	if d.Signer != "" {
		detail["databaseSigner"] = d.Signer
	}
}

func signatureSteps(m *catalog.Manifest, t *trail) []CustodyStep {
	if m.Scan == nil || len(m.Scan.Signers)+len(m.Scan.Attestations) == 0 {
		return []CustodyStep{{Kind: "signed", Note: "no signature was verified"}}
	}
	all := []CustodyStep{}
	for _, by := range m.Scan.Signers {
		all = append(all, CustodyStep{Kind: "signed", Known: true, At: m.Scan.Matched, By: by, Note: "the time is that of the check"})
	}
	for _, predicate := range m.Scan.Attestations {
		all = append(all, CustodyStep{Kind: "attested", Known: true, At: m.Scan.Matched, Note: "the time is that of the check",
			Detail: map[string]string{"predicate": predicate}})
	}
	return all
}

func overrideStep(o *catalog.Override, t *trail) CustodyStep {
	s := CustodyStep{Kind: string(o.Status), Known: true, At: o.At, By: o.By, Note: o.Reason}
	if !o.Expires.IsZero() {
		s.Detail = map[string]string{"expires": o.Expires.UTC().Format(time.RFC3339)}
	}
	s.Audit = t.find(o.At, "image.release", "image.reject")
	return s
}

// trail is the image's records, newest first, and which of them stand with a step already.
type trail struct {
	records []audit.Stored
	used    map[string]bool
}

// find takes the record of one of the actions that is nearest in time to at; the newest where at is zero.
func (t *trail) find(at time.Time, actions ...string) *AuditRef {
	var best *audit.Stored
	for i := range t.records {
		r := &t.records[i]
		if t.used[r.ID] || r.Outcome != audit.Done || !slices.Contains(actions, r.Action) {
			continue
		}
		if best == nil || !at.IsZero() && r.Time.Sub(at).Abs() < best.Time.Sub(at).Abs() {
			best = r
		}
	}
	if best == nil {
		return nil
	}
	t.used[best.ID] = true
	return refTo(best)
}

func refTo(r *audit.Stored) *AuditRef { return &AuditRef{r.ID, r.Seq, r.Index} }

// kinds name the steps of acts that nothing but the trail tells.
var kinds = map[string]string{
	"image.push": "pushed", "image.import": "imported", "image.scan": "scanned", "image.scan.order": "ordered",
	"image.released": "decided", "image.rejected": "decided", "image.quarantined": "decided",
	"image.release": "released", "image.reject": "rejected", "image.override.lift": "lifted",
	"image.delete": "deleted", "image.restore": "restored", "report.import": "reported",
}

// rest are the acts that no other step stands for.
func (t *trail) rest() []CustodyStep {
	all := []CustodyStep{}
	for i := range t.records {
		r := &t.records[i]
		if t.used[r.ID] || r.Outcome != audit.Done {
			continue
		}
		kind := kinds[r.Action]
		if kind == "" {
			kind = strings.TrimPrefix(r.Action, "image.")
		}
		all = append(all, CustodyStep{Kind: kind, Known: true, At: r.Time, By: cmp.Or(r.Actor.Name, r.Actor.ID),
			From: r.Actor.Address, Note: r.Reason, Detail: r.Detail, Audit: refTo(r)})
	}
	return all
}
