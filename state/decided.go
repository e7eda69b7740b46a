package state

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

// PutDecided implements catalog.Results.
func (db *DB) PutDecided(ctx context.Context, d catalog.Decided, by ...audit.Entry) error {
	packed, err := pack(&d)
	if err != nil {
		return err
	}
	if err := db.prepare(ctx, &d, &packed); err != nil {
		return err
	}
	return db.write(ctx, func(t tx) error {
		m, err := t.locked(ctx, d.Repository, d.Digest)
		if err != nil {
			return err
		}
		if err := t.putInventory(ctx, &d, &packed); err != nil {
			return err
		}
		if err := t.putResult(ctx, m, packed); err != nil {
			return err
		}
		if !bytes.Equal(packed.fingerprint, m.fingerprint) {
			if err := t.track(ctx, m, &d); err != nil {
				return err
			}
		}
		return t.putEvaluation(ctx, m, &d, packed.fingerprint)
	}, by...)
}

// packedResult is a result as it is stored: what most matches leave as it is, apart from what each one changes.
type packedResult struct {
	head        string
	body, sum   []byte
	inventory   *finding.Inventory
	fingerprint []byte
	// What prepare did ahead: both packed, the sum of the inventory; nil where they seemed to be there already.
	packedBody, packedInventory, inventorySum []byte
}

// prepare packs what is likely to be stored before the transaction begins: on SQLite everybody else waits for that.
func (db *DB) prepare(ctx context.Context, d *catalog.Decided, p *packedResult) error {
	var sum []byte
	var same bool
	err := db.read(ctx, func(t tx) (err error) {
		if same, err = t.hasInventory(ctx, d); err != nil {
			return err
		}
		err = t.row(ctx, `SELECT x.sum FROM result x JOIN manifest m ON m.id = x.manifest_id JOIN repository r ON r.id = m.repo_id
			WHERE r.name = ? AND m.digest = ?`, d.Repository, d.Digest).Scan(&sum)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		return err
	})
	if err != nil {
		return err
	}
	if !bytes.Equal(sum, p.sum) {
		p.packedBody = packer.EncodeAll(p.body, nil)
	}
	if same {
		return nil
	}
	return p.packInventory()
}

func (p *packedResult) packInventory() error {
	text, err := json.Marshal(plainInventory(p.inventory))
	hash := sha256.Sum256(text)
	p.packedInventory, p.inventorySum = packer.EncodeAll(text, nil), hash[:]
	return err
}

// head is the part of a result that changes with every match.
type head struct {
	Tool      string           `json:"tool"`
	ScannedAt time.Time        `json:"scannedAt"`
	Database  finding.Database `json:"database"`
	DecidedAt time.Time        `json:"decidedAt,omitzero"`
}

// pack splits a result: its secrets, checks and gaps stay with it, because they carry what a repository's gate made of
// them; packages and executables go to the inventory, which repositories share.
func pack(d *catalog.Decided) (p packedResult, err error) {
	if d.Result == nil {
		return p, fmt.Errorf("evaluation of %s in %s: it has no result", d.Digest, d.Repository)
	}
	r := *d.Result
	h := head{Tool: r.Tool, ScannedAt: r.ScannedAt, Database: r.Database}
	r.Tool, r.ScannedAt, r.Database = "", time.Time{}, finding.Database{}
	if r.Verdict != nil {
		v := *r.Verdict
		h.DecidedAt, v.DecidedAt, r.Verdict = v.DecidedAt, time.Time{}, &v
	}
	inv := r.Inventory
	r.Inventory.Packages, r.Inventory.Executables = nil, nil
	if p.head, err = asJSON(h); err != nil {
		return p, err
	}
	if p.body, err = json.Marshal(r); err != nil {
		return p, err
	}
	sum := sha256.Sum256(p.body)
	p.sum = sum[:]
	p.inventory = &inv
	p.fingerprint, err = fingerprint(p.sum, d)
	return p, err
}

// fingerprint is of all that the tracked findings follow from.
func fingerprint(sum []byte, d *catalog.Decided) ([]byte, error) {
	rest, err := json.Marshal(struct {
		Due   catalog.DueDays
		Owner string
	}{d.Due, d.Owner})
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	h.Write(sum)
	h.Write(rest)
	return h.Sum(nil), nil
}

func (t tx) putResult(ctx context.Context, m manifestRow, p packedResult) error {
	var sum []byte
	err := t.row(ctx, `SELECT sum FROM result WHERE manifest_id = ?`, m.id).Scan(&sum)
	if err = orAbsent(err, catalog.ErrNotFound); err != nil && err != catalog.ErrNotFound {
		return err
	}
	if bytes.Equal(sum, p.sum) {
		_, err := t.exec(ctx, `UPDATE result SET head = ? WHERE manifest_id = ?`, p.head, m.id)
		return err
	}
	if p.packedBody == nil { // it was there a moment ago
		p.packedBody = packer.EncodeAll(p.body, nil)
	}
	data, err := t.db.sealer.seal(ctx, resultCell(m.id), p.packedBody)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `INSERT INTO result (manifest_id, sum, head, data) VALUES (?, ?, ?, ?)
		ON CONFLICT (manifest_id) DO UPDATE SET sum = excluded.sum, head = excluded.head, data = excluded.data`, m.id, p.sum, p.head, data)
	return err
}

func resultCell(manifest int64) cell {
	return cell{"result", "data", strconv.FormatInt(manifest, 10)}
}

// putEvaluation stores the summary and the status, and counts the image where it now belongs.
func (t tx) putEvaluation(ctx context.Context, m manifestRow, d *catalog.Decided, print []byte) error {
	scan, err := asJSON(d.Evaluation)
	if err != nil {
		return err
	}
	reasons, err := asJSON(d.Reasons)
	if err != nil {
		return err
	}
	shown := shownStatus(d.Status, m.Override, t.db.now())
	_, err = t.exec(ctx, `UPDATE manifest SET scan = ?, reasons = ?, status = ?, shown = ?, scan_error = ?, decision = ?,
		worst = ?, matched = ?, fingerprint = ? WHERE id = ?`,
		scan, reasons, string(d.Status), string(shown), d.Evaluation.Error != "", string(d.Evaluation.Decision),
		manifestWorst(shown, &d.Evaluation), nano(d.Evaluation.Matched), print, m.id)
	if err != nil {
		return err
	}
	return t.moved(ctx, m, shown, d.Evaluation.Error != "")
}

// moved counts an image under its new status.
func (t tx) moved(ctx context.Context, m manifestRow, shown catalog.Status, scanError bool) error {
	if !m.Deleted.IsZero() || m.shown == shown && m.scanError == scanError {
		return nil
	}
	var c delta
	c.weigh(m.Kind, m.shown, m.scanError, -1)
	c.weigh(m.Kind, shown, scanError, 1)
	return t.count(ctx, m.repo, c)
}

// shownStatus is a person's decision while it holds, else the verdict's.
func shownStatus(s catalog.Status, o *catalog.Override, now time.Time) catalog.Status {
	m := catalog.Manifest{Status: s, Override: o}
	return m.EffectiveStatus(now)
}

// manifestWorst orders images: by status, then by findings.
func manifestWorst(s catalog.Status, e *catalog.Evaluation) int64 {
	first := map[catalog.Status]int64{catalog.Rejected: 4, catalog.Quarantined: 3, catalog.Received: 2, catalog.Released: 1}[s]
	if e == nil {
		return worstOf(first, finding.Counts{})
	}
	return worstOf(first, e.Counts)
}

// PutScanError implements catalog.Results.
func (db *DB) PutScanError(ctx context.Context, repository, digest, message string, status catalog.Status, reasons []catalog.Reason, by ...audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		m, err := t.locked(ctx, repository, digest)
		if err != nil {
			return err
		}
		e := catalog.Evaluation{}
		if m.Scan != nil {
			e = *m.Scan
		}
		e.Error = message
		return t.putEvaluation(ctx, m, &catalog.Decided{Evaluation: e, Status: status, Reasons: reasons}, m.fingerprint)
	}, by...)
}

// PutOverride implements catalog.Results.
func (db *DB) PutOverride(ctx context.Context, repository, digest string, o *catalog.Override, by audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		m, err := t.locked(ctx, repository, digest)
		if err != nil {
			return err
		}
		return t.putOverride(ctx, m, o, t.db.now())
	}, by)
}

func (t tx) putOverride(ctx context.Context, m manifestRow, o *catalog.Override, now time.Time) error {
	text, err := asJSON(o)
	if err != nil {
		return err
	}
	expires := int64(0)
	if o != nil && now.Before(o.Expires) {
		expires = nano(o.Expires)
	}
	shown := shownStatus(m.Status, o, now)
	_, err = t.exec(ctx, `UPDATE manifest SET override = ?, override_expires = ?, shown = ?, worst = ? WHERE id = ?`,
		text, expires, string(shown), manifestWorst(shown, m.Scan), m.id)
	if err != nil {
		return err
	}
	return t.moved(ctx, m, shown, m.scanError)
}
