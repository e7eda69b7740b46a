package intake

import (
	"context"
	"errors"
	"fmt"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/notify"
)

// scan is the handler of KindScan: it takes the inventory, unless one of this analyser is stored for the digest, from
// whatever repository, and decides.
func (s *Service) scan(ctx context.Context, o order, progress func(string)) error {
	m, err := s.Catalog.Manifest(ctx, o.Repository, o.Digest)
	if gone(err) || err == nil && !m.Deleted.IsZero() {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", imageName(o.Repository, o.Digest), err)
	}
	switch m.Kind {
	case catalog.KindIndex:
		return s.scanIndex(ctx, &m, o.Anew)
	case catalog.KindArtifact:
		return nil
	}
	inv, fresh, err := s.inventory(ctx, &m, o.Anew, progress)
	if err != nil {
		return errors.Join(err, s.scanFailed(ctx, &m, err))
	}
	progress("matching and deciding")
	_, err = s.decide(ctx, &m, inv, fresh)
	return err
}

// scanIndex orders scans of what the index lists.
func (s *Service) scanIndex(ctx context.Context, m *catalog.Manifest, anew bool) error {
	for _, child := range m.Children {
		j := newJob(KindScan, order{Repository: m.Repository, Digest: child, Anew: anew}, soon, system, s.now())
		if _, err := s.Jobs.Enqueue(ctx, j); err != nil {
			return fmt.Errorf("ordering a scan of %s: %w", j.Key, err)
		}
	}
	return s.settleIndex(ctx, m)
}

// inventory returns the stored inventory, or takes it; fresh tells which. Two jobs about one digest, of two
// repositories, unpack it once.
func (s *Service) inventory(ctx context.Context, m *catalog.Manifest, anew bool, progress func(string)) (inv finding.Inventory, fresh bool, err error) {
	unlock, err := s.flights.lock(ctx, m.Digest)
	if err != nil {
		return inv, false, err
	}
	defer unlock()
	if !anew {
		inv, err = s.Catalog.Inventory(ctx, m.Digest, s.Analyser)
		if err == nil {
			return inv, false, nil
		}
		if !gone(err) {
			return inv, false, fmt.Errorf("reading the inventory of %s: %w", m.Digest, err)
		}
	}
	inv, err = s.Scanner.Inventory(ctx, m.Repository, m.Digest, progress)
	if err != nil {
		return inv, false, fmt.Errorf("scanning %s: %w", imageName(m.Repository, m.Digest), err)
	}
	if inv.Analyser != s.Analyser {
		return inv, false, fmt.Errorf("scanning %s: the inventory is of analyser %q, not %q", imageName(m.Repository, m.Digest), inv.Analyser, s.Analyser)
	}
	return inv, true, nil
}

// scanFailed notes that the image could not be looked at. An image that never was is held, and says why; a former
// result goes on to hold.
func (s *Service) scanFailed(ctx context.Context, m *catalog.Manifest, fault error) error {
	if ctx.Err() != nil {
		return nil // the hub stops or the job was cancelled: nothing is known about the image
	}
	message := clip(fault.Error(), 500)
	o := Decide(Facts{Failure: message}, s.now())
	if m.Scan != nil && !m.Scan.Scanned.IsZero() { // what was found before still holds
		o.Status, o.Reasons = m.Status, m.Reasons
	}
	e := audit.New(s.now(), system, "image.scan", imageObject(m.Repository, m.Digest))
	e.Outcome, e.Reason = audit.Failed, message
	err := s.Catalog.PutScanError(ctx, m.Repository, m.Digest, message, o.Status, o.Reasons, e)
	if gone(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("noting the failed scan: %w", err)
	}
	s.Touched(m.Repository)
	s.Changed("image", imageName(m.Repository, m.Digest))
	if m.Scan == nil || m.Scan.Error == "" { // told once, not with every attempt
		s.Notify(notify.Event{
			ID: audit.NewID(), Time: s.now(), Kind: "scan.failed", Severity: finding.SeverityHigh,
			Title: "An image could not be scanned", Text: message, Repository: m.Repository, Digest: m.Digest,
			Link: s.link(imagePage(m.Repository, m.Digest)),
		})
	}
	return s.settleIndexesOf(ctx, m.Repository, m.Digest)
}

// clip bounds what foreign bytes can put into a message.
func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && text[n]&0xC0 == 0x80 { // not within a character
		n--
	}
	return text[:n] + "…"
}
