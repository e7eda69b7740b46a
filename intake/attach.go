package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

// The hub's own referrers. The predicate of the SBOM is CycloneDX's; that of the verdict is described in
// docs/quarantine.md.
const (
	SBOMArtifact     = "application/vnd.cyclonedx+json"
	SBOMPredicate    = "https://cyclonedx.org/bom"
	VerdictArtifact  = "application/vnd.seawall.verdict.v1+json"
	VerdictPredicate = "https://seawall.dev/verdict/v1"
)

// Verdict is the predicate of an attached verdict. It says what was decided and by what, and no finding by name beyond
// those in the reasons: findings change with every advisory.
type Verdict struct {
	Image    string           `json:"image"` // "team/app@sha256:…"
	Status   catalog.Status   `json:"status"`
	Decision finding.Decision `json:"decision"`
	Reasons  []catalog.Reason `json:"reasons,omitempty"`
	Counts   finding.Counts   `json:"counts"`
	// Policy names the gate file, PolicyDigest is that of its bytes.
	Policy       string           `json:"policy,omitempty"`
	PolicyDigest string           `json:"policyDigest,omitempty"`
	Database     finding.Database `json:"database"`
	DecidedAt    time.Time        `json:"decidedAt"`
}

// worthAttaching: what the referrers say may have changed. The SBOM follows from the inventory alone, and the verdict
// is compared once more, by its fingerprint, before it is written.
func worthAttaching(m *catalog.Manifest, d *catalog.Decided) bool {
	return m.Scan == nil || m.Scan.Scanned != d.Evaluation.Scanned || m.Status != d.Status ||
		m.Scan.Decision != d.Evaluation.Decision || m.Scan.Counts != d.Evaluation.Counts || !slices.Equal(m.Reasons, d.Reasons)
}

// attach is the handler of KindAttach: it brings the hub's referrers of an image up to date. Each is written only when
// what it says changed, and replaces the one before, so that an image never has more than one of each.
func (s *Service) attach(ctx context.Context, repository, digest string) error {
	if s.Attacher == nil {
		return nil
	}
	name := imageName(repository, digest)
	m, err := s.present(ctx, repository, digest)
	var result finding.Result
	if err == nil {
		result, err = s.Catalog.Result(ctx, repository, digest)
	}
	if gone(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the result of %s: %w", name, err)
	}
	if len(result.Inventory.Packages) == 0 {
		return nil // no bill without materials, and a verdict that nothing could be evaluated proves nothing to anybody
	}
	bom, err := s.Attacher.SBOM(&result)
	if err != nil {
		return fmt.Errorf("writing the SBOM of %s: %w", name, err)
	}
	verdict, print, err := verdictOf(&m, &result)
	if err != nil {
		return fmt.Errorf("writing the verdict of %s: %w", name, err)
	}
	return errors.Join(
		s.replace(ctx, Attachment{repository, digest, SBOMArtifact, SBOMPredicate, bom, inventoryPrint(&result.Inventory)}),
		s.replace(ctx, Attachment{repository, digest, VerdictArtifact, VerdictPredicate, verdict, print}),
	)
}

// replace attaches a unless it is there, and removes what it replaces: first the new one comes, then the old one goes.
func (s *Service) replace(ctx context.Context, a Attachment) error {
	there, err := s.Attacher.Attached(ctx, a.Repository, a.Digest, a.ArtifactType)
	if err != nil {
		return fmt.Errorf("listing what is attached to %s: %w", imageName(a.Repository, a.Digest), err)
	}
	kept := slices.IndexFunc(there, func(x Attached) bool { return x.Fingerprint == a.Fingerprint })
	if kept < 0 {
		if err := s.Attacher.Attach(ctx, a); err != nil {
			return fmt.Errorf("attaching %s to %s: %w", a.ArtifactType, imageName(a.Repository, a.Digest), err)
		}
	}
	for i, old := range there {
		if i == kept {
			continue
		}
		if err := s.Attacher.Detach(ctx, a.Repository, old.Digest); err != nil && !gone(err) {
			return fmt.Errorf("removing the former %s of %s: %w", a.ArtifactType, imageName(a.Repository, a.Digest), err)
		}
	}
	return nil
}

// verdictOf writes the verdict and its fingerprint, which leaves out when it was decided and with which database.
func verdictOf(m *catalog.Manifest, r *finding.Result) (payload []byte, print string, err error) {
	v := Verdict{Image: imageName(m.Repository, m.Digest), Status: m.Status, Reasons: m.Reasons}
	if m.Scan != nil {
		v.Counts, v.Decision = m.Scan.Counts, m.Scan.Decision
	}
	if r.Verdict != nil {
		v.Policy, v.PolicyDigest = r.Verdict.Policy, r.Verdict.PolicyDigest
	}
	bare, err := json.Marshal(v)
	if err != nil {
		return nil, "", err
	}
	v.Database, v.DecidedAt = r.Database, r.ScannedAt
	payload, err = json.Marshal(v)
	return payload, digestOf(bare), err
}

// inventoryPrint tells inventories of one image apart: they differ with the analyser, and with what it was asked for.
func inventoryPrint(inv *finding.Inventory) string {
	b, _ := json.Marshal([]any{inv.Image.ID, inv.Analyser, inv.Scanned, inv.Packages}) // plain values: cannot fail
	return digestOf(b)
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
