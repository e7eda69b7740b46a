package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/notify"
)

// match decides about an image anew from its stored inventory: nothing is unpacked. Where there is none, a scan is
// ordered.
func (s *Service) match(ctx context.Context, repository, digest string) error {
	m, err := s.Catalog.Manifest(ctx, repository, digest)
	switch {
	case gone(err) || err == nil && (!m.Deleted.IsZero() || m.Kind == catalog.KindArtifact):
		return nil
	case err != nil:
		return fmt.Errorf("reading %s: %w", imageName(repository, digest), err)
	case m.Kind == catalog.KindIndex:
		return s.matchIndex(ctx, &m)
	}
	inv, err := s.Catalog.Inventory(ctx, digest, s.Analyser)
	if gone(err) {
		return s.enqueue(ctx, KindScan, repository, digest, soon)
	}
	if err != nil {
		return fmt.Errorf("reading the inventory of %s: %w", digest, err)
	}
	_, err = s.decide(ctx, &m, inv, false)
	return err
}

// matchIndex decides about the children: a signature of an index speaks for what it lists.
func (s *Service) matchIndex(ctx context.Context, m *catalog.Manifest) error {
	for _, child := range m.Children {
		if err := s.enqueue(ctx, KindMatch, m.Repository, child, soon); err != nil {
			return err
		}
	}
	return s.settleIndex(ctx, m)
}

// decide matches an inventory, asks the gate and trust, and stores what follows. fresh: the inventory was taken just now.
func (s *Service) decide(ctx context.Context, m *catalog.Manifest, inv finding.Inventory, fresh bool) (*finding.Result, error) {
	d, err := s.evaluate(ctx, m, inv, fresh)
	if err != nil {
		return nil, err
	}
	if err := s.store(ctx, m, d); err != nil || d == nil {
		return nil, err
	}
	if err := s.settleIndexesOf(ctx, m.Repository, m.Digest); err != nil {
		return nil, err
	}
	if e, held := s.becameHeld(m, d); held {
		s.Notify(e)
	}
	return d.Result, s.follow(ctx, m, d, 0)
}

// evaluate is decide without storing anything.
func (s *Service) evaluate(ctx context.Context, m *catalog.Manifest, inv finding.Inventory, fresh bool) (*catalog.Decided, error) {
	name := imageName(m.Repository, m.Digest)
	eff, err := s.effective(ctx, m.Repository)
	if err != nil {
		return nil, err
	}
	now := s.now()
	suppressions, err := s.Catalog.Suppressions(ctx, m.Repository, now)
	if err != nil {
		return nil, fmt.Errorf("reading the exceptions of %s: %w", m.Repository, err)
	}
	inv.Image.Ref = name // the scope of its findings
	inv.Gaps = ownGaps(inv.Gaps)
	result, err := s.Judge.Evaluate(inv, eff.Gate, suppressions, now)
	if err != nil {
		return nil, fmt.Errorf("evaluating %s: %w", name, err)
	}
	facts := Facts{Result: &result, Override: m.Override}
	if err := s.verify(ctx, m, &eff, now, &facts); err != nil {
		return nil, err
	}
	o := Decide(facts, now)
	d := &catalog.Decided{
		Repository: m.Repository, Digest: m.Digest, Result: &result, Status: o.Status, Reasons: withoutPerson(o.Reasons),
		Evaluation: summary(&result, &facts.Trust), Due: catalog.DefaultDue, Owner: eff.Owner, At: now,
	}
	if eff.Due != nil {
		d.Due = *eff.Due
	}
	d.Evaluation.Scanned = now
	if !fresh {
		d.Evaluation.Scanned, err = s.scannedAt(ctx, m, now)
	}
	return d, err
}

// scannedAt is when the stored inventory was taken, perhaps for another repository.
func (s *Service) scannedAt(ctx context.Context, m *catalog.Manifest, now time.Time) (time.Time, error) {
	if m.Scan != nil && m.Scan.Analyser == s.Analyser && !m.Scan.Scanned.IsZero() {
		return m.Scan.Scanned, nil
	}
	images, err := s.Catalog.Locate(ctx, m.Digest)
	if err != nil {
		return now, fmt.Errorf("locating %s: %w", m.Digest, err)
	}
	var newest time.Time
	for i := range images {
		if e := images[i].Scan; images[i].Digest == m.Digest && e != nil && e.Analyser == s.Analyser && e.Scanned.After(newest) {
			newest = e.Scanned
		}
	}
	if newest.IsZero() {
		return now, nil
	}
	return newest, nil
}

// ownGaps leaves out the gaps that a former match found: every match finds its own.
func ownGaps(gaps []finding.Gap) []finding.Gap {
	return slices.DeleteFunc(slices.Clone(gaps), func(g finding.Gap) bool {
		switch g.Kind {
		case finding.GapUnknownDistro, finding.GapStarterOnly, finding.GapNoData, finding.GapEndOfLife, finding.GapUnparsedVersion:
			return true
		}
		return false
	})
}

// verify fills in what trust knows. That it could not be found out is a fact too, where a rule asks.
func (s *Service) verify(ctx context.Context, m *catalog.Manifest, eff *catalog.Effective, now time.Time, f *Facts) error {
	if s.Truster == nil {
		if eff.Trust != nil {
			f.TrustFailure = "this hub does not verify signatures"
		}
		return nil
	}
	report, err := s.Truster.Verify(ctx, m.Repository, m.Digest, eff.Trust, now)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && eff.Trust != nil:
		f.TrustFailure = clip(err.Error(), 300)
	case err == nil:
		f.Trust = report
	}
	return nil
}

// withoutPerson leaves out a person's reason: it stands in the override, and goes with it.
func withoutPerson(reasons []catalog.Reason) []catalog.Reason {
	if len(reasons) > 0 && reasons[0].Source == "person" {
		return reasons[1:]
	}
	return reasons
}

// summary is what is kept beside the whole result.
func summary(r *finding.Result, trust *TrustReport) catalog.Evaluation {
	e := catalog.Evaluation{
		Matched: r.ScannedAt, Analyser: r.Inventory.Analyser, Database: r.Database, Packages: len(r.Inventory.Packages),
		Gaps: len(r.Inventory.Gaps), Distro: r.Inventory.Distro.Name, EndOfLife: r.Inventory.Distro.EndOfLife,
		BaseName: r.Inventory.Image.BaseName(), BaseDigest: r.Inventory.Image.BaseDigest(),
		Signers: trust.Signers, Attestations: trust.Attestations,
	}
	if r.Verdict != nil {
		e.Decision = r.Verdict.Decision
	}
	for i := range r.Findings {
		if f := &r.Findings[i]; counts(f) {
			e.Counts.Add(f.Severity)
			if f.Fixed != "" {
				e.Fixable++
			}
		}
	}
	for i := range r.Inventory.Secrets {
		if r.Inventory.Secrets[i].Suppressed == nil {
			e.Secrets++
		}
	}
	for i := range r.Inventory.Checks {
		if r.Inventory.Checks[i].Suppressed == nil {
			e.Checks++
		}
	}
	for _, c := range r.Coverage {
		if c.Gap != "" {
			e.Gaps++
		}
	}
	return e
}

// counts: the finding is neither set aside nor about a kernel that is not in the image.
func counts(f *finding.Finding) bool { return f.Suppressed == nil && !f.KernelHeaders }

// store commits the decision, with a record where the status moves.
func (s *Service) store(ctx context.Context, m *catalog.Manifest, d *catalog.Decided) error {
	var records []audit.Entry
	if d.Status != m.Status {
		e := audit.New(d.At, system, "image."+string(d.Status), imageObject(m.Repository, m.Digest))
		e.Reason = firstMessage(d.Reasons)
		e.Detail = map[string]string{"from": string(m.Status), "decision": string(d.Evaluation.Decision), "database": d.Evaluation.Database.Digest}
		records = append(records, e)
	}
	err := s.Catalog.PutDecided(ctx, *d, records...)
	if err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return fmt.Errorf("storing the verdict of %s: %w", imageName(m.Repository, m.Digest), err)
	}
	s.Touched(m.Repository)
	return nil
}

func firstMessage(reasons []catalog.Reason) string {
	if len(reasons) == 0 {
		return ""
	}
	return clip(reasons[0].Message, 300)
}

// follow orders what comes after a decision that is stored. What can wait is done in such a time at the earliest.
func (s *Service) follow(ctx context.Context, m *catalog.Manifest, d *catalog.Decided, in time.Duration) error {
	s.Changed("image", imageName(m.Repository, m.Digest))
	if s.Attacher != nil && worthAttaching(m, d) {
		if err := s.enqueueIn(ctx, in, KindAttach, m.Repository, m.Digest, later); err != nil {
			return err
		}
	}
	// The database may have been changed while this image was being matched, and the match of all images may have
	// passed it by.
	if d.Evaluation.Database.Digest != s.Judge.Database().Digest {
		return s.enqueue(ctx, KindMatch, m.Repository, m.Digest, soon)
	}
	return nil
}

// becameHeld is the notification to raise where an image became held.
func (s *Service) becameHeld(m *catalog.Manifest, d *catalog.Decided) (e notify.Event, held bool) {
	if d.Status == m.Status || d.Status != catalog.Rejected && d.Status != catalog.Quarantined {
		return e, false
	}
	return notify.Event{
		ID: audit.NewID(), Time: d.At, Kind: "image." + string(d.Status), Severity: worstSeverity(d.Result),
		Title: fmt.Sprintf("%s is %s", m.Repository, d.Status), Text: reasonText(d.Reasons),
		Repository: m.Repository, Digest: m.Digest, Link: s.link(imagePage(m.Repository, m.Digest)),
	}, true
}

func worstSeverity(r *finding.Result) finding.Severity {
	worst := finding.SeverityUnknown
	for i := range r.Findings {
		if f := &r.Findings[i]; counts(f) {
			worst = max(worst, f.Severity)
		}
	}
	return worst
}
