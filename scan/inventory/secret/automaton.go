package secret

import "sort"

// automaton finds every occurrence of a set of words in one pass, at one table look-up a byte however hostile the
// text: A. V. Aho and M. J. Corasick, "Efficient string matching", CACM 18 (1975), with the failure links resolved
// into the table.
type automaton struct {
	class [256]uint8 // byte to column; column 0 is every byte that no word holds
	width int
	// next holds one row of width columns for each state; a state is the offset of its row. Rows from firstOut on
	// end a word, so that one comparison a byte tells whether there is anything to do.
	next     []uint32
	firstOut uint32
	ends     [][]int // word numbers by (state-firstOut)/width
	lengths  []int
}

// trie is the automaton while it is built.
type trie struct {
	next [][]int32 // -1: none
	fail []int
	ends [][]int
}

// newAutomaton compiles words, which are not empty and hold at most 255 different bytes.
func newAutomaton(words []string) *automaton {
	a := &automaton{}
	a.classify(words)
	t := &trie{}
	t.add(a.width)
	for i, w := range words {
		a.lengths = append(a.lengths, len(w))
		t.insert(a, i, w)
	}
	t.link(a.width)
	a.pack(t)
	return a
}

func (a *automaton) classify(words []string) {
	a.width = 1
	for _, w := range words {
		for i := range len(w) {
			if a.class[w[i]] == 0 {
				a.class[w[i]] = uint8(a.width)
				a.width++
			}
		}
	}
}

func (t *trie) add(width int) int {
	row := make([]int32, width)
	for i := range row {
		row[i] = -1
	}
	t.next = append(t.next, row)
	t.fail = append(t.fail, 0)
	t.ends = append(t.ends, nil)
	return len(t.next) - 1
}

func (t *trie) insert(a *automaton, number int, word string) {
	at := 0
	for i := range len(word) {
		c := a.class[word[i]]
		if t.next[at][c] < 0 {
			to := t.add(a.width)
			t.next[at][c] = int32(to)
		}
		at = int(t.next[at][c])
	}
	t.ends[at] = append(t.ends[at], number)
}

// link fills every empty cell with the state that the longest proper suffix leads to, breadth first.
func (t *trie) link(width int) {
	var queue []int
	for c := range width {
		if to := t.next[0][c]; to >= 0 {
			queue = append(queue, int(to))
		} else {
			t.next[0][c] = 0
		}
	}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		t.ends[at] = append(t.ends[at], t.ends[t.fail[at]]...)
		for c := range width {
			behind := t.next[t.fail[at]][c]
			if to := t.next[at][c]; to >= 0 {
				t.fail[to] = int(behind)
				queue = append(queue, int(to))
			} else {
				t.next[at][c] = behind
			}
		}
	}
}

// pack numbers the states anew, those that end a word last, and writes the one table.
func (a *automaton) pack(t *trie) {
	order := make([]int, len(t.next))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return len(t.ends[order[i]]) == 0 && len(t.ends[order[j]]) > 0 })
	at := make([]uint32, len(order))
	for i, s := range order {
		at[s] = uint32(i * a.width)
	}
	a.next = make([]uint32, len(order)*a.width)
	a.firstOut = uint32(len(a.next))
	for _, s := range order {
		for c, to := range t.next[s] {
			a.next[int(at[s])+c] = at[to]
		}
		if len(t.ends[s]) > 0 {
			a.firstOut = min(a.firstOut, at[s])
			a.ends = append(a.ends, t.ends[s])
		}
	}
}

// find calls yield with the number and the start of each occurrence, by their ends, until it returns false.
func (a *automaton) find(text []byte, yield func(word, start int) bool) {
	state, next, firstOut := uint32(0), a.next, a.firstOut
	for i, b := range text {
		state = next[state+uint32(a.class[b])]
		if state < firstOut {
			continue
		}
		for _, w := range a.ends[int(state-firstOut)/a.width] {
			if !yield(w, i+1-a.lengths[w]) {
				return
			}
		}
	}
}
