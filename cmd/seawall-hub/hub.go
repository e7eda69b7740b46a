package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/seawall/seawall/api"
	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/audit/translog"
	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/intake"
	"github.com/seawall/seawall/job"
	"github.com/seawall/seawall/keys"
	"github.com/seawall/seawall/notify"
	"github.com/seawall/seawall/registry"
	"github.com/seawall/seawall/registry/directory"
	"github.com/seawall/seawall/registry/mirror"
	s3store "github.com/seawall/seawall/registry/s3"
	"github.com/seawall/seawall/scan"
	"github.com/seawall/seawall/scan/advisory/affected"
	"github.com/seawall/seawall/scan/image"
	"github.com/seawall/seawall/state"
	"github.com/seawall/seawall/trust"
)

// hub is all that runs, in the order in which it is opened. close goes backwards.
type hub struct {
	config  *config
	log     *slog.Logger
	started time.Time
	id      string // of this process, for leases
	closers []func() error

	ring     *keys.Ring
	db       *state.DB
	trail    *translog.Log
	witness  *translog.Witness // nil: of nobody
	judge    *judge
	registry *registry.Registry
	intake   *intake.Service
	auth     *auth.Authority
	notify   *notify.Notifier
	alarm    alarm
	events   *api.Broker
	api      *api.Server
	runner   *job.Runner
	truster  *truster
	public   []byte // key of what the hub signs, in PEM
	copier   *mirror.Client
	fetcher  *mirror.Fetcher
	actions  *actionsOf
}

func openHub(ctx context.Context, c *config, log *slog.Logger) (h *hub, err error) {
	h = &hub{config: c, log: log, started: time.Now(), id: audit.NewID()[:12], events: api.NewBroker(api.BrokerConfig{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	for _, step := range []func(context.Context) error{
		h.openKeys, h.openState, h.openTrail, h.openJudge, h.openNotify, h.openRegistry, h.openCopies, h.openIntake, h.openAuth, h.openAPI, h.openRunner,
	} {
		if err := step(ctx); err != nil {
			return h, err
		}
	}
	return h, nil
}

// later has f called when the hub closes.
func (h *hub) later(f func() error) { h.closers = append(h.closers, f) }

func (h *hub) close() (err error) {
	for i := len(h.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, h.closers[i]())
	}
	h.closers = nil
	return err
}

func (h *hub) path(names ...string) string {
	return filepath.Join(append([]string{h.config.DataDir}, names...)...)
}

func (h *hub) openKeys(ctx context.Context) error {
	if err := private(h.config.DataDir); err != nil {
		return err
	}
	ring, err := keys.Open(ctx, keys.Config{
		Dir: h.config.Encryption.Dir, Provider: h.config.Encryption.Provider, Create: true, Cache: h.config.Encryption.Cache, Log: h.log,
		OnAlert: h.keyAlert,
	})
	if err != nil {
		return fmt.Errorf("opening the keys: %w", err)
	}
	h.ring = ring
	h.later(ring.Close)
	return nil
}

// purpose is a key of the ring for one use, nil where nothing is encrypted.
func (h *hub) purpose(name string) *keys.Purpose {
	if !h.ring.Enabled() {
		return nil
	}
	return h.ring.Purpose(name)
}

func (h *hub) openState(ctx context.Context) error {
	cfg := state.Config{DSN: h.config.Database, Log: h.log}
	if p := h.purpose("state"); p != nil {
		cfg.Keys = p
	}
	db, err := state.Open(ctx, cfg)
	if err != nil {
		return err
	}
	h.db = db
	h.later(db.Close)
	return nil
}

// leadFor is how long a lead holds without being renewed.
const leadFor = 10 * time.Second

func (h *hub) lead(ctx context.Context, name string) (bool, error) {
	now := time.Now()
	return h.db.Lead(ctx, name, h.id, now, now.Add(leadFor))
}

func (h *hub) openJudge(context.Context) error {
	if err := os.MkdirAll(h.config.Advisories.Dir, 0o700); err != nil {
		return err
	}
	j, err := openJudge(h.config.Advisories.Dir)
	if err != nil {
		return err
	}
	h.judge = j
	h.later(j.Close)
	return nil
}

func (h *hub) openNotify(context.Context) (err error) {
	h.notify, err = notify.New(notify.Config{Store: h.db, PublicURL: h.config.PublicURL, Worker: h.id, Log: h.log,
		AllowPrivate: h.config.Outbound.AllowPrivate || h.config.firstLook})
	return err
}

func (h *hub) openRegistry(ctx context.Context) error {
	driver, err := h.openStorage(ctx)
	if err != nil {
		return err
	}
	cfg := registry.Config{Storage: driver, Shared: h.config.Storage.S3 != nil, Log: h.log, Hooks: &hooks{
		intake: func() *intake.Service { return h.intake }, rules: h.effective, usage: h.db.Repository, manifest: h.db.Manifest,
		header: func(q *http.Request) string { return h.auth.Challenge(q) },
	}}
	if p := h.purpose("blobs"); p != nil {
		cfg.Keys = p
	}
	if h.registry, err = registry.New(ctx, cfg); err != nil {
		return err
	}
	h.later(h.registry.Close)
	return nil
}

func (h *hub) openStorage(ctx context.Context) (registry.Driver, error) {
	s := h.config.Storage
	if s.S3 != nil {
		return s3store.Open(ctx, s3store.Config{Endpoint: s.S3.Endpoint, Region: s.S3.Region, Bucket: s.S3.Bucket, Prefix: s.S3.Prefix,
			AccessKey: s.S3.AccessKey, SecretKey: s.S3.SecretKey, PathStyle: s.S3.PathStyle})
	}
	return directory.Open(s.Dir)
}

func (h *hub) effective(ctx context.Context, repository string) (catalog.Effective, error) {
	rules, err := h.db.Rules(ctx)
	return catalog.Resolve(repository, rules), err
}

func (h *hub) openIntake(ctx context.Context) error {
	scanner, err := h.openScanner()
	if err != nil {
		return err
	}
	live, err := h.openIndex()
	if err != nil {
		return err
	}
	key, secret, err := h.signingKey(ctx)
	if err != nil {
		return err
	}
	if h.public, err = trust.MarshalPublicKey(key.Public()); err != nil {
		return err
	}
	s := shelf{registry: h.registry, tags: h.db}
	h.truster = &truster{shelf: s, within: h.within}
	h.intake = intake.New(intake.Config{
		Catalog: followed{DB: h.db, registry: func() *registry.Registry { return h.registry }},
		Jobs:    h.db, Settings: h.db, Scanner: scanner, Judge: h.judge, Analyser: scan.AnalyserVersion,
		Truster: h.truster, Attacher: newAttacher(s, key, secret),
		Index:  &index{live: live, inventories: h.db, judge: h.judge},
		Notify: h.tell, Changed: h.changed, Console: h.config.PublicURL, Log: h.log,
	})
	return nil
}

func (h *hub) openScanner() (*scanner, error) {
	s := &scanner{sandbox: scan.Sandbox(h.config.Sandbox), tempDir: os.TempDir()}
	s.transport = &inproc{handler: http.HandlerFunc(h.registry.ServeHTTP), as: itself("scanner")}
	cache, err := image.OpenCache(h.path("cache"), 0)
	if err != nil {
		return nil, err
	}
	if p := h.purpose("cache"); p != nil {
		cache.SealWith(cacheSeal{p})
	}
	s.cache = cache
	h.later(cache.Close)
	return s, nil
}

// cacheSeal seals the scanner's cache.
type cacheSeal struct{ purpose *keys.Purpose }

func (c cacheSeal) Seal(plain, bound []byte) ([]byte, error) {
	return c.purpose.Seal(context.Background(), plain, bound)
}

func (c cacheSeal) Open(sealed, bound []byte) ([]byte, error) {
	return c.purpose.Open(context.Background(), sealed, bound)
}

// openIndex opens the inverted index. Where data is encrypted it lives in memory: it is made of the state, and its
// files are plain.
func (h *hub) openIndex() (*affected.Live, error) {
	dir := h.path("index")
	if h.ring.Enabled() {
		var err error
		if dir, err = h.inMemory("index"); err != nil {
			return nil, err
		}
		h.later(func() error { return os.RemoveAll(dir) })
	}
	live, err := affected.OpenLive(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the index of packages: %w", err)
	}
	h.later(live.Close)
	return live, nil
}

// inMemory makes a directory in memory, and removes the one that a hub on the same data left behind that was killed: what
// is in it is plain. Its name is kept in the data directory, since one that others know could be taken by them.
func (h *hub) inMemory(name string) (string, error) {
	note, prefix := h.path(name+".memory"), filepath.Join(cmp.Or(memoryDir(), os.TempDir()), "seawall-"+name+"-")
	if old, err := os.ReadFile(note); err == nil && strings.HasPrefix(filepath.Clean(string(old)), prefix) {
		if err := os.RemoveAll(filepath.Clean(string(old))); err != nil {
			return "", err
		}
	}
	dir, err := os.MkdirTemp(filepath.Dir(prefix), filepath.Base(prefix))
	if err != nil {
		return "", err
	}
	return dir, os.WriteFile(note, []byte(dir), 0o600)
}

// memoryDir is a directory that is kept in memory, "" for the system's temporary one where there is none.
func memoryDir() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

const signingKey = "hub.signing-key"

// signingKey is what the hub signs SBOMs and verdicts with. Hubs on one state share it.
func (h *hub) signingKey(ctx context.Context) (key *trust.Key, secret []byte, err error) {
	stored, err := h.db.Setting(ctx, signingKey)
	if err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return nil, nil, err
	}
	if len(stored) == 0 {
		if stored, err = h.newSigningKey(ctx); err != nil {
			return nil, nil, err
		}
	}
	plain, err := h.unseal(ctx, stored)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the hub's signing key: %w", err)
	}
	block, _ := pem.Decode(plain)
	if block == nil {
		return nil, nil, errors.New("the hub's signing key is damaged: restore it from a backup")
	}
	signer, err := trust.ParsePrivateKey(plain, nil)
	if err != nil {
		return nil, nil, err
	}
	key, err = trust.NewKey(signer)
	return key, block.Bytes, err
}

func (h *hub) newSigningKey(ctx context.Context) ([]byte, error) {
	signer, err := trust.GenerateKey(trust.ECDSA)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return nil, err
	}
	sealed, err := h.seal(ctx, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		return nil, err
	}
	by := audit.New(time.Now(), audit.System("hub"), "key.create", audit.Object{Kind: "key", Name: "signing"})
	by.Detail = map[string]string{"id": trust.KeyID(signer.Public())}
	return sealed, h.db.PutSetting(ctx, signingKey, sealed, by)
}

func (h *hub) seal(ctx context.Context, plain []byte) ([]byte, error) {
	if p := h.purpose("signing"); p != nil {
		return p.Seal(ctx, plain, []byte(signingKey))
	}
	return plain, nil
}

func (h *hub) unseal(ctx context.Context, sealed []byte) ([]byte, error) {
	if p := h.purpose("signing"); p != nil {
		return p.Open(ctx, sealed, []byte(signingKey))
	}
	return sealed, nil
}

// within lists the indexes of a repository that list an image.
func (h *hub) within(ctx context.Context, repository, digest string) (out []string, err error) {
	page, err := h.db.Manifests(ctx, catalog.Images{Repository: repository, Kind: catalog.KindIndex, Limit: 1000})
	for i := range page.Items {
		for _, child := range page.Items[i].Children {
			if child == digest {
				out = append(out, page.Items[i].Digest)
			}
		}
	}
	return out, err
}

func (h *hub) openAuth(context.Context) error {
	cfg := auth.Config{Store: h.db, Log: h.log, Service: "seawall", PublicURL: h.config.PublicURL}
	if h.config.firstLook {
		cfg.PublicURL = "" // whatever name of this machine is used
	}
	if p := h.purpose("auth"); p != nil {
		cfg.Keys = p
	}
	for _, p := range h.config.OIDC {
		cfg.OIDC = append(cfg.OIDC, auth.Provider{ID: p.ID, Title: p.Title, Issuer: p.Issuer, ClientID: p.ClientID,
			ClientSecret: p.ClientSecret, Scopes: p.Scopes, GroupsClaim: p.GroupsClaim})
	}
	for _, text := range h.config.TrustedProxies {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return fmt.Errorf("trusted proxy %q: %w", text, err)
		}
		cfg.Proxies = append(cfg.Proxies, prefix)
	}
	a, err := auth.New(cfg)
	h.auth = a
	return err
}

func (h *hub) openAPI(ctx context.Context) error {
	h.actions = &actionsOf{config: h.config, db: h.db, intake: h.intake, registry: h.registry, judge: h.judge, ring: h.ring,
		notify: h.notify, events: h.events, truster: h.truster, started: h.started, signing: string(h.public), dropped: func() map[string]int64 { return map[string]int64{"events": h.events.Dropped()} }}
	rules, err := h.db.Rules(ctx)
	if err != nil {
		return err
	}
	h.actions.before.swap(rules)
	cfg := api.Config{Catalog: h.db, Auth: h.auth, Users: h.db, Jobs: h.db, Notify: h.db, Audit: h.db, AuditLog: trailOf{h.trail, h.db},
		Settings: h.db, Actions: h.actions, Events: h.events, Log: h.log,
		Answers: answers{h.db}, Credentials: credentials{h.db}, CheckRule: h.judge.checkRule, Allow: newPace().allow}
	for _, p := range h.config.OIDC {
		cfg.Providers = append(cfg.Providers, api.Provider{ID: p.ID, Title: p.Title, URL: "/signin/oidc/" + p.ID})
	}
	h.api = api.New(cfg)
	return nil
}

func (h *hub) openRunner(context.Context) error {
	workers := h.config.Workers
	if workers <= 0 {
		workers = runtime.NumCPU()
	}
	handlers := h.handlers()
	for kind, f := range h.intake.Handlers() {
		handlers[kind] = func(ctx context.Context, j *job.Job, progress func(string)) error { return f(ctx, *j, progress) }
	}
	for kind, f := range handlers {
		handlers[kind] = h.shown(f)
	}
	h.runner = &job.Runner{Store: h.db, Handlers: handlers, Workers: workers + 2, Lease: 20 * time.Second, Log: h.log}
	return nil
}

// logger writes to w as the configuration says.
func (c *config) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, fmt.Errorf("log level %q: want debug, info, warn or error", c.LogLevel)
	}
	o := &slog.HandlerOptions{Level: level}
	switch c.LogFormat {
	case "json":
		return slog.New(slog.NewJSONHandler(w, o)), nil
	case "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	}
	return nil, fmt.Errorf("log format %q: want text or json", c.LogFormat)
}
