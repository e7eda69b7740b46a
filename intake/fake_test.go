package intake_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/intake"
	"github.com/seawall/seawall/job"
	"github.com/seawall/seawall/notify"
)

// store keeps everything in memory, as package state does in a database.
type store struct {
	mu          sync.Mutex
	manifests   map[[2]string]*catalog.Manifest
	where       map[string]map[string]bool // digest → repositories
	tags        map[[2]string]catalog.Tag
	inventories map[string]finding.Inventory
	results     map[[2]string]finding.Result
	rules       []catalog.Rule
	exceptions  []catalog.Exception
	settings    map[string][]byte
	jobs        []job.Job
	records     []audit.Entry
	pulls       []catalog.Pull
	decided     int
}

func newStore() *store {
	return &store{
		manifests: map[[2]string]*catalog.Manifest{}, where: map[string]map[string]bool{}, tags: map[[2]string]catalog.Tag{}, inventories: map[string]finding.Inventory{},
		results: map[[2]string]finding.Result{}, settings: map[string][]byte{},
	}
}

func (s *store) lock() func() { s.mu.Lock(); return s.mu.Unlock }

func (s *store) copyOf(m *catalog.Manifest) catalog.Manifest {
	out := *m
	out.Tags = nil
	for _, t := range s.tags {
		if t.Repository == m.Repository && t.Digest == m.Digest {
			out.Tags = append(out.Tags, t.Name)
		}
	}
	slices.Sort(out.Tags)
	return out
}

func (s *store) Manifests(_ context.Context, q catalog.Images) (page catalog.Page[catalog.Manifest], err error) {
	defer s.lock()()
	var all []catalog.Manifest
	for _, m := range s.manifests {
		if (q.Repository == "" || m.Repository == q.Repository) && (q.Kind == "" || m.Kind == q.Kind) &&
			(q.Status == "" || m.Status == q.Status) && m.Deleted.IsZero() == !q.Deleted {
			all = append(all, s.copyOf(m))
		}
	}
	slices.SortFunc(all, func(a, b catalog.Manifest) int {
		return cmp.Or(cmp.Compare(a.Repository, b.Repository), cmp.Compare(a.Digest, b.Digest))
	})
	from, _ := strconv.Atoi(q.Cursor)
	to := min(from+cmp.Or(q.Limit, 100), len(all))
	page.Items = all[from:to]
	if page.Total = len(all); to < len(all) {
		page.Next = strconv.Itoa(to)
	}
	return page, nil
}

func (s *store) Manifest(_ context.Context, repository, digest string) (catalog.Manifest, error) {
	defer s.lock()()
	m := s.manifests[[2]string{repository, digest}]
	if m == nil {
		return catalog.Manifest{}, catalog.ErrNotFound
	}
	return s.copyOf(m), nil
}

func (s *store) Locate(_ context.Context, digest string) (out []catalog.Manifest, err error) {
	defer s.lock()()
	for repository := range s.where[digest] {
		if m := s.manifests[[2]string{repository, digest}]; m != nil && m.Deleted.IsZero() {
			out = append(out, s.copyOf(m))
		}
	}
	return out, nil
}

func (s *store) Holding(_ context.Context, repository, blob string) (out []catalog.Manifest, err error) {
	defer s.lock()()
	for _, m := range s.manifests {
		if m.Repository == repository && slices.Contains(m.Blobs, blob) {
			out = append(out, s.copyOf(m))
		}
	}
	return out, nil
}

func (s *store) Repositories(context.Context, string, string, string, int) (page catalog.Page[catalog.Repository], err error) {
	defer s.lock()()
	names := map[string]bool{}
	for key := range s.manifests {
		if !names[key[0]] {
			names[key[0]] = true
			page.Items = append(page.Items, catalog.Repository{Name: key[0]})
		}
	}
	return page, nil
}

func (s *store) Tags(context.Context, string, string, int) ([]catalog.Tag, error) { return nil, nil }

func (s *store) PutManifest(_ context.Context, m catalog.Manifest, jobs []job.Job, by ...audit.Entry) error {
	defer s.lock()()
	key := [2]string{m.Repository, m.Digest}
	if old := s.manifests[key]; old != nil {
		m.Status, m.Reasons, m.Scan, m.Override = old.Status, old.Reasons, old.Scan, old.Override
	}
	s.put(&m)
	for _, j := range jobs {
		s.enqueue(j)
	}
	s.records = append(s.records, by...)
	return nil
}

func (s *store) put(m *catalog.Manifest) {
	s.manifests[[2]string{m.Repository, m.Digest}] = m
	if s.where[m.Digest] == nil {
		s.where[m.Digest] = map[string]bool{}
	}
	s.where[m.Digest][m.Repository] = true
}

func (s *store) PutTag(_ context.Context, t catalog.Tag, by ...audit.Entry) error {
	defer s.lock()()
	s.tags[[2]string{t.Repository, t.Name}] = t
	s.records = append(s.records, by...)
	return nil
}

func (s *store) DeleteTag(_ context.Context, repository, name string, by ...audit.Entry) error {
	defer s.lock()()
	delete(s.tags, [2]string{repository, name})
	return nil
}

func (s *store) change(repository, digest string, f func(*catalog.Manifest)) error {
	defer s.lock()()
	m := s.manifests[[2]string{repository, digest}]
	if m == nil {
		return catalog.ErrNotFound
	}
	changed := *m
	f(&changed)
	s.manifests[[2]string{repository, digest}] = &changed
	return nil
}

func (s *store) DeleteManifest(_ context.Context, repository, digest string, at time.Time, by ...audit.Entry) error {
	return s.change(repository, digest, func(m *catalog.Manifest) { m.Deleted = at; s.records = append(s.records, by...) })
}

func (s *store) PurgeManifest(_ context.Context, repository, digest string, by ...audit.Entry) error {
	defer s.lock()()
	delete(s.manifests, [2]string{repository, digest})
	return nil
}

func (s *store) NotePulls(_ context.Context, pulls []catalog.Pull) error {
	defer s.lock()()
	s.pulls = append(s.pulls, pulls...)
	return nil
}

func (s *store) PutDecided(_ context.Context, d catalog.Decided, by ...audit.Entry) error {
	return s.change(d.Repository, d.Digest, func(m *catalog.Manifest) {
		s.inventories[d.Digest] = d.Result.Inventory
		s.results[[2]string{d.Repository, d.Digest}] = *d.Result
		m.Status, m.Reasons, m.Scan = d.Status, d.Reasons, &d.Evaluation
		s.records = append(s.records, by...)
		s.decided++
	})
}

func (s *store) PutScanError(_ context.Context, repository, digest, message string, status catalog.Status, reasons []catalog.Reason, by ...audit.Entry) error {
	return s.change(repository, digest, func(m *catalog.Manifest) {
		e := catalog.Evaluation{}
		if m.Scan != nil {
			e = *m.Scan
		}
		e.Error = message
		m.Status, m.Reasons, m.Scan = status, reasons, &e
		s.records = append(s.records, by...)
	})
}

func (s *store) Result(_ context.Context, repository, digest string) (finding.Result, error) {
	defer s.lock()()
	r, ok := s.results[[2]string{repository, digest}]
	if !ok {
		return r, catalog.ErrNotFound
	}
	return r, nil
}

func (s *store) Inventory(_ context.Context, digest, analyser string) (finding.Inventory, error) {
	defer s.lock()()
	inv, ok := s.inventories[digest]
	if !ok || inv.Analyser != analyser {
		return finding.Inventory{}, catalog.ErrNotFound
	}
	return inv, nil
}

func (s *store) Findings(_ context.Context, q catalog.Findings, _ time.Time) (page catalog.Page[catalog.Tracked], err error) {
	defer s.lock()()
	for key, r := range s.results {
		for i := range r.Findings {
			if f := &r.Findings[i]; f.Names(q.ID) {
				page.Items = append(page.Items, catalog.Tracked{Repository: key[0], ID: f.ID, Digests: []string{key[1]}})
			}
		}
	}
	return page, nil
}

func (s *store) Rules(context.Context) ([]catalog.Rule, error) {
	defer s.lock()()
	return s.rules, nil
}

func (s *store) Exceptions(_ context.Context, state catalog.ExceptionState, _ string) (out []catalog.Exception, err error) {
	defer s.lock()()
	for _, e := range s.exceptions {
		if e.State == state {
			out = append(out, e)
		}
	}
	return out, nil
}

func (s *store) Suppressions(_ context.Context, repository string, now time.Time) (out []finding.Suppression, err error) {
	defer s.lock()()
	for _, e := range s.exceptions {
		if e.State == catalog.Approved && finding.MatchPath(e.Repositories, repository) && !e.Suppression.Expired(now) {
			out = append(out, e.Suppression)
		}
	}
	return out, nil
}

func (s *store) enqueue(j job.Job) {
	if !slices.ContainsFunc(s.jobs, func(w job.Job) bool { return w.Kind == j.Kind && w.Key == j.Key }) {
		s.jobs = append(s.jobs, j)
	}
}

func (s *store) Enqueue(_ context.Context, j job.Job) (int64, error) {
	defer s.lock()()
	s.enqueue(j)
	return int64(len(s.jobs)), nil
}

func (s *store) Setting(_ context.Context, key string) ([]byte, error) {
	defer s.lock()()
	return s.settings[key], nil
}

func (s *store) PutSetting(_ context.Context, key string, value []byte, _ audit.Entry) error {
	defer s.lock()()
	s.settings[key] = value
	return nil
}

func (s *store) waiting() (out []string) {
	defer s.lock()()
	for _, j := range s.jobs {
		out = append(out, j.Kind+" "+j.Key)
	}
	slices.Sort(out)
	return out
}

// scanner hands out inventories by digest and counts.
type scanner struct {
	mu   sync.Mutex
	by   map[string]finding.Inventory
	runs int
	fail error
}

func (x *scanner) Inventory(_ context.Context, _, digest string, progress func(string)) (finding.Inventory, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.runs++
	progress("reading layer 1")
	if x.fail != nil {
		return finding.Inventory{}, x.fail
	}
	inv, ok := x.by[digest]
	if !ok {
		return inv, fmt.Errorf("no such image %s", digest)
	}
	return inv, nil
}

// judge finds a vulnerability for each package that it knows, and fails where one counts that is high or worse.
type judge struct {
	mu    sync.Mutex
	db    finding.Database
	known map[string]finding.Finding // by package name
	wait  chan struct{}              // when not nil, Evaluate waits until it is closed
}

func (j *judge) Database() finding.Database {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.db
}

func (j *judge) update(digest string, built time.Time, known map[string]finding.Finding) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.db, j.known = finding.Database{Digest: digest, BuiltAt: built}, known
}

func (j *judge) Evaluate(inv finding.Inventory, gate string, suppressions []finding.Suppression, now time.Time) (finding.Result, error) {
	j.mu.Lock()
	wait := j.wait
	j.mu.Unlock()
	if wait != nil {
		<-wait
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	r := finding.Result{Tool: "test", ScannedAt: now, Inventory: inv, Database: j.db, Verdict: &finding.Verdict{Decision: finding.Pass}}
	for i := range inv.Packages {
		f, ok := j.known[inv.Packages[i].Name]
		if !ok {
			continue
		}
		f.Package = inv.Packages[i]
		for k := range suppressions {
			if suppressions[k].Covers(&f, now) {
				f.Suppressed = &suppressions[k]
			}
		}
		r.Findings = append(r.Findings, f)
		if f.Suppressed == nil && f.Severity >= finding.SeverityHigh && gate != "allow" {
			r.Verdict.Decision = finding.Fail
			r.Verdict.Reasons = append(r.Verdict.Reasons, finding.Reason{Decision: finding.Fail, Rule: "max.high", Message: "1 high finding (" + f.ID + ")"})
		}
	}
	if len(inv.Gaps) > 0 && r.Verdict.Decision == finding.Pass {
		r.Verdict.Decision = finding.NotEvaluated
		r.Verdict.Reasons = []finding.Reason{{Decision: finding.NotEvaluated, Rule: "gaps." + string(inv.Gaps[0].Kind), Message: inv.Gaps[0].Detail}}
	}
	return r, nil
}

// truster misses a signature of everything that a rule asks about, until it is told of one.
type truster struct {
	mu     sync.Mutex
	signed map[string]bool
	fail   error
}

func (x *truster) Verify(_ context.Context, _, digest string, rule *catalog.TrustRule, _ time.Time) (intake.TrustReport, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.fail != nil:
		return intake.TrustReport{}, x.fail
	case x.signed[digest]:
		return intake.TrustReport{Signers: []string{"release"}}, nil
	case rule != nil:
		return intake.TrustReport{Missing: []catalog.Reason{{Rule: "signers", Message: "no signature by release"}}}, nil
	}
	return intake.TrustReport{}, nil
}

// index compares what a judge knows.
type index struct {
	store    *store
	judge    *judge
	from     string
	before   map[string]finding.Finding
	accepted int
}

func (x *index) Compare(_ context.Context, yield func(intake.Change) error) (intake.Comparison, error) {
	x.judge.mu.Lock()
	after, to := x.judge.known, x.judge.db.Digest
	x.judge.mu.Unlock()
	holders := map[string][]string{}
	unlock := x.store.lock()
	for digest, inv := range x.store.inventories {
		for _, p := range inv.Packages {
			holders[p.Name] = append(holders[p.Name], digest)
		}
	}
	unlock()
	for name, digests := range holders {
		was, had := x.before[name]
		is, has := after[name]
		c := intake.Change{Package: finding.Package{Name: name}, Digests: digests, New: x.from == ""}
		switch {
		case has && (!had || c.New):
			is.Package = finding.Package{Name: name, Type: "npm"}
			c.Added = []finding.Finding{is}
		case had && !has:
			c.Removed = []string{was.ID}
		case has && was.Severity != is.Severity:
			c.Changed = []string{is.ID}
		case !c.New:
			continue
		}
		if err := yield(c); err != nil {
			return intake.Comparison{}, err
		}
	}
	return intake.Comparison{From: x.from, To: to, Inventories: len(holders)}, nil
}

func (x *index) Accept(_ context.Context, c intake.Comparison) error {
	x.from, x.before = c.To, x.judge.known
	x.accepted++
	return nil
}

// bench is a hub around a service.
type hub struct {
	*intake.Service
	t       testing.TB
	store   *store
	scanner *scanner
	judge   *judge
	truster *truster
	index   *index

	mu     sync.Mutex
	clock  time.Time
	events []notify.Event
}

var start = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

const analyser = "1"

func newHub(t testing.TB, change func(*intake.Config)) *hub {
	h := &hub{t: t, store: newStore(), scanner: &scanner{by: map[string]finding.Inventory{}}, clock: start, truster: &truster{signed: map[string]bool{}}}
	h.judge = &judge{db: finding.Database{Digest: "sha256:db1", BuiltAt: start}}
	h.index = &index{store: h.store, judge: h.judge}
	c := intake.Config{
		Catalog: h.store, Jobs: h.store, Settings: h.store, Scanner: h.scanner, Judge: h.judge, Truster: h.truster, Index: h.index,
		Analyser: analyser, Console: "https://hub.example/", PullWait: 40 * time.Millisecond, Now: h.now,
		Notify: func(e notify.Event) { h.mu.Lock(); h.events = append(h.events, e); h.mu.Unlock() },
	}
	if change != nil {
		change(&c)
	}
	h.Service = intake.New(c)
	return h
}

func (h *hub) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clock
}

// pass lets time pass.
func (h *hub) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock = h.clock.Add(d)
}

// told takes the titles of the notifications so far.
func (h *hub) told() (titles []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.events {
		titles = append(titles, e.Kind+": "+e.Title)
	}
	h.events = nil
	return titles
}

// run runs all jobs that wait, and those that follow from them.
func (h *hub) run() {
	h.t.Helper()
	if err := h.try(); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hub) try() error {
	handlers := h.Handlers()
	var faults []error
	for range 1000 {
		unlock := h.store.lock()
		if len(h.store.jobs) == 0 {
			unlock()
			return errors.Join(faults...)
		}
		j := h.store.jobs[0]
		h.store.jobs = h.store.jobs[1:]
		unlock()
		if err := handlers[j.Kind](context.Background(), j, func(string) {}); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.New("jobs follow from jobs without end")
}

var alice = audit.Actor{Kind: audit.ActorUser, ID: "user:alice", Name: "alice", Address: "192.0.2.1"}

// push pushes an image that holds the packages.
func (h *hub) push(repository, digest string, packages ...string) {
	h.t.Helper()
	inv := finding.Inventory{Analyser: analyser, Image: finding.Image{ID: digest}}
	for _, p := range packages {
		inv.Packages = append(inv.Packages, finding.Package{Name: p, Version: "1", Type: "npm"})
	}
	h.scanner.by[digest] = inv
	h.must(h.Pushed(context.Background(), catalog.Manifest{
		Repository: repository, Digest: digest, Kind: catalog.KindImage, Platform: "linux/amd64",
		Blobs: []string{"sha256:config-" + digest, "sha256:base"},
	}, alice, "r1"))
}

func (h *hub) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *hub) status(repository, digest string) catalog.Status {
	h.t.Helper()
	m, err := h.store.Manifest(context.Background(), repository, digest)
	h.must(err)
	return m.Status
}

// served pulls by digest, as an ordinary principal.
func (h *hub) served(repository, digest string) intake.Answer {
	h.t.Helper()
	a, err := h.Serve(context.Background(), repository, digest, false)
	h.must(err)
	return a
}

func enforce(pattern string) catalog.Rule {
	return catalog.Rule{ID: 1, Name: "enforce", Pattern: pattern, Mode: catalog.Enforce}
}

func high(id string) finding.Finding {
	return finding.Finding{ID: id, Severity: finding.SeverityHigh, Title: "overflow"}
}

func jsonOf(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func matchJob(repository, digest string) job.Job {
	return job.Job{Kind: intake.KindMatch, Payload: json.RawMessage(jsonOf(map[string]string{"repository": repository, "digest": digest}))}
}
