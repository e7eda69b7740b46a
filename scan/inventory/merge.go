package inventory

import (
	"cmp"
	"slices"

	"github.com/seawall/seawall/finding"
)

// Merge lays layers on top of each other, bottom first, and returns what the image holds. Layer i is credited as
// img.Layers[i]; where img lists another number of layers (a root file system), nothing is credited.
//
// A package, executable or fact is in the image if no upper layer removed or replaced its file. A package database
// that an upper layer writes anew replaces the one below; its packages are credited to the layer since which they
// have been there in the same version. Secrets stay, marked as deleted: the layer still carries them.
//
// Merge is a pure function: the same arguments give the same Inventory. Checks are left to the caller, who gets Facts.
func Merge(layers []Layer, img finding.Image) (finding.Inventory, Facts) {
	m := merger{tree: newTree(), refs: layerRefs(layers, img), distro: finding.Distro{}, linked: writesThrough(layers)}
	for i := range layers {
		m.lay(&layers[i], m.refs[i])
	}
	inv := finding.Inventory{
		Image: img, Analyser: AnalyserVersion, Scanned: scannedByAll(layers), Gaps: m.gaps,
		Packages: []finding.Package{}, // an empty list in JSON, not null
	}
	m.into(&inv)
	return inv, m.facts()
}

func layerRefs(layers []Layer, img finding.Image) []*finding.LayerRef {
	refs := make([]*finding.LayerRef, len(layers))
	if len(img.Layers) != len(layers) {
		return refs
	}
	for i := range refs {
		ref := img.Layers[i].LayerRef
		refs[i] = &ref
	}
	return refs
}

// scannedByAll: a kind was looked for if every layer was searched for it.
func scannedByAll(layers []Layer) finding.Scanned {
	all := finding.Scanned{Packages: true, Executables: true, Secrets: true, Checks: true}
	for i := range layers {
		s := layers[i].Scanned
		all.Packages = all.Packages && s.Packages
		all.Executables = all.Executables && s.Executables
		all.Secrets = all.Secrets && s.Secrets
		all.Checks = all.Checks && s.Checks
	}
	if len(layers) == 0 {
		return finding.Scanned{}
	}
	return all
}

// merger holds the tree as it is after the layers laid so far.
type merger struct {
	tree   tree
	refs   []*finding.LayerRef
	distro finding.Distro
	gone   []finding.Secret // of files that an upper layer removed
	gaps   []finding.Gap
	copies int // packages that hard links repeated
	// linked: some layer writes through a symbolic link. followed: the one that is being laid does.
	linked, followed bool
	heldLinks        int
}

// holding is what one path of the merged tree holds.
type holding struct {
	packages []held
	exec     *finding.Executable
	secrets  []finding.Secret
	release  string
	link     string // target of the symbolic link, see merger.linked
	gaps     []finding.Gap
	// facts by kind, see factKinds.
	facts [factKinds][]PathFact
}

func (h *holding) empty() bool {
	if h.gaps != nil || h.packages != nil || h.exec != nil || h.secrets != nil || h.release != "" || h.link != "" {
		return false
	}
	for _, f := range h.facts {
		if f != nil {
			return false
		}
	}
	return true
}

// lay puts one layer on top.
func (m *merger) lay(l *Layer, ref *finding.LayerRef) {
	before := m.tree.remove(l.Paths)
	if m.linked {
		m.followed = m.layThrough(l, before)
	}
	for i := range l.Releases {
		m.tree.at(m.at(l.Releases[i].Path)).release = l.Releases[i].Content
	}
	m.layPackages(l.Packages, before, ref)
	m.layExecutables(l.Executables, before, ref)
	m.laySecrets(l.Secrets, before, ref)
	m.layFacts(&l.Facts, ref)
	m.layLinks(l.Links, ref)
	m.layGaps(l.Gaps)
}

// layGaps keeps a gap with its file: one that an upper layer removes or replaces leaves nothing to evaluate.
func (m *merger) layGaps(gaps []finding.Gap) {
	for _, g := range gaps {
		if g.Where == "" {
			m.gaps = append(m.gaps, g)
			continue
		}
		g.Where = m.at(g.Where)
		h := m.tree.at(g.Where)
		h.gaps = append(h.gaps, g)
	}
}

// layPackages adds the packages of a layer, which lie together by path. Those that the removed file at the same path
// listed in the same version keep their credit and what was known of them.
func (m *merger) layPackages(packages []Package, before map[string]*holding, ref *finding.LayerRef) {
	for start := 0; start < len(packages); {
		p := packages[start].Path
		end := start + 1
		for end < len(packages) && packages[end].Path == p {
			end++
		}
		at := m.at(p)
		h, older := m.tree.at(at), olderList{}
		if old := before[at]; old != nil {
			older.list = old.packages
		}
		h.packages = make([]held, 0, end-start)
		for i := start; i < end; i++ {
			x := held{Package: &packages[i], layer: ref, licences: packages[i].Licenses}
			if at != p {
				x.path = at
			}
			if old := older.find(&packages[i]); old != nil {
				x.layer = old.layer
				if x.licences == nil {
					x.licences = old.licences
				}
			}
			h.packages = append(h.packages, x)
		}
		start = end
	}
}

// layExecutables adds executables. One that replaces a packaged file still stands in for it.
func (m *merger) layExecutables(execs []finding.Executable, before map[string]*holding, ref *finding.LayerRef) {
	for i := range execs {
		x := execs[i]
		x.Layer, x.Path = ref, m.at(x.Path)
		if old := before[x.Path]; x.Owner == "" && old != nil && old.exec != nil {
			x.Owner = old.exec.Owner
		}
		m.tree.at(x.Path).exec = &x
	}
}

// laySecrets adds secrets, and sets those of removed files apart. The same secret written again at the same path is
// one secret, of the lower layer.
func (m *merger) laySecrets(secrets []finding.Secret, before map[string]*holding, ref *finding.LayerRef) {
	for i := range secrets {
		s := secrets[i]
		s.Layer, s.Path = ref, m.at(s.Path)
		if old := before[s.Path]; old != nil {
			s.Layer = old.takeSecret(&s)
		}
		h := m.tree.at(s.Path)
		h.secrets = append(h.secrets, s)
	}
	for _, h := range before {
		for _, s := range h.secrets {
			s.Deleted = true
			m.gone = append(m.gone, s)
		}
	}
}

// takeSecret removes the secret like s from h and returns its layer, else that of s.
func (h *holding) takeSecret(s *finding.Secret) *finding.LayerRef {
	for i := range h.secrets {
		if old := &h.secrets[i]; old.Rule == s.Rule && old.Masked == s.Masked {
			ref := old.Layer
			h.secrets = slices.Delete(h.secrets, i, i+1)
			return ref
		}
	}
	return s.Layer
}

// maxLinked bounds the packages that hard links repeat: a long lock file may have many names.
const maxLinked = 200_000

// layLinks lets hard links into lower layers hold what their targets hold.
func (m *merger) layLinks(links []Link, ref *finding.LayerRef) {
	for _, l := range links {
		l.Path, l.Target = m.at(l.Path), m.at(l.Target)
		target := m.tree.look(l.Target)
		if target == nil || target.empty() || l.Path == l.Target {
			continue
		}
		h := m.tree.at(l.Path)
		if target.exec != nil {
			x := *target.exec
			x.Path, x.Layer = l.Path, ref
			h.exec = &x
		}
		if m.copies += len(target.packages); m.copies > maxLinked {
			m.gaps = append(m.gaps, finding.Gap{Kind: finding.GapTooLarge, Where: l.Path, Detail: "hard links repeat too many packages"})
			return
		}
		h.packages = slices.Clone(target.packages)
		for i := range h.packages {
			h.packages[i].path, h.packages[i].layer = l.Path, ref
		}
	}
}

// into fills inv with what the tree holds, in the order of paths.
func (m *merger) into(inv *finding.Inventory) {
	inv.Distro = detectDistro(m.releases())
	installed := m.installed()
	m.tree.each(func(_ string, h *holding) {
		for i := range h.packages {
			if p := &h.packages[i]; !p.Declared || !installed.covers(p.Package) {
				inv.Packages = append(inv.Packages, p.named(&inv.Distro))
			}
		}
		if h.exec != nil {
			inv.Executables = append(inv.Executables, *h.exec)
		}
		inv.Secrets = append(inv.Secrets, h.secrets...)
		inv.Gaps = append(inv.Gaps, h.gaps...)
	})
	slices.SortFunc(m.gone, compareSecrets)
	inv.Secrets = append(inv.Secrets, m.gone...)
	slices.SortStableFunc(inv.Packages, comparePackages)
}

func (m *merger) releases() map[string]string {
	files := map[string]string{}
	for _, p := range releaseFiles {
		if h := m.tree.look(follow(p, m.tree.link)); h != nil && h.release != "" {
			files[p] = h.release
		}
	}
	return files
}

func comparePackages(a, b finding.Package) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version),
		cmp.Compare(a.Arch, b.Arch), cmp.Compare(a.Path, b.Path))
}

func compareSecrets(a, b finding.Secret) int {
	index := func(l *finding.LayerRef) int {
		if l == nil {
			return 0
		}
		return l.Index
	}
	return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(index(a.Layer), index(b.Layer)), cmp.Compare(a.Line, b.Line),
		cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Masked, b.Masked))
}
