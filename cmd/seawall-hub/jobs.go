package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seawall/seawall/api"
	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/job"
	"github.com/seawall/seawall/scan/advisory/feed"
	"github.com/seawall/seawall/scan/database"
)

// The kinds of jobs that are neither intake's nor anybody else's.
const (
	kindImport  = "import"
	kindCollect = "collect"
	kindUpdate  = "update" // of the advisory database
)

func (h *hub) handlers() map[string]job.Handler {
	return map[string]job.Handler{
		kindImport:  h.importJob,
		kindMirror:  h.mirrorJob,
		kindCollect: h.collect,
		kindUpdate:  h.update,
	}
}

// collectGrace is how long content that nothing names is kept: the longest that a push may take.
const collectGrace = 24 * time.Hour

// collect frees what no manifest names any more.
func (h *hub) collect(ctx context.Context, j *job.Job, progress func(string)) error {
	var r api.CollectionRequest
	if len(j.Payload) > 0 {
		if err := json.Unmarshal(j.Payload, &r); err != nil {
			return job.Permanent(fmt.Errorf("reading the payload: %w", err))
		}
	}
	if r.DryRun {
		text, err := h.wouldCollect(ctx)
		progress(text)
		return err
	}
	progress("looking for content that nothing names")
	c, err := h.registry.Collect(ctx, collectGrace)
	if err != nil {
		return err
	}
	progress(fmt.Sprintf("freed %d MiB in %d blobs", c.Bytes>>20, c.Blobs))
	by := audit.New(time.Now(), j.By, "registry.collect", audit.Object{Kind: "registry", Name: "all"})
	by.Detail = map[string]string{"blobs": fmt.Sprint(c.Blobs), "bytes": fmt.Sprint(c.Bytes)}
	return h.db.Record(ctx, by)
}

// wouldCollect says what retention would delete now.
func (h *hub) wouldCollect(ctx context.Context) (string, error) {
	deleted, purged := 0, 0
	cursor := ""
	for {
		page, err := h.db.Repositories(ctx, "", "", cursor, 1000)
		if err != nil {
			return "", err
		}
		for i := range page.Items {
			r, err := h.intake.Retain(ctx, page.Items[i].Name, nil, true)
			if err != nil {
				return "", err
			}
			deleted, purged = deleted+len(r.Deleted), purged+len(r.Purged)
		}
		if cursor = page.Next; cursor == "" {
			return fmt.Sprintf("would delete %d images and free %d that were deleted before", deleted, purged), nil
		}
	}
}

// update fetches the advisories and has everything matched anew where they changed.
func (h *hub) update(ctx context.Context, _ *job.Job, progress func(string)) error {
	a := h.config.Advisories
	from := a.From
	if from == "public" {
		from = ""
	}
	progress("fetching advisories")
	r, err := feed.Update(ctx, feed.Config{Dir: a.Dir, Database: database.Compiler{}, From: from, Ecosystems: a.Ecosystems})
	if err != nil {
		return err
	}
	progress(fmt.Sprintf("%d records", r.Database.Records))
	return h.reloadDatabase(ctx)
}

// scheduleJobs orders what the configuration wants done from time to time. A job that waits already is not doubled.
func (h *hub) scheduleJobs(ctx context.Context, now time.Time) error {
	if h.config.Advisories.From != "" && h.config.Advisories.Every > 0 {
		if err := h.periodic(ctx, kindUpdate, "database", h.config.Advisories.Every, now); err != nil {
			return err
		}
	}
	if err := h.scheduleMirrors(ctx, now); err != nil {
		return err
	}
	return h.periodic(ctx, kindCollect, "all", h.config.CollectEvery, now)
}

func (h *hub) periodic(ctx context.Context, kind, key string, every time.Duration, now time.Time) error {
	last, err := h.db.Jobs(ctx, job.Filter{Kind: kind, Key: key, Limit: 1})
	if err != nil || len(last) > 0 && now.Sub(last[0].Created) < every {
		return err
	}
	_, err = h.db.Enqueue(ctx, job.Job{Kind: kind, Key: key, MaxAttempts: 5, Priority: 3, By: audit.System("schedule")})
	return err
}
