package sqlitetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/inventory"
)

// change is one file of a layer: "-path" is a whiteout.
type change struct{ what, content string }

func layer(t *testing.T, changes []change) inventory.Layer {
	t.Helper()
	w := inventory.NewAnalyser(inventory.Options{Packages: true}).Start()
	for _, c := range changes {
		e := &inventory.Entry{Path: c.what, Size: int64(len(c.content)), Content: strings.NewReader(c.content)}
		if gone, ok := strings.CutPrefix(c.what, "-"); ok {
			e.Path, e.Kind = gone, inventory.Whiteout
		}
		if err := w.Visit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	l, err := w.Finish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func merged(t *testing.T, layers [][]change) (lines []string) {
	t.Helper()
	var list []inventory.Layer
	for _, changes := range layers {
		list = append(list, layer(t, changes))
	}
	inv, _ := inventory.Merge(list, finding.Image{})
	for _, p := range inv.Packages {
		lines = append(lines, fmt.Sprintf("%s %s %s", p.Name, p.Version, p.Path))
	}
	for _, g := range inv.Gaps {
		lines = append(lines, fmt.Sprintf("gap %s %s", g.Kind, g.Where))
	}
	return lines
}

func TestRPMLog(t *testing.T) {
	dbBytes, logBytes := logged(t, 0, 2)
	db, log := string(dbBytes), string(logBytes)
	const base = "var/lib/rpm/" + "rpmdb.sqlite"
	for _, tt := range []struct {
		name   string
		layers [][]change
		want   []string
	}{
		{"no log", [][]change{{{what: base, content: db}}}, nil},
		{"empty log", [][]change{{{what: base, content: db}, {what: base + "-wal"}}}, nil},
		{"log behind the database", [][]change{{{what: base, content: db}, {what: base + "-wal", content: log}}}, []string{"bash 5.1-4 " + base}},
		{"log before the database", [][]change{{{what: base + "-wal", content: log}, {what: base, content: db}}}, []string{"bash 5.1-4 " + base}},
		{"log in another layer", [][]change{{{what: base, content: db}}, {{what: base + "-wal", content: log}}}, []string{"gap unreadable " + base + "-wal"}},
		{"log removed above", [][]change{{{what: base + "-wal", content: log}}, {{what: "-" + base + "-wal"}}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, merged(t, tt.layers)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
