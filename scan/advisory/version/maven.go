package version

import "slices"

// What can stand next in a Maven version, lowest first.
//
// Maven's ComparableVersion ranks what stands at the same place as word < list < number, and compares with nothing
// where one version is shorter: alpha to snapshot come before nothing, sp and unknown words after it, a zero equals
// it. The two rules contradict each other: "1.x.1" < "1-alpha" by the first, "1-alpha" < "1" < "1.x.1" by the
// second. Here the second rule wins, so that a pre-release always orders before its release.
const (
	mvnPreWord   = 1 + iota // alpha … snapshot
	mvnNoWordPre            // "", ga, final or release, and a pre-release follows
	mvnListPre              // a hyphen's list that begins with a pre-release
	mvnZeroPre              // 0, and a pre-release follows
	mvnEnd
	mvnNoWordPost // "", ga, final or release, and something newer follows
	mvnPostWord   // sp, then unknown words by their letters
	mvnListPost
	mvnNumber
)

// mvnRelease is the place of the empty qualifier among mvnQualifiers.
const mvnRelease = 5

var mvnQualifiers = [...]string{"alpha", "beta", "milestone", "rc", "snapshot", "", "sp"}

// mvnItem is one token. A list is always the last item of its parent, so that a version is one chain of items in
// which an item may open a list that all later ones belong to.
type mvnItem struct {
	text   string // digits, or a word in lower case
	number bool
	list   bool
	rank   int // of a word: its place among mvnQualifiers, or their number
}

// appendMaven follows Maven 3.8's ComparableVersion.
func appendMaven(b []byte, s string) ([]byte, error) {
	if s == "" {
		return nil, errEmpty
	}
	var room [MaxLength]byte
	var items [24]mvnItem
	low := room[:len(s)]
	for i := range len(s) {
		if low[i] = lower(s[i]); s[i] <= ' ' || s[i] >= 0x7f {
			return nil, errCharacter
		}
	}
	chain := trimNulls(splitMaven(items[:0], string(low)))
	for i, item := range chain {
		b = item.append(b, mvnSign(chain[i:]))
	}
	return append(b, mvnEnd), nil
}

// splitMaven cuts at dots, at hyphens (which open a list) and between digits and others (which opens one too).
func splitMaven(chain []mvnItem, s string) []mvnItem {
	start, number := 0, false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.' || c == '-':
			chain = append(chain, newMvnItem(s[start:i], number || i == start, false))
			if start = i + 1; c == '-' {
				chain = append(chain, mvnItem{list: true})
			}
		case isDigit(c) != number:
			if i > start {
				chain = appendMvnRun(chain, s[start:i], number, true)
				chain = append(chain, mvnItem{list: true})
				start = i
			}
			number = isDigit(c)
		}
	}
	if start < len(s) {
		chain = appendMvnRun(chain, s[start:], number, false)
	}
	return chain
}

// appendMvnRun appends a run that ends at a digit, a letter or the end. A word among others opens a list of its own:
// 1.0.rc1 is 1.0-rc1.
func appendMvnRun(chain []mvnItem, run string, number, beforeDigit bool) []mvnItem {
	if !number && len(chain) > 0 && !chain[len(chain)-1].list {
		chain = append(chain, mvnItem{list: true})
	}
	return append(chain, newMvnItem(run, number, beforeDigit && !number))
}

func newMvnItem(text string, number, beforeDigit bool) mvnItem {
	if number {
		return mvnItem{text: text, number: true}
	}
	switch {
	case text == "cr":
		text = "rc"
	case text == "ga" || text == "final" || text == "release":
		text = ""
	case beforeDigit && text == "a":
		text = "alpha"
	case beforeDigit && text == "b":
		text = "beta"
	case beforeDigit && text == "m":
		text = "milestone"
	}
	rank := slices.Index(mvnQualifiers[:], text)
	if rank < 0 {
		rank = len(mvnQualifiers)
	}
	return mvnItem{text: text, rank: rank}
}

// null: an item that equals nothing.
func (m mvnItem) null() bool {
	if m.number {
		return m.text == "" || isZero(m.text)
	}
	return !m.list && m.rank == mvnRelease
}

// trimNulls drops the nulls at the end of each list, the ones before a list at its end and lists left empty.
func trimNulls(chain []mvnItem) []mvnItem {
	out := len(chain) // chain[out:] is kept
	trimming := true
	for i := len(chain) - 1; i >= 0; i-- {
		switch item := chain[i]; {
		case item.list:
			trimming = true
			if out == len(chain) {
				continue // an empty list
			}
		case trimming && item.null():
			continue
		default:
			trimming = false
		}
		out--
		chain[out] = chain[i]
	}
	return chain[out:]
}

// mvnSign compares the rest of a chain with nothing.
func mvnSign(rest []mvnItem) int {
	for _, item := range rest {
		switch {
		case item.list || item.null():
		case item.number || item.rank > mvnRelease:
			return 1
		default:
			return -1
		}
	}
	return 0
}

// append adds the item's part of the key; sign is that of the chain from the item on.
func (m mvnItem) append(b []byte, sign int) []byte {
	pre := sign < 0
	switch {
	case m.list:
		return append(b, pick(pre, mvnListPre, mvnListPost))
	case m.number && m.null() && pre:
		return append(b, mvnZeroPre)
	case m.number:
		return appendNumber(append(b, mvnNumber), m.text)
	case m.rank == mvnRelease:
		return append(b, pick(pre, mvnNoWordPre, mvnNoWordPost))
	case m.rank < mvnRelease:
		return append(b, mvnPreWord, byte(m.rank))
	case m.rank < len(mvnQualifiers):
		return append(b, mvnPostWord, byte(m.rank))
	}
	return appendText(append(b, mvnPostWord, byte(m.rank)), m.text)
}

func pick(first bool, a, b byte) byte {
	if first {
		return a
	}
	return b
}
