package inventory_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/inventory"
)

// failing is the content of a file that cannot be read.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A file of a live directory that may not be read is a gap, and the files after it are read.
func TestDeniedFileIsAGap(t *testing.T) {
	const status = "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n"
	broken := errors.New("broken")
	for name, tc := range map[string]struct {
		err, want error
		gaps      int
	}{
		"denied": {&fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission}, nil, 1},
		"gone":   {&fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}, nil, 0},
		"broken": {broken, broken, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := inventory.NewAnalyser(inventory.Options{Packages: true, TempDir: t.TempDir()}).Start()
			visit := func(p, text string, err error) error {
				e := &inventory.Entry{Path: p, Kind: inventory.File, Mode: 0o644, Size: int64(len(text)), Content: failing{err}}
				if err == nil {
					e.Content = strings.NewReader(text)
				}
				return w.Visit(context.Background(), e)
			}
			err := visit("app/node_modules/x/package.json", "{}", tc.err)
			if !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			if tc.want != nil {
				return
			}
			if err := visit("var/lib/dpkg/status", status, nil); err != nil {
				t.Fatal(err)
			}
			l, err := w.Finish(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			inv, _ := inventory.Merge([]inventory.Layer{l}, finding.Image{})
			if len(inv.Packages) != 1 {
				t.Errorf("packages: %+v", inv.Packages)
			}
			unreadable := 0
			for _, g := range inv.Gaps {
				if g.Kind == finding.GapUnreadable && g.Where == "app/node_modules/x/package.json" {
					unreadable++
				}
			}
			if unreadable != tc.gaps {
				t.Errorf("gaps: %+v, want %d", inv.Gaps, tc.gaps)
			}
		})
	}
}
