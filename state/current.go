package state

import (
	"context"
	"fmt"
	"time"

	"github.com/seawall/seawall/catalog"
)

// maxSettled bounds how many manifests one change can touch by way of indexes that list indexes.
const maxSettled = 100_000

// settle decides anew which of the manifests are current, and of those that they list where that changed; findings
// follow. A manifest is current while it is tagged, listed by a current index, or was never tagged or listed.
func (t tx) settle(ctx context.Context, repo int64, digests []string, at time.Time) error {
	for n := 0; len(digests) > 0; n++ {
		if n > maxSettled {
			return fmt.Errorf("an index lists more than %d manifests", maxSettled)
		}
		digest := digests[0]
		digests = digests[1:]
		if digest == "" {
			continue
		}
		m, err := t.manifest(ctx, repo, digest)
		if err == catalog.ErrNotFound {
			continue
		} else if err != nil {
			return err
		}
		now, err := t.isCurrent(ctx, &m)
		if err != nil {
			return err
		}
		if now == m.current {
			continue
		}
		if err := t.setCurrent(ctx, m, now, at); err != nil {
			return err
		}
		digests = append(digests, m.Children...)
	}
	return nil
}

func (t tx) isCurrent(ctx context.Context, m *manifestRow) (yes bool, err error) {
	switch {
	case !m.Deleted.IsZero():
		return false, nil
	case m.tags > 0 || !m.named:
		return true, nil
	}
	err = t.row(ctx, `SELECT EXISTS (SELECT 1 FROM manifest_child c JOIN manifest p ON p.id = c.manifest_id
		WHERE c.repo_id = ? AND c.digest = ? AND p.current AND p.deleted = 0)`, m.repo, m.Digest).Scan(&yes)
	return yes, err
}

// setCurrent notes whether a manifest is current, and brings its findings up to date.
func (t tx) setCurrent(ctx context.Context, m manifestRow, now bool, at time.Time) error {
	if _, err := t.exec(ctx, `UPDATE manifest SET current = ? WHERE id = ?`, now, m.id); err != nil {
		return err
	}
	sign := 1
	if !now {
		sign = -1
	}
	n, err := t.exec(ctx, `UPDATE finding SET images = images + ? WHERE id IN (SELECT finding_id FROM occurrence WHERE manifest_id = ?)`, sign, m.id)
	if err != nil || n == 0 {
		return err
	}
	ids, err := list(ctx, t, scanInt, `SELECT f.id FROM occurrence o JOIN finding f ON f.id = o.finding_id WHERE o.manifest_id = ?
		AND ((f.images = 0 AND f.state <> 'fixed') OR (f.images > 0 AND f.state = 'fixed'))`, m.id)
	if err != nil || len(ids) == 0 {
		return err
	}
	if err := t.turn(ctx, m, ids, at); err != nil {
		return err
	}
	return t.recount(ctx, m.repo)
}
