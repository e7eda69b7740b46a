package advisory

import (
	"cmp"
	"slices"
)

// pool numbers distinct strings in the order in which they first come.
type pool struct {
	index map[string]uint32
	texts []string
	uses  []uint32
}

// newPool gives number 0 to the empty string.
func newPool() *pool {
	p := &pool{index: map[string]uint32{}}
	p.id("")
	return p
}

func (p *pool) id(s string) uint32 {
	i, ok := p.index[s]
	if !ok {
		i = uint32(len(p.texts))
		p.index[s] = i
		p.texts, p.uses = append(p.texts, s), append(p.uses, 0)
	}
	p.uses[i]++
	return i
}

// byText returns the numbers in the order of their strings, and each number's place in that order.
func (p *pool) byText() (order, rank []uint32) {
	return p.ranked(func(a, b uint32) int { return cmp.Compare(p.texts[a], p.texts[b]) })
}

// byUse puts the string used most often first.
func (p *pool) byUse() (order, rank []uint32) {
	return p.ranked(func(a, b uint32) int {
		return cmp.Or(cmp.Compare(p.uses[b], p.uses[a]), cmp.Compare(p.texts[a], p.texts[b]))
	})
}

func (p *pool) ranked(less func(a, b uint32) int) (order, rank []uint32) {
	order, rank = make([]uint32, len(p.texts)), make([]uint32, len(p.texts))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, less)
	for at, i := range order {
		rank[i] = uint32(at)
	}
	return order, rank
}
