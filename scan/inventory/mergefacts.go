package inventory

import "github.com/seawall/seawall/finding"

// The lists of Facts, in the order in which holdings keep them.
const (
	factSetuid = iota
	factWorldWritable
	factPaths
	factEmptyPasswords
	factKinds
)

func (f *Facts) lists() [factKinds]*[]PathFact {
	return [factKinds]*[]PathFact{&f.Setuid, &f.WorldWritable, &f.Paths, &f.EmptyPasswords}
}

func (m *merger) layFacts(f *Facts, ref *finding.LayerRef) {
	for kind, list := range f.lists() {
		for _, fact := range *list {
			fact.Layer, fact.Path = ref, m.at(fact.Path)
			h := m.tree.at(fact.Path)
			h.facts[kind] = append(h.facts[kind], fact)
		}
	}
}

func (m *merger) facts() (all Facts) {
	lists := all.lists()
	m.tree.each(func(_ string, h *holding) {
		for kind, facts := range h.facts {
			*lists[kind] = append(*lists[kind], facts...)
		}
	})
	return all
}
