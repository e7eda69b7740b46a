package inventory

import (
	"slices"
	"strings"
)

// tree is the merged file system, reduced to the paths that hold something and the directories above them.
type tree struct {
	byPath map[string]int32
	// nodes: each stands behind its parent; the root is the first.
	nodes []node
	hash  []byte
}

type node struct {
	path   string
	parent int32
	mark   uint64
	hold   *holding
}

func newTree() tree {
	t := tree{byPath: map[string]int32{"": 0}}
	t.nodes = []node{{parent: -1, mark: t.mark("")}}
	return t
}

func (t *tree) mark(p string) (m uint64) {
	m, t.hash = hashPath(t.hash, p)
	return m
}

// at returns what p holds, to be filled.
func (t *tree) at(p string) *holding {
	n := &t.nodes[t.node(p)]
	if n.hold == nil {
		n.hold = &holding{}
	}
	return n.hold
}

// look returns what p holds, or nil.
func (t *tree) look(p string) *holding {
	if i, ok := t.byPath[p]; ok {
		return t.nodes[i].hold
	}
	return nil
}

func (t *tree) node(p string) int32 {
	if i, ok := t.byPath[p]; ok {
		return i
	}
	parent := int32(0)
	if i := strings.LastIndexByte(p, '/'); i > 0 {
		parent = t.node(p[:i])
	}
	t.nodes = append(t.nodes, node{path: p, parent: parent, mark: t.mark(p)})
	i := int32(len(t.nodes) - 1)
	t.byPath[p] = i
	return i
}

// link returns the target of the symbolic link at p.
func (t *tree) link(p string) (target string, ok bool) {
	h := t.look(p)
	if h == nil || h.link == "" {
		return "", false
	}
	return h.link, true
}

// remove takes away what a layer with these paths hides, and returns it by path.
func (t *tree) remove(paths PathSet) map[string]*holding {
	removed := map[string]*holding{}
	if paths.Len() > 0 {
		t.removeBy(removed, func(n *node) uint8 { return hides(paths.find(n.mark)) })
	}
	return removed
}

// removeBy takes away what hide says, and enters it in removed.
func (t *tree) removeBy(removed map[string]*holding, hide func(*node) uint8) {
	const self, below = 1, 2 // what of a node is hidden: it, what is under it
	hidden := make([]uint8, len(t.nodes))
	for i := range t.nodes {
		n := &t.nodes[i]
		if n.parent >= 0 && hidden[n.parent]&below != 0 {
			hidden[i] = self | below
		} else {
			hidden[i] = hide(n)
		}
		if n.hold != nil && hidden[i]&self != 0 {
			removed[n.path] = n.hold
			n.hold = nil
		}
	}
}

// hides translates effects on a path. A directory hides a file of the same name; a path that holds something is a file,
// except for facts about directories, which the layer then tells anew.
func hides(effects uint8) (hidden uint8) {
	const self, below = 1, 2
	if effects&(1<<replaces) != 0 {
		hidden = self | below
	}
	if effects&(1<<makesDir) != 0 {
		hidden |= self
	}
	if effects&(1<<hidesBelow) != 0 {
		hidden |= below
	}
	return hidden
}

// each visits what is held, in the order of paths.
func (t *tree) each(do func(path string, h *holding)) {
	order := make([]int32, 0, len(t.nodes))
	for i := range t.nodes {
		if h := t.nodes[i].hold; h != nil && !h.empty() {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(a, b int32) int { return strings.Compare(t.nodes[a].path, t.nodes[b].path) })
	for _, i := range order {
		do(t.nodes[i].path, t.nodes[i].hold)
	}
}
