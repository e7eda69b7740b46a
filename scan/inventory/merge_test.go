package inventory

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seawall/seawall/finding"
	"golang.org/x/sync/errgroup"
)

// change is one entry of a test's layer, written short: "dir/" makes a directory, "-path" a whiteout, "!dir" an opaque
// directory, "a -> b" a symbolic link, "a => b" a hard link; anything else is a file with the content.
type change struct {
	what, content string
	mode          uint32
}

func (c change) entry() *Entry {
	e := &Entry{Path: c.what, Mode: c.mode, Size: int64(len(c.content))}
	if link, target, ok := strings.Cut(c.what, " => "); ok {
		e.Path, e.Linkname, e.Kind = link, target, Hardlink
	} else if link, target, ok := strings.Cut(c.what, " -> "); ok {
		e.Path, e.Linkname, e.Kind = link, target, Symlink
	} else if dir, ok := strings.CutSuffix(c.what, "/"); ok {
		e.Path, e.Kind = dir, Dir
	} else if gone, ok := strings.CutPrefix(c.what, "-"); ok {
		e.Path, e.Kind = gone, Whiteout
	} else if dir, ok := strings.CutPrefix(c.what, "!"); ok {
		e.Path, e.Kind = dir, Opaque
	}
	if e.Mode == 0 {
		e.Mode = 0o644
	}
	return e
}

var testOptions = Options{
	Packages: true, Executables: true,
	Secrets: func(path string, content []byte) (list []finding.Secret) {
		for _, line := range strings.Split(string(content), "\n") {
			if value, ok := strings.CutPrefix(line, "token="); ok {
				list = append(list, finding.Secret{Rule: "token", Path: path, Masked: value[:1] + "…"})
			}
		}
		return list
	},
	Interesting: func(p string) bool { return p == "bin/sh" },
}

// image builds a merged inventory of layers, each through the form in which layers are kept.
func image(tb testing.TB, layers ...[]change) (finding.Inventory, Facts) {
	tb.Helper()
	a := NewAnalyser(testOptions)
	var img finding.Image
	var list []Layer
	for i, changes := range layers {
		var entries []*Entry
		var contents []string
		for _, c := range changes {
			entries, contents = append(entries, c.entry()), append(contents, c.content)
		}
		l := analyse(tb, a, entries, contents)
		b, err := l.MarshalBinary()
		if err != nil {
			tb.Fatal(err)
		}
		if l, err = DecodeLayer(b, everything); err != nil {
			tb.Fatal(err)
		}
		list = append(list, l)
		img.Layers = append(img.Layers, finding.Layer{LayerRef: finding.LayerRef{Index: i, DiffID: fmt.Sprintf("sha256:%d", i)}})
	}
	return Merge(list, img)
}

// short lists packages as "name version path @layer", and what else stands behind them.
func short(inv finding.Inventory) (lines []string) {
	for _, p := range inv.Packages {
		line := fmt.Sprintf("%s %s %s @%d", p.Name, p.Version, p.Path, p.Layer.Index)
		if p.OwnedBy != "" {
			line += " owned by " + p.OwnedBy
		}
		lines = append(lines, line)
	}
	for _, x := range inv.Executables {
		line := fmt.Sprintf("run %s @%d", x.Path, x.Layer.Index)
		if x.Owner != "" {
			line += " owned by " + x.Owner
		}
		lines = append(lines, line)
	}
	for _, s := range inv.Secrets {
		line := fmt.Sprintf("secret %s %s @%d", s.Path, s.Masked, s.Layer.Index)
		if s.Deleted {
			line += " deleted"
		}
		lines = append(lines, line)
	}
	for _, g := range inv.Gaps {
		lines = append(lines, fmt.Sprintf("gap %s %s", g.Kind, g.Where))
	}
	return lines
}

func npm(name, version string) string {
	return fmt.Sprintf(`{"name": %q, "version": %q}`, name, version)
}

func dpkg(packages ...string) string {
	var b strings.Builder
	for _, p := range packages {
		name, version, _ := strings.Cut(p, " ")
		fmt.Fprintf(&b, "Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: %s\n\n", name, version)
	}
	return b.String()
}

const status = "var/lib/dpkg/status"

func TestMerge(t *testing.T) {
	mods, sum := "app/node_modules/", strings.Repeat("0f", 63)
	for _, tt := range []struct {
		name   string
		layers [][]change
		want   []string
	}{
		{"whiteout of a file", [][]change{
			{{what: mods + "a/package.json", content: npm("a", "1.0.0")}, {what: mods + "b/package.json", content: npm("b", "1.0.0")}},
			{{what: "-" + mods + "a/package.json"}},
		}, []string{"b 1.0.0 " + mods + "b/package.json @0"}},
		{"whiteout of a directory above", [][]change{
			{{what: mods + "a/package.json", content: npm("a", "1.0.0")}, {what: "opt/package.json", content: npm("o", "1.0.0")}},
			{{what: "-app"}},
		}, []string{"o 1.0.0 opt/package.json @0"}},
		{"whiteout and the same again in one layer", [][]change{
			{{what: mods + "a/package.json", content: npm("a", "1.0.0")}},
			{{what: mods + "a/package.json", content: npm("a", "2.0.0")}, {what: "-" + mods + "a/package.json"}},
		}, []string{"a 2.0.0 " + mods + "a/package.json @1"}},
		{"opaque directory hides below, not itself nor beside", [][]change{
			{{what: mods + "a/package.json", content: npm("a", "1.0.0")}, {what: "appendix/package.json", content: npm("x", "1.0.0")}},
			{{what: "app/"}, {what: "!app"}, {what: mods + "b/package.json", content: npm("b", "1.0.0")}},
		}, []string{"b 1.0.0 " + mods + "b/package.json @1", "x 1.0.0 appendix/package.json @0"}},
		{"opaque root", [][]change{
			{{what: mods + "a/package.json", content: npm("a", "1.0.0")}},
			{{what: "!"}, {what: "opt/package.json", content: npm("o", "1.0.0")}},
		}, []string{"o 1.0.0 opt/package.json @1"}},
		{"directory replaced by a link", [][]change{
			{{what: mods + "a/package.json", content: npm("a", "1.0.0")}},
			{{what: "app -> elsewhere"}},
		}, nil},
		{"file replaced by a directory", [][]change{
			{{what: "app/package.json", content: npm("a", "1.0.0")}},
			{{what: "app/package.json/"}},
		}, nil},
		{"directory entry repeated changes nothing", [][]change{
			{{what: "app/"}, {what: mods + "a/package.json", content: npm("a", "1.0.0")}},
			{{what: "app/"}, {what: "app/node_modules/"}, {what: mods + "a/"}},
		}, []string{"a 1.0.0 " + mods + "a/package.json @0"}},
		{"database written anew: credit by version", [][]change{
			{{what: status, content: dpkg("base 1", "lib 1", "gone 1")}},
			{{what: status, content: dpkg("base 1", "lib 2", "tool 1")}},
			{{what: status, content: dpkg("base 1", "lib 2", "tool 1", "gone 1")}},
		}, []string{"base 1 " + status + " @0", "gone 1 " + status + " @2", "lib 2 " + status + " @1", "tool 1 " + status + " @1"}},
		{"empty database removes all", [][]change{
			{{what: status, content: dpkg("base 1")}},
			{{what: status}},
		}, nil},
		{"status.d: one file for each package", [][]change{
			{{what: dpkgStatusDir + "base", content: "Package: base\nVersion: 1\nArchitecture: all\n"},
				{what: dpkgStatusDir + "base.md5sums", content: "d41d8cd98f00b204e9800998ecf8427e  usr/bin/x\n"},
				{what: "usr/bin/x", content: "#!/bin/sh\n", mode: 0o755}},
			{{what: dpkgStatusDir + "more", content: "Package: more\nVersion: 1\nArchitecture: all\n"}},
		}, []string{"base 1 " + dpkgStatusDir + "base @0", "more 1 " + dpkgStatusDir + "more @1", "run usr/bin/x @0 owned by base"}},
		{"removed and purged packages are not installed", [][]change{
			{{what: status, content: strings.Replace(dpkg("a 1"), "install ok installed", "deinstall ok config-files", 1) +
				strings.Replace(dpkg("b 1"), "install ok installed", "install ok half-configured", 1)}},
		}, []string{"b 1 " + status + " @0"}},
		{"language package of a distribution package", [][]change{
			{{what: status, content: dpkg("node-a 1")},
				{what: "var/lib/dpkg/info/node-a.list", content: "/.\n/usr\n/usr/share/nodejs/a/package.json\n/bin/a\n"},
				{what: "usr/share/nodejs/a/package.json", content: npm("a", "1.0.0")},
				{what: "usr/bin/a", content: "#!/usr/bin/env node\n", mode: 0o755}},
			{{what: "usr/bin/a", content: "#!/usr/bin/env node\nchanged", mode: 0o755}},
		}, []string{"node-a 1 " + status + " @0", "a 1.0.0 usr/share/nodejs/a/package.json @0 owned by node-a", "run usr/bin/a @1 owned by node-a"}},
		{"hard links inside a layer and into one below", [][]change{
			{{what: "usr/bin/perl", content: "#!/bin/sh\n", mode: 0o755}, {what: "usr/bin/perl5 => usr/bin/perl"}},
			{{what: "usr/local/bin/perl => usr/bin/perl"}},
		}, []string{"run usr/bin/perl @0", "run usr/bin/perl5 @0", "run usr/local/bin/perl @1"}},
		{"hard link to a file that nobody read", [][]change{
			{{what: "store/1", content: npm("a", "1.0.0")}, {what: mods + "a/package.json => store/1"}},
		}, []string{"gap unreadable " + mods + "a/package.json"}},
		{"hard link into pnpm's store", [][]change{
			{{what: "app/.pnpm-store/v3/files/00/" + sum, content: npm("a", "1.0.0")}, {what: mods + "a/package.json => app/.pnpm-store/v3/files/00/" + sum},
				{what: mods + "b/index.js => app/.pnpm-store/v3/files/00/" + sum}},
		}, []string{"a 1.0.0 " + mods + "a/package.json @0"}},
		{"hard link to a script that is wanted under another name", [][]change{
			{{what: "store/1", content: "#!/bin/sh\n", mode: 0o755}, {what: mods + "a/package.json => store/1"}},
		}, []string{"run app/node_modules/a/package.json @0", "run store/1 @0", "gap unreadable " + mods + "a/package.json"}},
		{"secret deleted above", [][]change{
			{{what: "root/env", content: "token=abc\n"}, {what: "root/kept", content: "token=def\n"}},
			{{what: "-root/env"}, {what: "root/kept", content: "# again\ntoken=def\n"}},
		}, []string{"secret root/kept d… @0", "secret root/env a… @0 deleted"}},
		{"the later of two entries with one name", [][]change{
			{{what: "app/package.json", content: npm("a", "1.0.0")}, {what: "app/package.json", content: npm("a", "3.0.0")}},
		}, []string{"a 3.0.0 app/package.json @0"}},
		{"lock file beside what it declares", [][]change{
			{{what: "app/package-lock.json", content: `{"lockfileVersion":3,"packages":{"":{},"node_modules/a":{"version":"1.0.0"},"node_modules/dev":{"version":"9.0.0","dev":true}}}`},
				{what: mods + "a/package.json", content: npm("a", "1.0.0")}},
		}, []string{"a 1.0.0 " + mods + "a/package.json @0"}},
		{"lock file alone", [][]change{
			{{what: "app/package-lock.json", content: `{"lockfileVersion":3,"packages":{"":{},"node_modules/a":{"version":"1.0.0"},"node_modules/dev":{"version":"9.0.0","dev":true}}}`}},
		}, []string{"a 1.0.0 app/package-lock.json @0"}},
		{"damaged file replaced above", [][]change{
			{{what: "app/a.jar", content: "no archive"}, {what: "app/b.jar", content: "no archive"}},
			{{what: "-app/a.jar"}},
		}, []string{"gap unreadable app/b.jar"}},
		{"damaged package database", [][]change{
			{{what: "var/lib/rpm/rpmdb.sqlite", content: "SQLite format 3\x00" + strings.Repeat("\xff", 200)}},
		}, []string{"gap unreadable var/lib/rpm/rpmdb.sqlite"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inv, _ := image(t, tt.layers...)
			if d := cmp.Diff(tt.want, short(inv)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestMergeFacts(t *testing.T) {
	_, facts := image(t,
		[]change{
			{what: "usr/bin/su", content: "#!x", mode: 0o4755}, {what: "usr/bin/gone", content: "#!x", mode: 0o4755},
			{what: "tmp/", mode: 0o1777}, {what: "srv/", mode: 0o777}, {what: "bin/sh", content: "#!x", mode: 0o755},
			{what: "etc/shadow", content: "root::19000:0:99999:7:::\nbin:*:19000::::::\n", mode: 0o640},
		},
		[]change{{what: "-usr/bin/gone"}, {what: "srv/", mode: 0o755}},
	)
	base := &finding.LayerRef{Index: 0, DiffID: "sha256:0"}
	want := Facts{
		Setuid:         []PathFact{{Path: "usr/bin/su", Mode: 0o4755, Layer: base}},
		Paths:          []PathFact{{Path: "bin/sh", Mode: 0o755, Layer: base}},
		EmptyPasswords: []PathFact{{Path: "etc/shadow", Mode: 0, Detail: "root", Layer: base}},
	}
	if d := cmp.Diff(want, facts); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestMergeWithoutLayers(t *testing.T) {
	inv, facts := Merge(nil, finding.Image{Ref: "scratch"})
	if inv.Packages == nil || len(inv.Packages) != 0 || facts.Setuid != nil || inv.Scanned.Packages {
		t.Errorf("%+v %+v", inv, facts)
	}
}

func TestSearchesEveryMark(t *testing.T) {
	var marks []uint64
	for i := range 3000 {
		m, _ := hashPath(nil, fmt.Sprint(i))
		marks = append(marks, m|uint64(i%3))
	}
	set := newPathSet(append([]uint64{}, marks...))
	for i, m := range marks {
		if got := set.find(m &^ effectBits); got != 1<<(i%3) {
			t.Fatalf("mark %d: effects %b", i, got)
		}
	}
	for i := range 3000 {
		m, _ := hashPath(nil, fmt.Sprint("absent", i))
		if set.find(m) != 0 {
			t.Fatalf("absent mark %d found", i)
		}
	}
}

// warmLayers is a base with 500 packages, and 19 layers that each write the package database anew.
func warmLayers(tb testing.TB) (encoded [][]byte, img finding.Image) {
	a := NewAnalyser(Options{Packages: true})
	var packages []string
	for i := range 450 {
		packages = append(packages, fmt.Sprintf("package-%d 1:%d.2-3+deb12u1", i, i))
	}
	for i := range 20 {
		for j := range 3 {
			packages = append(packages, fmt.Sprintf("package-%d-%d 2.0", i, j))
		}
		w := a.Start()
		for j := range 5000 {
			if err := w.Visit(context.Background(), &Entry{Path: fmt.Sprintf("usr/share/%d/%d/file", i, j)}); err != nil {
				tb.Fatal(err)
			}
		}
		text := dpkg(packages...)
		if err := w.Visit(context.Background(), &Entry{Path: status, Size: int64(len(text)), Content: strings.NewReader(text)}); err != nil {
			tb.Fatal(err)
		}
		l, err := w.Finish(context.Background())
		if err != nil {
			tb.Fatal(err)
		}
		b, err := l.MarshalBinary()
		if err != nil {
			tb.Fatal(err)
		}
		encoded = append(encoded, b)
		img.Layers = append(img.Layers, finding.Layer{LayerRef: finding.LayerRef{Index: i}})
	}
	return encoded, img
}

func BenchmarkMergeWarm(b *testing.B) {
	encoded, img := warmLayers(b)
	b.ReportAllocs()
	for b.Loop() {
		layers := make([]Layer, len(encoded))
		for i := range encoded {
			var err error
			if layers[i], err = DecodeLayer(encoded[i], finding.Scanned{Packages: true}); err != nil {
				b.Fatal(err)
			}
		}
		if inv, _ := Merge(layers, img); len(inv.Packages) != 510 {
			b.Fatal(len(inv.Packages))
		}
	}
}

// TestManyWriters: one Analyser serves layers in parallel.
func TestManyWriters(t *testing.T) {
	a := NewAnalyser(testOptions)
	jar := archive(t, "META-INF/maven/org.x/core/pom.properties", pom("org.x", "core", "1.0"))
	lock := "[[package]]\nname = \"flask\"\nversion = \"2.0.0\"\n"
	var done errgroup.Group
	for range 8 {
		done.Go(func() error {
			w := a.Start()
			for path, content := range map[string]string{"app/a.jar": jar, "app/poetry.lock": lock, "app/package.json": npm("a", "1.0.0")} {
				e := &Entry{Path: path, Size: int64(len(content)), Content: strings.NewReader(content)}
				if err := w.Visit(t.Context(), e); err != nil {
					return err
				}
			}
			l, err := w.Finish(t.Context())
			if err == nil && len(l.Packages) != 3 {
				err = fmt.Errorf("%d packages, gaps %v", len(l.Packages), l.Gaps)
			}
			return err
		})
	}
	if err := done.Wait(); err != nil {
		t.Error(err)
	}
}

func TestVisitAfterCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w := NewAnalyser(testOptions).Start()
	if err := w.Visit(ctx, &Entry{Path: "a"}); err == nil {
		t.Error("Visit: no error")
	}
	if _, err := w.Finish(ctx); err == nil {
		t.Error("Finish: no error")
	}
}
