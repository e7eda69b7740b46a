package secret

import (
	"bytes"
	"strings"
	"testing"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/inventory/secret/sample"
)

func FuzzFile(f *testing.F) {
	for _, s := range append(sample.All(1), sample.Decoys(1)...) {
		f.Add(s.Path, []byte(s.Content))
	}
	d := New()
	f.Fuzz(func(t *testing.T, path string, content []byte) {
		before := bytes.Clone(content)
		found := d.File(path, content)
		if !bytes.Equal(before, content) {
			t.Fatal("content was changed")
		}
		if len(found) > maxPerFile {
			t.Fatalf("%d reports", len(found))
		}
		line := 1
		for _, s := range found {
			if s.Line < line || s.Line > 1+bytes.Count(content, []byte{'\n'}) {
				t.Fatalf("line %d after %d", s.Line, line)
			}
			line = s.Line
			if ruleOf(s.Rule).Title != s.Title || len(s.Masked) > 60 {
				t.Fatalf("odd report %+v", s)
			}
		}
	})
}

func FuzzConfig(f *testing.F) {
	f.Add("RUN |1 A_TOKEN=T0pq9vLx2 /bin/sh -c curl -u a:'b c' \"x", "DB_PASSWORD=T0pq9vLx2", "x")
	f.Add("--password", "=", "https://a:b@c")
	d := New()
	f.Fuzz(func(t *testing.T, instruction, env, label string) {
		img := finding.Image{Config: finding.Config{
			Env: []string{env}, Labels: map[string]string{label: env},
			History: []finding.History{{CreatedBy: instruction}},
		}}
		for _, s := range d.Config(img) {
			if s.Where == "" || s.Masked == "" {
				t.Fatalf("odd report %+v", s)
			}
		}
	})
}

// The automaton finds what a plain search finds, no more and no less.
func FuzzAutomaton(f *testing.F) {
	f.Add("ab,bc,abc,c", []byte("xabcabcc"))
	f.Add("aa,aaa", []byte("aaaa"))
	f.Fuzz(func(t *testing.T, list string, text []byte) {
		words := strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
		if len(words) == 0 || len(list) > 200 {
			return
		}
		want := map[[2]int]bool{}
		for w, word := range words {
			for at := range text {
				if bytes.HasPrefix(text[at:], []byte(word)) {
					want[[2]int{w, at}] = true
				}
			}
		}
		newAutomaton(words).find(text, func(word, start int) bool {
			if !want[[2]int{word, start}] {
				t.Fatalf("found %q at %d, which is not there", words[word], start)
			}
			delete(want, [2]int{word, start})
			return true
		})
		if len(want) > 0 {
			t.Fatalf("missed %v", want)
		}
	})
}
