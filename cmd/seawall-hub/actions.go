package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seawall/seawall/api"
	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/intake"
	"github.com/seawall/seawall/intake/foreign"
	"github.com/seawall/seawall/job"
	"github.com/seawall/seawall/keys"
	"github.com/seawall/seawall/notify"
	"github.com/seawall/seawall/registry"
	"github.com/seawall/seawall/scan/report"
	"github.com/seawall/seawall/state"
)

// actionsOf is what the API does beside keeping values.
type actionsOf struct {
	config   *config
	db       *state.DB
	intake   *intake.Service
	registry *registry.Registry
	judge    *judge
	ring     *keys.Ring
	notify   *notify.Notifier
	events   *api.Broker
	truster  *truster
	dropped  func() map[string]int64
	started  time.Time
	signing  string // the public key of what the hub signs

	before rulesBefore
}

func (a *actionsOf) Scan(ctx context.Context, repository, digest string, by audit.Actor) (int64, error) {
	return a.intake.Order(ctx, repository, digest, true, by)
}

// OverrideChanged: pulls are answered anew; the referrers are brought up to date by a match.
func (a *actionsOf) OverrideChanged(ctx context.Context, repository, digest string, by audit.Actor) error {
	a.intake.Touched(repository)
	_, err := a.intake.Order(ctx, repository, digest, false, by)
	return err
}

func (a *actionsOf) DeleteImage(ctx context.Context, repository, digest string, by audit.Entry) error {
	return found(a.registry.Delete(withReason(ctx, by.Reason), repository, digest))
}

func (a *actionsOf) RestoreImage(ctx context.Context, repository, digest string, by audit.Entry) error {
	if err := found(a.registry.Restore(ctx, repository, digest)); err != nil {
		return err
	}
	a.intake.Touched(repository)
	return a.db.Record(ctx, by) // the registry's hook has restored it in the catalog
}

func (a *actionsOf) DeleteTag(ctx context.Context, repository, tag string, _ audit.Entry) error {
	return found(a.registry.Untag(ctx, repository, tag))
}

// found turns the registry's absence into the catalog's.
func found(err error) error {
	if errors.Is(err, registry.ErrNotFound) {
		return errors.Join(catalog.ErrNotFound, err)
	}
	return err
}

func (a *actionsOf) Referrers(ctx context.Context, repository, digest, artifactType string) ([]api.Referrer, error) {
	all, err := a.registry.Referrers(ctx, repository, digest, artifactType)
	if err != nil {
		return nil, found(err)
	}
	out := []api.Referrer{}
	for _, d := range all {
		out = append(out, api.Referrer{Digest: string(d.Digest), MediaType: d.MediaType, ArtifactType: d.ArtifactType, Size: d.Size, Annotations: d.Annotations})
	}
	return out, nil
}

// mediaTypes are those of the formats that an SBOM can be asked for in.
var mediaTypes = map[string]string{"cyclonedx": "application/vnd.cyclonedx+json", "spdx": "application/spdx+json"}

func (a *actionsOf) SBOM(_ context.Context, r *finding.Result, format string, w io.Writer) (string, error) {
	return mediaTypes[format], report.Write(w, format, []finding.Result{*r}, report.Options{})
}

// Import orders a copy of an image elsewhere.
func (a *actionsOf) Import(ctx context.Context, r api.ImportRequest, by audit.Actor) (int64, error) {
	payload, err := json.Marshal(r)
	if err != nil {
		return 0, err
	}
	return a.db.Enqueue(ctx, job.Job{Kind: kindImport, Key: r.Destination, Payload: payload, MaxAttempts: 5, By: by})
}

// Collect orders retention and collection.
func (a *actionsOf) Collect(ctx context.Context, r api.CollectionRequest, by audit.Actor) (int64, error) {
	payload, err := json.Marshal(r)
	if err != nil {
		return 0, err
	}
	return a.db.Enqueue(ctx, job.Job{Kind: kindCollect, Key: "all", Payload: payload, MaxAttempts: 3, Priority: 2, By: by})
}

func (a *actionsOf) UpdateDatabase(ctx context.Context, by audit.Actor) (int64, error) {
	if a.config.Advisories.From == "" {
		return 0, errors.Join(catalog.ErrConflict, errors.New("this hub fetches no advisories: set --advisories-from, or run `seawall db update` or `seawall db import` on its machine"))
	}
	return a.db.Enqueue(ctx, job.Job{Kind: kindUpdate, Key: "database", MaxAttempts: 5, Priority: 1, By: by})
}

// Database says which advisories decide. A database that is older than staleAfter is stale.
func (a *actionsOf) Database(context.Context) (api.DatabaseStatus, error) {
	info := a.judge.Info()
	s := api.DatabaseStatus{Database: info.Database, Source: a.config.Advisories.From,
		Stale: info.Starter || time.Since(info.BuiltAt) > staleAfter}
	for _, e := range info.Ecosystems {
		s.Ecosystems = append(s.Ecosystems, api.DatabaseEcosystem{Name: e.Name, Records: e.Records, Newest: e.Newest})
	}
	for _, source := range info.Sources {
		if source.Fetched.After(s.Checked) {
			s.Checked = source.Fetched
		}
	}
	return s, nil
}

const staleAfter = 7 * 24 * time.Hour

func (a *actionsOf) KeyStatus(ctx context.Context) (api.Keys, error) {
	return keysOf(a.ring.Status(ctx)), nil
}

func (a *actionsOf) RotateKeys(ctx context.Context, r api.KeyRotation) (api.Keys, error) {
	s, err := a.ring.Rotate(ctx, keys.Rotation{DataKeys: r.DataKeys})
	return keysOf(s), err
}

func keysOf(s keys.Status) api.Keys {
	out := api.Keys{Encrypted: s.Enabled, Provider: s.Provider, Healthy: s.Enabled && s.FailingSince.IsZero(), Error: s.Error,
		Checked: s.LastAnswer, Next: s.NextCheck, Items: []api.DataKey{}}
	for _, k := range s.Keys {
		out.Items = append(out.Items, api.DataKey{ID: k.ID, Purpose: k.Purpose, Created: k.Created, Wrapped: s.Rotated, Current: k.Current})
	}
	return out
}

// sources are what can report to the hub: none until a cluster or a node is joined.
var sources = []api.Source{
	{Kind: "cluster", Detail: "no source connected"},
	{Kind: "node", Detail: "no source connected"},
}

func (a *actionsOf) System(ctx context.Context) (api.System, error) {
	u, err := url.Parse(a.config.PublicURL)
	if err != nil {
		return api.System{}, err
	}
	o, err := a.db.Overview(ctx, time.Now())
	if err != nil {
		return api.System{}, err
	}
	return api.System{
		Version: version, Started: a.started, Address: u.Host, Storage: a.storage(o.Size), Encryption: a.ring.Enabled(), SigningKey: a.signing,
		Database: api.SystemDatabase{Kind: a.db.Engine()}, Sources: sources, Dropped: a.dropped(),
	}, nil
}

func (a *actionsOf) storage(used int64) api.SystemStorage {
	if a.config.Storage.S3 != nil {
		return api.SystemStorage{Kind: "s3", Used: used, Free: -1}
	}
	s := api.SystemStorage{Kind: "directory", Used: used, Free: -1}
	var fs syscall.Statfs_t
	if syscall.Statfs(a.config.Storage.Dir, &fs) == nil {
		s.Free = int64(fs.Bavail) * int64(fs.Bsize)
	}
	return s
}

// ExceptionChanged has the images decided anew that the exception speaks of.
func (a *actionsOf) ExceptionChanged(ctx context.Context, e catalog.Exception, _ audit.Actor) error {
	a.events.Publish("exceptions", strconv.FormatInt(e.ID, 10))
	return a.intake.ExceptionChanged(ctx, e)
}

// RulesChanged has the repositories decided anew for which something else holds now.
func (a *actionsOf) RulesChanged(ctx context.Context, _ []string, _ audit.Actor) error {
	after, err := a.db.Rules(ctx)
	if err != nil {
		return err
	}
	return a.intake.RulesChanged(ctx, a.before.swap(after), after)
}

// Backup writes the whole state.
func (a *actionsOf) Backup(ctx context.Context, w io.Writer) error { return a.db.Backup(ctx, w) }

// ReadReport reads another scanner's report. What it says is shown beside ours and decides nothing.
func (a *actionsOf) ReadReport(_ context.Context, repository, _, source string, text []byte) (string, []catalog.Tracked, error) {
	r, err := foreign.Read(bytes.NewReader(text), repository)
	if err != nil {
		return "", nil, fmt.Errorf("%w: %w", api.ErrInvalid, err)
	}
	if source != "" {
		r.Source = source
		for i := range r.Found {
			r.Found[i].Source = source
		}
	}
	return r.Source, r.Found, nil
}

// TestTarget sends a test and says what went wrong.
func (a *actionsOf) TestTarget(ctx context.Context, t notify.Target) error {
	if err := a.notify.Test(ctx, t); err != nil {
		return fmt.Errorf("%w: %w", api.ErrUpstream, err)
	}
	return nil
}

// Provenance is the build that a verified attestation tells of. Without a rule that asks for provenance nobody has said
// whom to believe about it.
func (a *actionsOf) Provenance(ctx context.Context, repository, digest string) (api.Build, error) {
	rules, err := a.db.Rules(ctx)
	if err != nil {
		return api.Build{}, err
	}
	rule := catalog.Resolve(repository, rules).Trust
	if rule == nil {
		return api.Build{}, catalog.ErrNotFound
	}
	report, err := a.truster.report(ctx, repository, digest, rule, time.Now())
	if err != nil {
		return api.Build{}, err
	}
	for i := range report.Signatures {
		if s := &report.Signatures[i]; s.Verified && s.Builder != "" {
			return api.Build{Builder: s.Builder, Type: s.Predicate, Finished: s.Time, Signer: strings.Join(s.By, ", ")}, nil
		}
	}
	return api.Build{}, catalog.ErrNotFound
}

var _ api.Actions = (*actionsOf)(nil)
