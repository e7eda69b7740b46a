package intake

import (
	"context"
	"fmt"
	"slices"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

// settleIndex gives an index the status of the worst of its platform children. Children that are artifacts, such as
// the attestations of a build, do not count; one that is not there is not evaluated.
func (s *Service) settleIndex(ctx context.Context, index *catalog.Manifest) error {
	var statuses []catalog.Status
	var reasons []catalog.Reason
	for _, digest := range index.Children {
		child, err := s.Catalog.Manifest(ctx, index.Repository, digest)
		if gone(err) {
			child = catalog.Manifest{Digest: digest, Kind: catalog.KindImage, Status: catalog.Quarantined}
		} else if err != nil {
			return fmt.Errorf("reading %s: %w", imageName(index.Repository, digest), err)
		}
		if child.Kind == catalog.KindArtifact {
			continue
		}
		statuses = append(statuses, child.Status)
		if child.Status != catalog.Released && child.Status != catalog.NotScanned {
			reasons = append(reasons, childReason(&child))
		}
	}
	status := Worst(statuses)
	if status == index.Status && slices.Equal(reasons, index.Reasons) {
		return nil
	}
	var records []audit.Entry
	if status != index.Status {
		e := audit.New(s.now(), system, "image."+string(status), imageObject(index.Repository, index.Digest))
		e.Reason, e.Detail = firstMessage(reasons), map[string]string{"from": string(index.Status)}
		records = append(records, e)
	}
	err := s.Catalog.PutScanError(ctx, index.Repository, index.Digest, "", status, reasons, records...)
	if err != nil && !gone(err) {
		return fmt.Errorf("storing the status of %s: %w", imageName(index.Repository, index.Digest), err)
	}
	s.Touched(index.Repository)
	s.Changed("image", imageName(index.Repository, index.Digest))
	return nil
}

func childReason(child *catalog.Manifest) catalog.Reason {
	r := catalog.Reason{Source: "scan", Decision: finding.NotEvaluated, Message: "not scanned yet"}
	if len(child.Reasons) > 0 {
		r = child.Reasons[0]
	}
	name := child.Platform
	if name == "" {
		name = clip(child.Digest, 19)
	}
	r.Message = name + ": " + r.Message
	return r
}

// settleIndexesOf settles the indexes of a repository that list one of the digests.
func (s *Service) settleIndexesOf(ctx context.Context, repository string, digests ...string) error {
	var parents []catalog.Manifest
	err := s.each(ctx, catalog.Images{Repository: repository, Kind: catalog.KindIndex}, func(m *catalog.Manifest) error {
		if slices.ContainsFunc(m.Children, func(c string) bool { return slices.Contains(digests, c) }) {
			parents = append(parents, *m)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("listing the indexes of %s: %w", repository, err)
	}
	for i := range parents {
		if err := s.settleIndex(ctx, &parents[i]); err != nil {
			return err
		}
	}
	return nil
}
