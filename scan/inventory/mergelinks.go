package inventory

import (
	"fmt"
	"strings"

	"github.com/seawall/seawall/finding"
)

// Links of lower layers are looked at only if some layer writes through one of them, which few images have: see
// writesThrough. Then they are held in the tree like files, and an upper layer's own paths are read as spelled through
// them.

const (
	// maxAliases bounds the linked directories that one layer writes through, maxHeldLinks the links in the tree.
	maxAliases   = 64
	maxHeldLinks = 500_000
)

// writesThrough reports whether a layer writes below a path that is a link in a layer below it.
func writesThrough(layers []Layer) bool {
	var links []uint64 // of the layers below
	var hash []byte
	hashed := 0 // layers whose links are in links
	for j := range layers {
		through := layers[j].Through
		if through.Len() == 0 {
			continue
		}
		for ; hashed < j; hashed++ {
			for _, l := range layers[hashed].Symlinks {
				var m uint64
				m, hash = hashPath(hash, l.Path)
				links = append(links, m)
			}
		}
		for _, m := range links {
			if through.find(m) != 0 {
				return true
			}
		}
	}
	return false
}

// alias is a directory that a layer spells in another way than by its place in the tree.
type alias struct{ spelled, dir string }

// spell returns how the layer spells p; ok is false where p is not in the directory.
func (a alias) spell(p string) (spelled string, ok bool) {
	switch {
	case a.dir == "":
		return join(a.spelled, p), p != ""
	case p == a.dir:
		return a.spelled, true
	case strings.HasPrefix(p, a.dir) && p[len(a.dir)] == '/':
		return a.spelled + p[len(a.dir):], true
	}
	return "", false
}

// layThrough removes what l hides through links, adds l's own links, and reports whether l's paths are to be followed.
func (m *merger) layThrough(l *Layer, before map[string]*holding) (followed bool) {
	aliases := m.aliasesIn(l, nil, alias{})
	for i := 0; i < len(aliases); i++ { // the list grows: links inside linked directories
		a := aliases[i]
		m.tree.removeBy(before, func(n *node) uint8 {
			if spelled, ok := a.spell(n.path); ok {
				return hides(l.Paths.find(m.tree.mark(spelled)))
			}
			return 0
		})
		aliases = m.aliasesIn(l, aliases, a)
	}
	for _, s := range l.Symlinks {
		if m.heldLinks++; m.heldLinks > maxHeldLinks {
			m.gaps = append(m.gaps, finding.Gap{Kind: finding.GapTooLarge,
				Detail: fmt.Sprintf("more than %d symbolic links: paths through the rest are taken as they are", maxHeldLinks)})
			break
		}
		m.tree.at(follow(s.Path, m.tree.link)).link = s.Target
	}
	return len(aliases) > 0
}

// aliasesIn appends to list the links in the directory of a that l writes through.
func (m *merger) aliasesIn(l *Layer, list []alias, a alias) []alias {
	if l.Through.Len() == 0 {
		return list
	}
	for i := range m.tree.nodes {
		n := &m.tree.nodes[i]
		if n.hold == nil || n.hold.link == "" {
			continue
		}
		mark, spelled := n.mark, n.path
		if a != (alias{}) {
			var ok bool
			if spelled, ok = a.spell(n.path); !ok || spelled == a.spelled {
				continue
			}
			mark = m.tree.mark(spelled)
		}
		if l.Through.find(mark) == 0 {
			continue
		}
		dir := followAll(n.path, m.tree.link)
		if dir == n.path { // a ring
			continue
		}
		if len(list) == maxAliases {
			m.gaps = append(m.gaps, finding.Gap{Kind: finding.GapTooLarge,
				Detail: fmt.Sprintf("a layer writes through more than %d symbolic links: the rest is taken as it is", maxAliases)})
			return list
		}
		list = append(list, alias{spelled, dir})
	}
	return list
}

// at returns where the layer being laid has what it calls p.
func (m *merger) at(p string) string {
	if !m.followed {
		return p
	}
	return follow(p, m.tree.link)
}
