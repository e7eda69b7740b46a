// Package secret finds credentials in the files and in the configuration of an image.
//
// It promises rules with stable ids (see Rules and docs/secrets.md), values that are masked before they leave the
// package, ordinary text at the cost of one table look-up a byte, bounded work on hostile content, and few false
// alarms: published examples, placeholders, references to variables and the test data of installed packages are
// known for what they are. It leaves out asking an issuer whether a credential still works, opening archives, and
// guessing at values that nothing but their randomness makes suspicious.
package secret

import (
	"bytes"
	"sort"
	"strings"
	"sync"

	"github.com/seawall/seawall/finding"
)

// MaxFile is the size in bytes above which Wanted declines a file.
const MaxFile = 8 << 20

// maxPerFile bounds the reports for one file; a dump of a million tokens needs no more to be acted on.
const maxPerFile = 100

// Detector finds credentials. It may be used by several goroutines at once.
type Detector struct {
	once  sync.Once
	words *automaton
	needs []matcher // by anchor number
}

// New returns a Detector. Nothing is compiled before the first file or configuration is given to it.
func New() *Detector { return &Detector{} }

func (d *Detector) prepare() {
	d.once.Do(func() {
		var anchors []string
		for _, a := range allAnchors() {
			anchors = append(anchors, a.text)
			d.needs = append(d.needs, a.match)
		}
		d.words = newAutomaton(anchors)
	})
}

// hit is one credential: content[start:end] is the value to mask.
type hit struct {
	rule       string
	start, end int
}

// Wanted reports whether a file is worth reading for File: path is slash-separated without a leading slash, size in
// bytes. It is false for documentation, test data of installed packages, the distribution's shared libraries, media
// and files over MaxFile.
func Wanted(path string, size int64) bool {
	return size > 0 && size <= MaxFile && !excluded(path) && !media(path) &&
		!(library(path) && strings.Contains(path, ".so"))
}

// File returns the credentials in the file at path, in the order of their lines. path is slash-separated without a
// leading slash: it decides which formats apply. content is neither kept nor changed.
func (d *Detector) File(path string, content []byte) []finding.Secret {
	if len(content) == 0 || excluded(path) {
		return nil
	}
	binary := bytes.IndexByte(content[:min(len(content), 8000)], 0) >= 0
	if binary && library(path) {
		return nil
	}
	hits := d.scan(content, binary)
	if !binary {
		hits = append(hits, formatHits(path, content)...)
	}
	if len(hits) == 0 {
		return nil
	}
	return secretsOf(path, content, distinct(hits))
}

// scan finds what can be told without knowing where the text comes from.
func (d *Detector) scan(content []byte, binary bool) []hit {
	d.prepare()
	var hits []hit
	v := viewOf(content, binary)
	d.words.find(content, func(anchor, start int) bool {
		if h, ok := d.needs[anchor](content, start, v); ok {
			hits = append(hits, h)
		}
		return len(hits) < maxPerFile
	})
	return hits
}

// distinct drops hits that overlap an earlier one of more exact rule, and sorts the rest by place.
func distinct(hits []hit) []hit {
	sort.SliceStable(hits, func(i, j int) bool { return rank(hits[i].rule) < rank(hits[j].rule) })
	var kept []hit
	for _, h := range hits {
		if len(kept) < maxPerFile && !overlaps(kept, h) {
			kept = append(kept, h)
		}
	}
	sort.SliceStable(kept, func(i, j int) bool { return kept[i].start < kept[j].start })
	return kept
}

// rank orders rules from exact to guessed: of two reports of one value, the more exact one is kept.
func rank(rule string) int {
	switch rule {
	case "assigned-secret":
		return 3
	case "jwt", "database-url":
		return 2
	case "private-key", "private-key-encrypted":
		return 1
	}
	return 0
}

func overlaps(kept []hit, h hit) bool {
	for _, k := range kept {
		if h.start < k.end && k.start < h.end {
			return true
		}
	}
	return false
}

func secretsOf(path string, content []byte, hits []hit) []finding.Secret {
	out := make([]finding.Secret, 0, len(hits))
	line, from := 1, 0
	for _, h := range hits {
		line += bytes.Count(content[from:h.start], []byte{'\n'})
		from = h.start
		rule := inPlace(h.rule, path, content)
		s := rule.secret(content[h.start:h.end])
		s.Path, s.Line = path, line
		out = append(out, s)
	}
	return out
}
