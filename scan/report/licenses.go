package report

import (
	_ "embed"
	"encoding/hex"
	"strings"
	"sync"
)

// The ids of the SPDX licence list and its exceptions, one a line: what a schema-valid CycloneDX document may call an
// id and an SPDX document may use in an expression.
//
//go:embed licenses.txt
var licenseList string

var licenseIDs = sync.OnceValue(func() map[string]bool {
	ids := map[string]bool{}
	for id := range strings.Lines(licenseList) {
		ids[strings.TrimSpace(id)] = true
	}
	return ids
})

// isLicenseID reports whether s is on the SPDX licence list, letter by letter.
func isLicenseID(s string) bool { return licenseIDs()[s] }

// maxExpression bounds a licence expression, in bytes: what is longer is text.
const maxExpression = 1000

// isExpression reports whether s is an SPDX licence expression (spec annex D) of listed ids only.
func isExpression(s string) bool {
	if len(s) > maxExpression {
		return false
	}
	p := expression{tokens: strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(s))}
	return p.or() && len(p.tokens) == 0
}

// expression is a recursive-descent reader: or = and {"OR" and}; and = one {"AND" one}; one = "(" or ")" | id ["WITH" id].
type expression struct {
	tokens []string
}

func (p *expression) take(want string) bool {
	if len(p.tokens) > 0 && p.tokens[0] == want {
		p.tokens = p.tokens[1:]
		return true
	}
	return false
}

func (p *expression) or() bool  { return p.list("OR", p.and) }
func (p *expression) and() bool { return p.list("AND", p.one) }

func (p *expression) list(op string, part func() bool) bool {
	if !part() {
		return false
	}
	for p.take(op) {
		if !part() {
			return false
		}
	}
	return true
}

func (p *expression) one() bool {
	if p.take("(") {
		return p.or() && p.take(")")
	}
	return p.id(true) && (!p.take("WITH") || p.id(false))
}

func (p *expression) id(plus bool) bool {
	if len(p.tokens) == 0 {
		return false
	}
	id := p.tokens[0]
	if plus && !isLicenseID(id) {
		id = strings.TrimSuffix(id, "+")
	}
	p.tokens = p.tokens[1:]
	return isLicenseID(id)
}

// licenseRef makes the LicenseRef of a licence that is not listed: its text decides the name, so that the same text
// always has the same one.
func licenseRef(text string) string {
	return "LicenseRef-" + hex.EncodeToString(hash(text)[:8])
}
