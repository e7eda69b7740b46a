package state

import (
	"context"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
)

// reserved are names in the table of settings that are not settings.
func reserved(key string) bool { return key == "seal" }

// Setting returns a setting, catalog.ErrNotFound where it was never put.
func (db *DB) Setting(ctx context.Context, key string) (value []byte, err error) {
	if reserved(key) {
		return nil, catalog.ErrNotFound
	}
	err = db.read(ctx, func(t tx) error {
		var sealed []byte
		if err := t.row(ctx, `SELECT value FROM setting WHERE key = ?`, key).Scan(&sealed); err != nil {
			return orAbsent(err, catalog.ErrNotFound)
		}
		value, err = db.sealer.open(ctx, cell{"setting", "value", key}, sealed)
		return err
	})
	return value, err
}

// PutSetting stores a setting with its record. A record without an ID is left out: of what the hub notes for itself.
func (db *DB) PutSetting(ctx context.Context, key string, value []byte, by audit.Entry) error {
	if reserved(key) {
		return catalog.ErrConflict
	}
	var records []audit.Entry
	if by.ID != "" {
		records = []audit.Entry{by}
	}
	return db.write(ctx, func(t tx) error {
		sealed, err := db.sealer.seal(ctx, cell{"setting", "value", key}, value)
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, `INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, sealed)
		return err
	}, records...)
}

// Lead takes or keeps the lead of that name for holder until until, and reports whether holder has it. An until that is
// not after now gives the lead up.
func (db *DB) Lead(ctx context.Context, name, holder string, now, until time.Time) (leads bool, err error) {
	err = db.write(ctx, func(t tx) error {
		n, err := t.exec(ctx, `INSERT INTO leader (name, holder, until) VALUES (?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
			WHERE leader.holder = excluded.holder OR leader.until <= ?`, name, holder, nano(until), nano(now))
		leads = n > 0 && until.After(now)
		return err
	})
	return leads, err
}
