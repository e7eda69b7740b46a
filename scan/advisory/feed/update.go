package feed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seawall/seawall/scan/advisory/feed/fetch"
)

// ErrBusy: another update or import works on the directory. Try again when it is done.
var ErrBusy = errors.New("another update is running on the database directory")

// state is what happened to a source in an update.
type state string

const (
	fetched     state = "fetched"
	incremental state = "incremental" // changed records were added
	unchanged   state = "unchanged"
	absent      state = "absent" // the mirror does not have it, and nobody asked for it
	failed      state = "failed" // the copy of last time is used
)

// Report says what an update did.
type Report struct {
	Sources []SourceReport `json:"sources"`
	// Changes compares record counts with the database that was there before, by source and by ecosystem family.
	Changes []Change `json:"changes,omitempty"`
	// UpToDate: nothing had changed and the database was left as it is.
	UpToDate bool          `json:"upToDate,omitempty"`
	Database Info          `json:"database"`
	Elapsed  time.Duration `json:"elapsed"` // nanoseconds
	// Downloaded counts bytes of all files together.
	Downloaded int64 `json:"downloaded"`
}

// SourceReport says what happened to one source.
type SourceReport struct {
	Name       string    `json:"name"`
	URL        string    `json:"url"`
	State      string    `json:"state"` // fetched, incremental, unchanged, absent, failed
	Error      string    `json:"error,omitempty"`
	Size       int64     `json:"size"`
	Records    int       `json:"records"`
	Bad        int       `json:"bad,omitempty"`
	Complaints []string  `json:"complaints,omitempty"`
	Newest     time.Time `json:"newest,omitzero"`
	Fetched    time.Time `json:"fetched,omitzero"`
}

// Update fetches what has changed, compiles all sources and puts the database in place. On an error the database
// that was there stays, as it also does when the process dies; what was downloaded is kept for the next time.
func Update(ctx context.Context, c Config) (Report, error) {
	if c.Dir == "" || c.Database == nil {
		return Report{}, errors.New("an update needs a directory and a database to build")
	}
	start := time.Now()
	p := paths(c.Dir)
	release, err := p.acquire()
	if err != nil {
		return Report{}, err
	}
	defer release()
	p.sweep()
	u := &update{cfg: &c, paths: p, byName: map[string]*SourceReport{}}
	if info, err := c.Database.Inspect(p.database()); err == nil {
		u.before, u.had = info, true
	}
	err = u.run(ctx)
	u.report.Elapsed = time.Since(start)
	return u.report, err
}

// update is one run of Update.
type update struct {
	cfg      *Config
	paths    paths
	manifest manifest
	inputs   []input // in the order of reading
	before   Info
	had      bool // a good database before
	report   Report
	mu       sync.Mutex
	byName   map[string]*SourceReport
	changed  bool
}

func (u *update) run(ctx context.Context) (err error) {
	if err := os.MkdirAll(filepath.Dir(u.paths.manifest()), 0o755); err != nil {
		return fmt.Errorf("making the directory of sources: %w", err)
	}
	if u.manifest, err = u.paths.loadManifest(); err != nil {
		return err
	}
	if !u.had {
		u.before.Sources = u.manifest.counted()
	}
	defer u.finishReport()
	if err := u.gather(ctx); err != nil {
		return err
	}
	if err := u.remember(); err != nil {
		return err
	}
	if u.had && !u.changed && u.sameSources() {
		u.report.UpToDate, u.report.Database = true, u.before
		return nil
	}
	if err := u.build(ctx); err != nil {
		return err
	}
	u.paths.dropUnused(u.manifest)
	return nil
}

// gather brings every source onto the disk.
func (u *update) gather(ctx context.Context) error {
	if u.cfg.base() == "" {
		if err := u.gatherDirectory(); err != nil {
			return err
		}
	}
	client := u.cfg.Download.client()
	m := &mirror{base: u.cfg.base(), files: client, paths: u.paths, cfg: u.cfg}
	var ecosystems []string
	if m.base != "" {
		var err error
		if ecosystems, err = m.ecosystems(ctx); err != nil {
			return fmt.Errorf("listing the ecosystems: %w", err)
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for _, e := range ecosystems {
		g.Go(func() error {
			have := u.manifest.Sources["osv/"+e]
			got, s, err := m.osv(ctx, e, have)
			return u.settle(ctx, input{Name: "osv/" + e, URL: m.base + e}, got, s, err, false)
		})
	}
	for _, x := range u.cfg.extras() {
		g.Go(func() error { return u.gatherExtra(ctx, m, x) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	slices.SortFunc(u.inputs, func(a, b input) int { return strings.Compare(orderOf(a)+a.Name, orderOf(b)+b.Name) })
	if len(u.inputs) == 0 {
		return errors.New("there is no source to build a database from")
	}
	return nil
}

// counted lists the sources as the last build counted them: something to compare with where the database itself is
// damaged or of another version of the program.
func (m *manifest) counted() (out []Source) {
	for _, in := range m.Sources {
		out = append(out, Source{Name: in.Name, Records: in.Records})
	}
	return out
}

// orderOf puts sources that say more of the same records after the ones that say less: the later entry counts.
func orderOf(in input) string {
	switch in.Kind {
	case osvZip, osvLines:
		return "0"
	case alpineSecDB, debianTracker:
		return "1"
	}
	return "2"
}

func (u *update) gatherDirectory() error {
	list, err := listDirectory(u.cfg.From)
	if err != nil {
		return err
	}
	extras := map[string]string{"kev": u.cfg.KEV, "epss": u.cfg.EPSS, "debian": u.cfg.DebianTracker}
	for _, in := range list {
		name, isOSV := strings.CutPrefix(in.Name, "osv/")
		if isOSV && u.cfg.Ecosystems != nil && !slices.Contains(u.cfg.Ecosystems, name) || extras[in.Name] != "" {
			continue
		}
		if err := u.settleFile(in); err != nil {
			return err
		}
	}
	return nil
}

// settleFile takes a file where it lies.
func (u *update) settleFile(in input) error {
	if err := describeFile(&in); err != nil {
		return err
	}
	have, s := u.manifest.Sources[in.Name], fetched
	in.Fetched = u.cfg.now()
	in.Records, in.Newest = have.Records, have.Newest
	if have.SHA256 == in.SHA256 && have.Path == in.Path {
		s = unchanged
	}
	return u.settle(context.Background(), in, in, s, nil, false)
}

func (u *update) gatherExtra(ctx context.Context, m *mirror, x extra) error {
	if !isURL(x.address) {
		path, err := filepath.Abs(x.address)
		if err != nil {
			return err
		}
		return u.settleFile(input{Name: x.name, Kind: x.kind, URL: path, Path: path})
	}
	in := input{Name: x.name, Kind: x.kind, URL: x.address, Path: filepath.Join("lists", strings.ReplaceAll(x.name, "/", "_"))}
	got, s, err := m.file(ctx, in, u.manifest.Sources[x.name], maxList)
	return u.settle(ctx, in, got, s, err, x.optional)
}

// settle notes what became of a source. Where it failed, the copy of last time is used; without one the update fails.
func (u *update) settle(ctx context.Context, asked, got input, s state, err error, optional bool) error {
	r := &SourceReport{Name: asked.Name, URL: asked.URL, State: string(s)}
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return ctx.Err()
	case optional && errors.Is(err, fetch.ErrNotFound):
		r.State = string(absent)
		u.byName[asked.Name] = r
		return nil
	default:
		if got.Path == "" || !(&mirror{paths: u.paths}).present(got) {
			return fmt.Errorf("source %s: %w", asked.Name, err)
		}
		r.State, r.Error = string(failed), err.Error()
	}
	u.changed = u.changed || s == fetched || s == incremental
	u.inputs = append(u.inputs, got)
	u.byName[asked.Name] = r
	return nil
}

// remember writes the manifest of what is on disk now.
func (u *update) remember() error {
	u.manifest.Sources = map[string]input{}
	for _, in := range u.inputs {
		u.manifest.Sources[in.Name] = in
	}
	return u.paths.saveManifest(u.manifest)
}

// sameSources: the database was built from what is on disk, all of it and nothing else.
func (u *update) sameSources() bool {
	if len(u.before.Sources) != len(u.inputs) {
		return false
	}
	digests := map[string]string{}
	for _, s := range u.before.Sources {
		digests[s.Name] = s.Digest
	}
	for _, in := range u.inputs {
		if digests[in.Name] != in.digest() {
			return false
		}
	}
	return true
}

// digest names the content of a source: of an archive with changes, both.
func (in *input) digest() string {
	d := "sha256:" + in.SHA256
	if in.Delta != "" {
		d += " " + filepath.Base(in.Delta)
	}
	return d
}

// build compiles into a file beside the database, checks it and replaces the database.
func (u *update) build(ctx context.Context) error {
	now := u.cfg.now()
	path := u.paths.building()
	defer os.Remove(path)
	fill := func(sink Sink) error { return u.read(ctx, sink) }
	if err := u.cfg.Database.Build(ctx, path, now, u.sources, fill); err != nil {
		return fmt.Errorf("building the database: %w", err)
	}
	after, err := u.cfg.Database.Inspect(path)
	if err != nil {
		return fmt.Errorf("checking the new database: %w", err)
	}
	if after.Records == 0 {
		return errors.New("the new database would hold no record")
	}
	u.report.Changes = compare(u.before, after)
	if err := shrink(u.report.Changes); err != nil && !u.cfg.AcceptShrink {
		return err
	}
	if err := u.remember(); err != nil {
		return err
	}
	if u.cfg.Key != "" {
		if err := u.cfg.Database.Sign(path, u.cfg.Key); err != nil {
			return err
		}
	}
	if err := u.paths.install(path); err != nil {
		return err
	}
	u.report.Database = after
	return nil
}

// install moves a finished database into place.
func (p paths) install(path string) error {
	if err := os.Rename(path, p.database()); err != nil {
		return fmt.Errorf("putting the database in place: %w", err)
	}
	return syncDir(string(p))
}

func (u *update) sources() []Source {
	out := make([]Source, 0, len(u.inputs))
	for _, in := range u.inputs {
		out = append(out, Source{
			Name: in.Name, URL: in.URL, Fetched: in.Fetched, Newest: in.Newest, Records: in.Records,
			Digest: in.digest(), ETag: in.ETag,
		})
	}
	return out
}

func (u *update) finishReport() {
	for _, in := range u.inputs {
		r := u.byName[in.Name]
		r.Size, r.Records, r.Newest, r.Fetched = in.Size, in.Records, in.Newest, in.Fetched
		if r.State == string(fetched) && in.URL != in.Path {
			u.report.Downloaded += in.Size
		}
	}
	for _, r := range u.byName {
		u.report.Sources = append(u.report.Sources, *r)
	}
	slices.SortFunc(u.report.Sources, func(a, b SourceReport) int { return strings.Compare(a.Name, b.Name) })
}

// sweep removes what a killed update left. Only the holder of the lock may.
func (p paths) sweep() {
	for _, pattern := range []string{"advisories.db.new", ".advisories.*", "sources/.manifest.json.*", "sources/osv/.*.jsonl.*"} {
		left, _ := filepath.Glob(filepath.Join(globEscape(string(p)), pattern))
		for _, path := range left {
			_ = os.Remove(path)
		}
	}
}

// dropUnused removes archives and files of changed records that the manifest does not name.
func (p paths) dropUnused(m manifest) {
	named := map[string]bool{}
	for _, in := range m.Sources {
		named[p.source(in.Path)], named[p.source(in.Delta)] = true, true
	}
	for _, pattern := range []string{"*.zip", "*.jsonl"} {
		all, _ := filepath.Glob(filepath.Join(globEscape(string(p)), "sources", "osv", pattern))
		for _, path := range all {
			if !named[path] {
				_ = os.Remove(path)
			}
		}
	}
}
