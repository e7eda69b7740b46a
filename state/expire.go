package state

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
)

// expire lets exceptions and overrides end whose time has come. Every listing that shows their effect calls it, so that
// nothing is shown as set aside a moment too long; where nothing has ended it costs two look-ups.
func (db *DB) expire(ctx context.Context, now time.Time) error {
	var due bool
	err := db.read(ctx, func(t tx) error {
		return t.row(ctx, `SELECT EXISTS (SELECT 1 FROM exception WHERE state = 'approved' AND expires <> 0 AND expires <= ?)
			OR EXISTS (SELECT 1 FROM manifest WHERE override_expires <> 0 AND override_expires <= ?)`, nano(now), nano(now)).Scan(&due)
	})
	if err != nil || !due {
		return err
	}
	_, err = db.Expire(ctx, now)
	return err
}

// Expired is what Expire ended.
type Expired struct {
	Exceptions []catalog.Exception
	// Images are those whose override ended.
	Images []catalog.Manifest
}

// Expire ends the approved exceptions and the overrides whose time has come at now: their findings are open again, their
// images have the verdict's status again. Each end leaves its audit record.
func (db *DB) Expire(ctx context.Context, now time.Time) (out Expired, err error) {
	err = db.write(ctx, func(t tx) error {
		out = Expired{}
		if err := t.endExceptions(ctx, now, &out); err != nil {
			return err
		}
		return t.endOverrides(ctx, now, &out)
	})
	if n := len(out.Exceptions) + len(out.Images); err == nil && n > 0 {
		db.log.InfoContext(ctx, "exceptions and overrides ended", slog.Int("count", n))
	}
	return out, err
}

func (t tx) endExceptions(ctx context.Context, now time.Time, out *Expired) error {
	ended, err := list(ctx, t, func(s scanner) (e catalog.Exception, err error) {
		var doc string
		if err := s.Scan(&e.ID, &doc); err != nil {
			return e, err
		}
		id := e.ID
		err = json.Unmarshal([]byte(doc), &e)
		e.ID = id
		return e, err
	}, `SELECT id, doc FROM exception WHERE state = 'approved' AND expires <> 0 AND expires <= ? ORDER BY id {{lock}}`, nano(now))
	if err != nil || len(ended) == 0 {
		return err
	}
	for i := range ended {
		e := &ended[i]
		e.State = catalog.Expired
		if err := t.storeException(ctx, e); err != nil {
			return err
		}
		end := audit.New(now, audit.System("state"), "exception.expire", audit.Object{Kind: "exception", Name: strconv.FormatInt(e.ID, 10)})
		if err := t.record(ctx, []audit.Entry{end}); err != nil {
			return err
		}
	}
	out.Exceptions = ended
	return t.reconsider(ctx, ended, now)
}

func (t tx) endOverrides(ctx context.Context, now time.Time, out *Expired) error {
	rows, err := t.manifests(ctx, ` WHERE m.override_expires <> 0 AND m.override_expires <= ? ORDER BY r.name, m.id`, nano(now))
	if err != nil {
		return err
	}
	for _, m := range rows {
		if _, err := t.repository(ctx, m.Repository); err != nil {
			return err
		}
		// The override stays to be seen, and holds no more.
		if err := t.putOverride(ctx, m, m.Override, now); err != nil {
			return err
		}
		end := audit.New(now, audit.System("state"), "override.expire", audit.Object{Kind: "image", Name: m.Repository + "@" + m.Digest})
		if err := t.record(ctx, []audit.Entry{end}); err != nil {
			return err
		}
	}
	out.Images = plainManifests(rows)
	return nil
}
