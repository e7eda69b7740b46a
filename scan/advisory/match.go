package advisory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/internal/mapped"
)

// Matches is what the database has to say about one inventory. Upgrades says what would mend it, once it is known which
// findings count.
type Matches struct {
	// Findings are sorted: severity, KEV, EPSS, id, package.
	Findings []finding.Finding
	Coverage []finding.Coverage
	// Gaps are packages that could not be compared, and reasons beyond the one that Coverage has room for.
	Gaps []finding.Gap
}

// Match finds what is known against the packages of an inventory. now decides whether the distribution is past its
// end of life. Packages that a distribution package owns are left to the distribution's advisories. Errors mean a
// damaged database.
func (db *DB) Match(inv *finding.Inventory, now time.Time) (m Matches, err error) {
	defer mapped.Guard(ErrCorrupt)(&err)
	mt, err := newMatcher(db, inv)
	if err == nil {
		err = mt.all()
	}
	if err != nil {
		return Matches{}, fmt.Errorf("matching %s: %w", inv.Image.Ref, err)
	}
	m.Findings = mt.findings()
	m.Coverage, m.Gaps = mt.coverage(now)
	return m, nil
}

// matcher is one run over one inventory.
type matcher struct {
	db       *DB
	inv      *finding.Inventory
	finder   finder
	groups   grouper
	memo     map[nameVersion]*outcome // of packages about which there is something to say
	rows     []placed
	gaps     []finding.Gap // of packages and advisories that could not be compared
	resolved map[string][]resolved
	subjects []subject // of the package at hand
	looked   looked    // likewise
}

type nameVersion struct{ name, version string }

// outcome is what was found for one package: rows without package, path and layer.
type outcome struct {
	pkg      *finding.Package
	eco      string
	rows     []finding.Finding
	unparsed string
	unread   []string // ids of records whose versions could not be read
	placed   []placedAt
	next     *outcome // of the same name and version, different otherwise
}

// same: everything of a package that its matches depend on is equal.
func same(p, q *finding.Package) bool {
	return p.Name == q.Name && p.Version == q.Version && p.Type == q.Type && p.SourceName == q.SourceName &&
		p.SourceVersion == q.SourceVersion && p.Arch == q.Arch && p.Modularity == q.Modularity
}

// placed is a row of one package in one layer.
type placed struct {
	row   *finding.Finding
	pkg   *finding.Package
	paths *[]string // that the rows of one package in one layer share
}

// placedAt says where in a layer the rows of an outcome stand.
type placedAt struct {
	layer  int
	diffID string
	paths  *[]string
}

func newMatcher(db *DB, inv *finding.Inventory) (*matcher, error) {
	groups, err := newGrouper(db)
	return &matcher{
		db: db, inv: inv, finder: newFinder(db), memo: map[nameVersion]*outcome{},
		resolved: map[string][]resolved{}, groups: groups,
	}, err
}

func (mt *matcher) all() error {
	for i := range mt.inv.Packages {
		p := &mt.inv.Packages[i]
		if p.OwnedBy != "" {
			continue
		}
		if err := mt.one(p); err != nil {
			return fmt.Errorf("package %s: %w", p.Name, err)
		}
	}
	return nil
}

func (mt *matcher) one(p *finding.Package) error {
	eco := ecosystemOf(p, &mt.inv.Distro)
	if eco == "" {
		return nil
	}
	key := nameVersion{p.Name, p.Version}
	out := mt.memo[key]
	for out != nil && (out.eco != eco || !same(out.pkg, p)) {
		out = out.next
	}
	if out == nil {
		var err error
		if out, err = mt.match(p, eco); err != nil || out == nil {
			return err
		}
		out.pkg, out.eco, out.next = p, eco, mt.memo[key]
		mt.memo[key] = out
		mt.gap(out, p, eco)
	}
	if len(out.rows) > 0 {
		mt.place(out, p)
	}
	return nil
}

// gap says what of a package could not be compared.
func (mt *matcher) gap(out *outcome, p *finding.Package, eco string) {
	add := func(format string, args ...any) {
		mt.gaps = append(mt.gaps, finding.Gap{
			Kind: finding.GapUnparsedVersion, Where: eco, Detail: fmt.Sprintf(format, args...),
		})
	}
	if out.unparsed != "" {
		add("%s %s: %s", p.Name, p.Version, out.unparsed)
	}
	for _, id := range out.unread {
		add("%s %s: %s names affected versions that cannot be read", p.Name, p.Version, id)
	}
}

// place adds the rows for the package, or only its path where the same package in the same layer has them already.
func (mt *matcher) place(out *outcome, p *finding.Package) {
	at := placedAt{layer: -1}
	if p.Layer != nil {
		at.layer, at.diffID = p.Layer.Index, p.Layer.DiffID
	}
	i := slices.IndexFunc(out.placed, func(x placedAt) bool { return x.layer == at.layer && x.diffID == at.diffID })
	if i < 0 {
		i = len(out.placed)
		at.paths = new([]string)
		out.placed = append(out.placed, at)
		for r := range out.rows {
			mt.rows = append(mt.rows, placed{&out.rows[r], p, at.paths})
		}
	}
	if p.Path != "" {
		*out.placed[i].paths = append(*out.placed[i].paths, p.Path)
	}
}

// findings sorts the rows and fills them in. Rows are large: each is copied once, into its place.
func (mt *matcher) findings() []finding.Finding {
	if len(mt.rows) == 0 {
		return nil
	}
	slices.SortFunc(mt.rows, func(a, b placed) int { return compareRows(a.row, b.row, a.pkg, b.pkg) })
	out := make([]finding.Finding, len(mt.rows))
	for i, r := range mt.rows {
		f := &out[i]
		*f = *r.row
		f.Package, f.Layer, f.KernelHeaders = *r.pkg, r.pkg.Layer, isKernelHeaders(r.pkg)
		slices.Sort(*r.paths)
		f.Paths = slices.Clone(slices.Compact(*r.paths))
	}
	return out
}

// match looks one package up in every ecosystem of the database that speaks of it; nil where there is nothing to say.
func (mt *matcher) match(p *finding.Package, eco string) (*outcome, error) {
	l := &mt.looked
	*l = looked{hits: l.hits[:0], ordinary: l.ordinary[:0]}
	mt.subjects = mt.subjects[:0]
	for _, e := range mt.ecosystems(eco) {
		mt.subjects = appendSubjects(mt.subjects, p, e)
	}
	for i := range mt.subjects {
		if err := mt.finder.find(l, &mt.subjects[i], nil); err != nil {
			return nil, err
		}
	}
	if len(l.hits) == 0 && len(l.unread) == 0 && l.unparsed == nil {
		return nil, nil
	}
	out := &outcome{}
	if l.unparsed != nil {
		out.unparsed = l.unparsed.Error()
	}
	var err error
	if len(l.unread) > 0 {
		if out.unread, err = mt.groups.unread(l); err != nil {
			return nil, err
		}
	}
	if len(l.hits) > 0 {
		out.rows, err = mt.groups.rows(l, eco)
	}
	return out, err
}

// appendSubjects says under which names the ecosystem's advisories may speak of the package.
func appendSubjects(out []subject, p *finding.Package, e resolved) []subject {
	own := subject{eco: e, name: p.Name, version: p.Version, pkg: p}
	source := subject{eco: e, name: cmp.Or(p.SourceName, p.Name), version: cmp.Or(p.SourceVersion, p.Version), pkg: p}
	switch namingOf(e.name) {
	case bySource:
		return append(out, source)
	case byEither:
		if source.name != own.name {
			return append(out, own, source)
		}
	}
	return append(out, own)
}

// ecosystems resolves an inventory's ecosystem to those of the database.
func (mt *matcher) ecosystems(name string) []resolved {
	if e, ok := mt.resolved[name]; ok {
		return e
	}
	e := mt.db.resolve(name)
	mt.resolved[name] = e
	return e
}

// isKernelHeaders: the package describes a kernel that is not in the image.
func isKernelHeaders(p *finding.Package) bool {
	switch p.Type {
	case "deb":
		return (p.SourceName == "linux" || strings.HasPrefix(p.SourceName, "linux-")) && hasAnyPrefix(p.Name,
			"linux-libc-dev", "linux-headers-", "linux-kbuild-", "linux-compiler-", "linux-support-", "linux-source", "linux-doc")
	case "rpm":
		return hasAnyPrefix(p.Name, "kernel-headers", "kernel-devel", "kernel-doc", "kernel-srpm-macros",
			"kernel-rt-devel", "kernel-macros", "kernel-default-devel", "kernel-cross-headers")
	case "apk":
		return p.Name == "linux-headers" || hasAnyPrefix(p.Name, "linux-headers-")
	}
	return false
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}

// compareRows orders findings: severity, KEV, EPSS, id, package. Most pairs differ early.
func compareRows(a, b *finding.Finding, p, q *finding.Package) int {
	if c := cmp.Compare(b.Severity, a.Severity); c != 0 {
		return c
	}
	if c := cmp.Compare(boolByte(b.KEV != nil), boolByte(a.KEV != nil)); c != 0 {
		return c
	}
	if c := cmp.Compare(epssScore(b), epssScore(a)); c != 0 {
		return c
	}
	if c := cmp.Compare(a.ID, b.ID); c != 0 {
		return c
	}
	return comparePackages(p, q)
}

func comparePackages(p, q *finding.Package) int {
	return cmp.Or(
		cmp.Compare(p.Name, q.Name),
		cmp.Compare(p.Version, q.Version),
		cmp.Compare(p.Type, q.Type),
		cmp.Compare(layerIndex(p), layerIndex(q)),
		cmp.Compare(p.Arch, q.Arch),
	)
}

func epssScore(f *finding.Finding) float64 {
	if f.EPSS == nil {
		return 0
	}
	return f.EPSS.Score
}

func layerIndex(p *finding.Package) int {
	if p.Layer == nil {
		return -1
	}
	return p.Layer.Index
}
