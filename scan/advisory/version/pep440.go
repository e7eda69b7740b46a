package version

import "strings"

// Marks of the parts of a PEP 440 key. Within a part the lower mark orders first.
const (
	pepLegacy = 0 // not PEP 440 at all: orders before all that is
	pepModern = 1

	pepNumberEnd = 1 // of the release
	pepNumber    = 2

	pepDevOnly = 0 // a development release of the release itself orders before its pre-releases
	pepPre     = 1
	pepNoPre   = 9

	pepNoPost = 0
	pepPost   = 1

	pepDev   = 1
	pepNoDev = 2

	pepLocalEnd    = 0
	pepLocalText   = 1
	pepLocalNumber = 2
)

// pepWords are spellings in the order of trial: what begins with another stands before it.
var (
	pepPreWords = []struct {
		word string
		rank byte
	}{{"alpha", 1}, {"a", 1}, {"beta", 2}, {"b", 2}, {"rc", 3}, {"c", 3}, {"preview", 3}, {"pre", 3}}
	pepPostWords = []string{"post", "rev", "r"}
)

// pepParts are the parts of a version in PEP 440's grammar, appendix B. A number that is missing counts as 0.
type pepParts struct {
	epoch, release, local string
	pre                   byte // rank, 0: none
	preNumber             string
	post, dev             bool
	postNumber, devNumber string
}

// appendPEP440 follows PEP 440. What does not fit it orders below all that does, as packaging's LegacyVersion did.
func appendPEP440(b []byte, s string) ([]byte, error) {
	var room [MaxLength]byte
	s = strings.TrimSpace(s)
	if s == "" {
		return nil, errEmpty
	}
	low := room[:len(s)]
	for i := range len(s) {
		if low[i] = lower(s[i]); s[i] < ' ' || s[i] >= 0x7f {
			return nil, errCharacter
		}
	}
	p, ok := parsePEP440(string(low))
	if !ok {
		return appendPEPLegacy(append(b, pepLegacy), string(low)), nil
	}
	return p.append(append(b, pepModern)), nil
}

func (p *pepParts) append(b []byte) []byte {
	b = appendNumber(b, p.epoch)
	b = p.appendRelease(b)
	switch {
	case p.pre > 0:
		b = appendNumber(append(b, pepPre, p.pre), p.preNumber)
	case p.dev && !p.post:
		b = append(b, pepDevOnly)
	default:
		b = append(b, pepNoPre)
	}
	if p.post {
		b = appendNumber(append(b, pepPost), p.postNumber)
	} else {
		b = append(b, pepNoPost)
	}
	if p.dev {
		b = appendNumber(append(b, pepDev), p.devNumber)
	} else {
		b = append(b, pepNoDev)
	}
	return p.appendLocal(b)
}

// appendRelease leaves trailing zeros out.
func (p *pepParts) appendRelease(b []byte) []byte {
	end := len(b)
	for rest, more := p.release, true; more; {
		var number string
		number, rest, more = cut(rest, '.')
		b = appendNumber(append(b, pepNumber), number)
		if !isZero(number) {
			end = len(b)
		}
	}
	return append(b[:end], pepNumberEnd)
}

func (p *pepParts) appendLocal(b []byte) []byte {
	for s := p.local; s != ""; {
		i := strings.IndexAny(s, "._-")
		part := s
		if s = ""; i >= 0 {
			part, s = part[:i], part[i+1:]
		}
		if allDigits(part) {
			b = appendNumber(append(b, pepLocalNumber), part)
		} else {
			b = appendText(append(b, pepLocalText), part)
		}
	}
	return append(b, pepLocalEnd)
}

func parsePEP440(s string) (p pepParts, ok bool) {
	s = strings.TrimPrefix(s, "v")
	n := digits(s)
	if n > 0 && n < len(s) && s[n] == '!' {
		p.epoch, s = s[:n], s[n+1:]
	}
	for n = digits(s); n > 0 && n+1 < len(s) && s[n] == '.' && isDigit(s[n+1]); {
		n += 1 + digits(s[n+1:])
	}
	if n == 0 {
		return p, false
	}
	p.release, s = s[:n], s[n:]
	s = p.parsePre(s)
	s = p.parsePost(s)
	if rest, found := strings.CutPrefix(skipSeparator(s), "dev"); found {
		p.dev = true
		p.devNumber, s = pepNumberAfter(rest)
	}
	if s == "" {
		return p, true
	}
	p.local = s[1:]
	return p, s[0] == '+' && isLocal(p.local)
}

func (p *pepParts) parsePre(s string) string {
	rest := skipSeparator(s)
	for _, w := range pepPreWords {
		if tail, found := strings.CutPrefix(rest, w.word); found {
			p.pre = w.rank
			p.preNumber, s = pepNumberAfter(tail)
			return s
		}
	}
	return s
}

func (p *pepParts) parsePost(s string) string {
	if len(s) > 1 && s[0] == '-' && isDigit(s[1]) {
		n := 1 + digits(s[1:])
		p.post, p.postNumber = true, s[1:n]
		return s[n:]
	}
	rest := skipSeparator(s)
	for _, w := range pepPostWords {
		if tail, found := strings.CutPrefix(rest, w); found {
			p.post = true
			p.postNumber, s = pepNumberAfter(tail)
			return s
		}
	}
	return s
}

// pepNumberAfter reads "[-_.]?[0-9]*": the separator is taken even where no number follows.
func pepNumberAfter(s string) (number, rest string) {
	s = skipSeparator(s)
	n := digits(s)
	return s[:n], s[n:]
}

func skipSeparator(s string) string {
	if s != "" && (s[0] == '.' || s[0] == '-' || s[0] == '_') {
		return s[1:]
	}
	return s
}

func isLocal(s string) bool {
	last := byte('.')
	for i := range len(s) {
		c := s[i]
		separator := c == '.' || c == '-' || c == '_'
		if !separator && !isDigit(c) && !isAlpha(c) || separator && skipSeparator(string(last)) == "" {
			return false
		}
		last = c
	}
	return last != '.' && last != '-' && last != '_'
}

// appendPEPLegacy orders as setuptools did before PEP 440: runs of digits, padded to eight, of letters and of the
// rest, with pre-release words before the end.
func appendPEPLegacy(b []byte, s string) []byte {
	var parts []string
	for s != "" {
		var part string
		part, s = cutLegacy(s)
		if part == "." {
			continue
		}
		parts = appendLegacyPart(parts, legacyPart(part))
	}
	for _, part := range appendLegacyPart(parts, "*final") {
		b = appendText(append(b, pepNumber), part)
	}
	return append(b, pepNumberEnd)
}

func appendLegacyPart(parts []string, part string) []string {
	if part[0] == '*' {
		for part < "*final" && len(parts) > 0 && parts[len(parts)-1] == "*final-" {
			parts = parts[:len(parts)-1]
		}
		for len(parts) > 0 && parts[len(parts)-1] == "00000000" {
			parts = parts[:len(parts)-1]
		}
	}
	return append(parts, part)
}

// cutLegacy takes the next run: digits, letters, one dot, one hyphen, or all else.
func cutLegacy(s string) (part, rest string) {
	n := 1
	switch c := s[0]; {
	case isDigit(c):
		n = digits(s)
	case isAlpha(c):
		n = letters(s)
	case c != '.' && c != '-':
		for n < len(s) && s[n] != '.' && s[n] != '-' && !isDigit(s[n]) && !isAlpha(s[n]) {
			n++
		}
	}
	return s[:n], s[n:]
}

func legacyPart(part string) string {
	switch part {
	case "pre", "preview", "rc":
		part = "c"
	case "-":
		part = "final-"
	case "dev":
		part = "@"
	}
	if isDigit(part[0]) {
		return strings.Repeat("0", max(0, 8-len(part))) + part
	}
	return "*" + part
}
