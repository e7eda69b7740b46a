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

// Matches is what the database has to say about one inventory.
type Matches struct {
	// Findings are sorted: severity, KEV, EPSS, id, package.
	Findings []finding.Finding
	Coverage []finding.Coverage
	// Upgrades are computed over all findings. After suppressing some, call Upgrades again.
	Upgrades []finding.Upgrade
	// Gaps are packages that could not be compared, and reasons beyond the one that Coverage has room for.
	Gaps []finding.Gap
}

// Match finds what is known against the packages of an inventory. now decides whether the distribution is past its
// end of life. Packages that a distribution package owns are left to the distribution's advisories. Errors mean a
// damaged database.
func (db *DB) Match(inv *finding.Inventory, now time.Time) (m Matches, err error) {
	defer mapped.Guard(ErrCorrupt)(&err)
	mt := newMatcher(db, inv, nil)
	if err := mt.all(); err != nil {
		return Matches{}, fmt.Errorf("matching %s: %w", inv.Image.Ref, err)
	}
	m.Findings = mt.findings
	sortFindings(m.Findings)
	m.Coverage, m.Gaps = mt.coverage(now)
	m.Upgrades = Upgrades(m.Findings, baseName(inv))
	return m, nil
}

// matcher is one run over one inventory.
type matcher struct {
	db       *DB
	inv      *finding.Inventory
	only     want
	groups   grouper
	memo     map[identity]*outcome
	findings []finding.Finding
	rows     map[rowKey]int // in findings
	unparsed []finding.Gap
	resolved map[string][]*ecosystem
}

// identity is all of a package that its matches depend on.
type identity struct {
	eco, typ, name, version, srcName, srcVersion, arch, module string
}

// outcome is what was found for one identity: rows without package, path and layer.
type outcome struct {
	rows     []finding.Finding
	unparsed string
}

type rowKey struct {
	identity
	layer, id string
}

func newMatcher(db *DB, inv *finding.Inventory, only want) *matcher {
	return &matcher{
		db: db, inv: inv, only: only, memo: make(map[identity]*outcome, len(inv.Packages)), rows: map[rowKey]int{},
		resolved: map[string][]*ecosystem{}, groups: newGrouper(db),
	}
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
	for i := range mt.findings {
		f := &mt.findings[i]
		slices.Sort(f.Paths)
		f.Paths = slices.Compact(f.Paths)
	}
	return nil
}

func (mt *matcher) one(p *finding.Package) error {
	eco := ecosystemOf(p, &mt.inv.Distro)
	if eco == "" {
		return nil
	}
	id := identity{eco, p.Type, p.Name, p.Version, p.SourceName, p.SourceVersion, p.Arch, p.Modularity}
	out := mt.memo[id]
	if out == nil {
		var err error
		if out, err = mt.match(p, eco); err != nil {
			return err
		}
		mt.memo[id] = out
		if out.unparsed != "" {
			mt.unparsed = append(mt.unparsed, finding.Gap{
				Kind: finding.GapUnparsedVersion, Where: eco, Detail: fmt.Sprintf("%s %s: %s", p.Name, p.Version, out.unparsed),
			})
		}
	}
	for i := range out.rows {
		mt.place(&out.rows[i], p, id)
	}
	return nil
}

// place adds a row for the package, or only its path where the same package in the same layer has the row already.
func (mt *matcher) place(row *finding.Finding, p *finding.Package, id identity) {
	key := rowKey{identity: id, id: row.ID + "\x00" + strings.Join(row.Advisories, "\x00")}
	if p.Layer != nil {
		key.layer = fmt.Sprint(p.Layer.Index, p.Layer.DiffID)
	}
	at, ok := mt.rows[key]
	if !ok {
		at = len(mt.findings)
		mt.rows[key] = at
		f := *row
		f.Package, f.Layer, f.KernelHeaders = *p, p.Layer, isKernelHeaders(p)
		f.Paths = nil
		mt.findings = append(mt.findings, f)
	}
	if p.Path != "" {
		mt.findings[at].Paths = append(mt.findings[at].Paths, p.Path)
	}
}

// match looks one package up in every ecosystem of the database that speaks of it.
func (mt *matcher) match(p *finding.Package, eco string) (*outcome, error) {
	var hits []hit
	out := &outcome{}
	for _, e := range mt.ecosystems(eco) {
		for _, s := range subjectsOf(p, e) {
			var unparsed error
			var err error
			if hits, unparsed, err = mt.db.find(hits, &s, mt.only); err != nil {
				return nil, err
			}
			if unparsed != nil {
				out.unparsed = unparsed.Error()
			}
		}
	}
	if len(hits) == 0 {
		return out, nil
	}
	var err error
	out.rows, err = mt.groups.rows(hits, eco)
	return out, err
}

// subjectsOf says under which names the ecosystem's advisories may speak of the package.
func subjectsOf(p *finding.Package, e *ecosystem) []subject {
	own := subject{eco: e, name: p.Name, version: p.Version, pkg: p}
	source := subject{eco: e, name: cmp.Or(p.SourceName, p.Name), version: cmp.Or(p.SourceVersion, p.Version), pkg: p}
	switch namingOf(e.name) {
	case bySource:
		return []subject{source}
	case byEither:
		if source.name != own.name {
			return []subject{own, source}
		}
	}
	return []subject{own}
}

// ecosystems resolves an inventory's ecosystem to those of the database. Most are equal; the exceptions are
// ecosystems that the database splits finer than an os-release can tell.
func (mt *matcher) ecosystems(name string) []*ecosystem {
	if e, ok := mt.resolved[name]; ok {
		return e
	}
	e := mt.db.resolve(name)
	mt.resolved[name] = e
	return e
}

func (db *DB) resolve(name string) (out []*ecosystem) {
	fam, release, _ := strings.Cut(name, ":")
	for i := range db.ecos {
		if e := &db.ecos[i]; e.name == name || e.name == fam && release != "" || finer(e.name, fam, release) {
			out = append(out, e)
		}
	}
	return out
}

// finer reports whether have is a part of the release: Ubuntu's long-term releases carry ":LTS", Red Hat's
// repositories a CPE ("Red Hat:enterprise_linux:9::appstream"), openEuler's and SUSE's nothing more.
func finer(have, fam, release string) bool {
	rest, ok := strings.CutPrefix(have, fam+":")
	if !ok || release == "" {
		return false
	}
	switch fam {
	case "Ubuntu":
		return rest == release+":LTS"
	case "Red Hat":
		cpe, ok := strings.CutPrefix(rest, "enterprise_linux:")
		return ok && (cpe == release || strings.HasPrefix(cpe, release+":"))
	}
	return false
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

// sortFindings sorts places and then moves each finding once: they are large.
func sortFindings(fs []finding.Finding) {
	order := make([]int, len(fs))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return compareFindings(&fs[a], &fs[b]) })
	sorted := make([]finding.Finding, len(fs))
	for to, from := range order {
		sorted[to] = fs[from]
	}
	copy(fs, sorted)
}

func compareFindings(a, b *finding.Finding) int {
	return cmp.Or(
		cmp.Compare(b.Severity, a.Severity),
		cmp.Compare(boolByte(b.KEV != nil), boolByte(a.KEV != nil)),
		cmp.Compare(epssScore(b), epssScore(a)),
		cmp.Compare(a.ID, b.ID),
		cmp.Compare(a.Package.Name, b.Package.Name),
		cmp.Compare(a.Package.Version, b.Package.Version),
		cmp.Compare(a.Package.Type, b.Package.Type),
		cmp.Compare(layerIndex(a), layerIndex(b)),
		cmp.Compare(a.Package.Arch, b.Package.Arch),
	)
}

func epssScore(f *finding.Finding) float64 {
	if f.EPSS == nil {
		return 0
	}
	return f.EPSS.Score
}

func layerIndex(f *finding.Finding) int {
	if f.Layer == nil {
		return -1
	}
	return f.Layer.Index
}
