// Package license reads SPDX licence expressions and decides whether they can be satisfied.
//
// It promises the expression language of SPDX 2.3, annex D: ids, "+", WITH, AND, OR and brackets, operators in any
// case. It leaves out the list of licences: any id is taken as one, and only the deprecated names of the GNU family
// are brought to their present form.
package license

import (
	"errors"
	"fmt"
	"strings"
)

// Expr is a licence expression.
type Expr struct {
	op          op
	left, right *Expr
	id          string // of a leaf: the licence's id
	exception   string // of a leaf: what follows WITH, or ""
}

type op byte

const (
	leaf op = iota
	and
	or
)

// Satisfied reports whether the licensee can choose among the expression's alternatives so that ok holds for every
// licence that then applies. ok gets the licence's id and its exception, "" for none.
func (e *Expr) Satisfied(ok func(id, exception string) bool) bool {
	switch e.op {
	case and:
		return e.left.Satisfied(ok) && e.right.Satisfied(ok)
	case or:
		return e.left.Satisfied(ok) || e.right.Satisfied(ok)
	}
	return ok(e.id, e.exception)
}

// String writes the expression with every bracket.
func (e *Expr) String() string {
	switch {
	case e.op == and:
		return "(" + e.left.String() + " AND " + e.right.String() + ")"
	case e.op == or:
		return "(" + e.left.String() + " OR " + e.right.String() + ")"
	case e.exception != "":
		return e.id + " WITH " + e.exception
	}
	return e.id
}

// maxTokens bounds an expression, and with it the depth of brackets.
const maxTokens = 1000

// Parse reads an expression. A text that is none, such as "see LICENSE.txt", is an error.
func Parse(text string) (*Expr, error) {
	tokens := split(text)
	if len(tokens) > maxTokens {
		return nil, fmt.Errorf("licence expression of %d words: at most %d are read", len(tokens), maxTokens)
	}
	p := &parser{tokens: tokens}
	e, err := p.alternatives()
	if err == nil && p.peek() != "" {
		err = fmt.Errorf("%q stands where AND, OR or the end should", p.peek())
	}
	if err != nil {
		return nil, fmt.Errorf("licence expression %q: %w", short(text), err)
	}
	return e, nil
}

func split(text string) []string {
	return strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text))
}

func short(text string) string {
	if len(text) > 80 {
		return text[:80] + "…"
	}
	return text
}

type parser struct {
	tokens []string
	next   int
}

func (p *parser) peek() string {
	if p.next < len(p.tokens) {
		return p.tokens[p.next]
	}
	return ""
}

// accept moves past word if it is next, in any case.
func (p *parser) accept(word string) bool {
	if !strings.EqualFold(p.peek(), word) {
		return false
	}
	p.next++
	return true
}

// alternatives: OR binds loosest.
func (p *parser) alternatives() (*Expr, error) { return p.chain("OR", or, p.conjunction) }

func (p *parser) conjunction() (*Expr, error) { return p.chain("AND", and, p.single) }

func (p *parser) chain(word string, o op, part func() (*Expr, error)) (*Expr, error) {
	left, err := part()
	for err == nil && p.accept(word) {
		var right *Expr
		right, err = part()
		left = &Expr{op: o, left: left, right: right}
	}
	return left, err
}

func (p *parser) single() (*Expr, error) {
	if p.accept("(") {
		e, err := p.alternatives()
		if err == nil && !p.accept(")") {
			err = errors.New("a bracket is left open")
		}
		return e, err
	}
	id, err := p.id()
	if err != nil {
		return nil, err
	}
	e := &Expr{id: Normal(id)}
	if p.accept("WITH") {
		e.exception, err = p.id()
	}
	return e, err
}

func (p *parser) id() (string, error) {
	word := p.peek()
	for _, operator := range []string{"", "AND", "OR", "WITH", "(", ")"} {
		if strings.EqualFold(word, operator) {
			return "", fmt.Errorf("a licence id is missing before %q", word)
		}
	}
	if strings.ContainsFunc(word, notInID) {
		return "", fmt.Errorf("%q is no licence id", short(word))
	}
	p.next++
	return word, nil
}

func notInID(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(".-+:", r))
}

// Normal brings a deprecated id of the GNU family to its present form: "GPL-2.0" to "GPL-2.0-only" and "GPL-2.0+" to
// "GPL-2.0-or-later". Other ids stay as they are.
func Normal(id string) string {
	lower := strings.ToLower(id)
	for _, family := range []string{"gpl-", "lgpl-", "agpl-", "gfdl-"} {
		version, ok := strings.CutPrefix(lower, family)
		switch bare, later := strings.CutSuffix(version, "+"); {
		case !ok || bare == "" || strings.Trim(bare, "0123456789.") != "":
		case later:
			return id[:len(id)-1] + "-or-later"
		default:
			return id + "-only"
		}
	}
	return id
}
