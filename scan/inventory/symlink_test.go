package inventory

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seawall/seawall/finding"
)

func TestFollow(t *testing.T) {
	links := map[string]string{
		"lib": "usr/lib", "bin": "/usr/bin", "var/run": "../run", "out": "../../../../etc", "usr/lib/x": "y",
		"a": "b", "b": "a", "self": "self/deeper", "abs": "/", "dots": "./usr//bin/../lib/.", "chain0": "/srv",
	}
	for i := range 50 {
		links[fmt.Sprintf("chain%d", i+1)] = fmt.Sprintf("chain%d", i)
	}
	link := func(p string) (string, bool) {
		target, ok := links[p]
		return target, ok
	}
	for _, tt := range []struct{ path, want string }{
		{"etc/passwd", "etc/passwd"},
		{"lib", "lib"}, // the link itself
		{"lib/apk/db/installed", "usr/lib/apk/db/installed"},
		{"bin/sh", "usr/bin/sh"},
		{"var/run/x", "run/x"},
		{"out/passwd", "etc/passwd"},
		{"lib/x/z", "usr/lib/y/z"},
		{"abs/lib/z", "usr/lib/z"},
		{"dots/z", "usr/lib/z"},
		{"a/x", "a/x"},
		{"self/x", "self/x"},
		{"chain39/x", "srv/x"},
		{"chain40/x", "chain40/x"},
		{"liberal/x", "liberal/x"},
		{strings.Repeat("d/", maxDepth) + "x", strings.Repeat("d/", maxDepth) + "x"},
	} {
		if got := follow(tt.path, link); got != tt.want {
			t.Errorf("follow(%q) = %q, want %q", tt.path, got, tt.want)
		}
	}
}

const (
	apkBase = "P:musl\nV:1.0-r0\nA:x86_64\n\n"
	apkMore = "P:musl\nV:1.0-r0\nA:x86_64\n\nP:curl\nV:8.0-r0\nA:x86_64\n\n"
)

func TestMergeThroughLinks(t *testing.T) {
	usrmerge := []change{
		{what: "lib -> usr/lib"}, {what: "bin -> usr/bin"}, {what: "usr/lib/apk/db/installed", content: apkBase},
		{what: "usr/bin/tool", content: "#!/bin/sh\n", mode: 0o755},
	}
	const db = "usr/lib/apk/db/installed"
	for _, tt := range []struct {
		name   string
		layers [][]change
		want   []string
	}{
		{"database written through the link", [][]change{usrmerge, {{what: "lib/apk/db/installed", content: apkMore}}},
			[]string{"curl 8.0-r0 " + db + " @1", "musl 1.0-r0 " + db + " @0", "run usr/bin/tool @0"}},
		{"whiteout through the link", [][]change{usrmerge, {{what: "-lib/apk/db/installed"}, {what: "-bin/tool"}}}, nil},
		{"whiteout of a directory through the link", [][]change{usrmerge, {{what: "-lib/apk"}}}, []string{"run usr/bin/tool @0"}},
		{"opaque through the link", [][]change{usrmerge, {{what: "!bin"}}}, []string{"musl 1.0-r0 " + db + " @0"}},
		{"executable replaced through the link", [][]change{usrmerge, {{what: "bin/tool", content: "#!/bin/bash\n", mode: 0o755}}},
			[]string{"musl 1.0-r0 " + db + " @0", "run usr/bin/tool @1"}},
		{"both names in one layer", [][]change{usrmerge, {{what: "lib/apk/db/installed", content: apkMore}, {what: db, content: apkMore}}},
			[]string{"curl 8.0-r0 " + db + " @1", "musl 1.0-r0 " + db + " @0", "run usr/bin/tool @0"}},
		{"a directory replaces the link", [][]change{usrmerge, {{what: "bin/", mode: 0o755}, {what: "bin/tool", content: "#!/bin/sh\n", mode: 0o755}}},
			[]string{"musl 1.0-r0 " + db + " @0", "run bin/tool @1", "run usr/bin/tool @0"}},
		{"the link was removed before", [][]change{usrmerge, {{what: "-bin"}}, {{what: "bin/tool", content: "#!/bin/sh\n", mode: 0o755}}},
			[]string{"musl 1.0-r0 " + db + " @0", "run bin/tool @2", "run usr/bin/tool @0"}},
		{"link and file in one layer", [][]change{{{what: "lib -> usr/lib"}, {what: "lib/apk/db/installed", content: apkBase}}},
			[]string{"musl 1.0-r0 " + db + " @0"}},
		{"own link leads through a lower one", [][]change{usrmerge, {{what: "l -> /lib/apk"}, {what: "-l/db/installed"}}}, []string{"run usr/bin/tool @0"}},
		{"link inside a linked directory", [][]change{
			{{what: "lib -> usr/lib"}, {what: "usr/lib/apk -> ../../data/apk"}, {what: "data/apk/app/package.json", content: npm("a", "1.0.0")}},
			{{what: "lib/apk/app/package.json", content: npm("a", "2.0.0")}},
		}, []string{"a 2.0.0 data/apk/app/package.json @1"}},
		{"link written through a link", [][]change{
			{{what: "lib -> usr/lib"}}, {{what: "lib/x -> /data"}}, {{what: "lib/x/package.json", content: npm("a", "1.0.0")}},
			{{what: "-usr/lib/x"}, {what: "-data"}},
		}, nil},
		{"hard link through links", [][]change{usrmerge, {{what: "bin/again => bin/tool"}}},
			[]string{"musl 1.0-r0 " + db + " @0", "run usr/bin/again @1", "run usr/bin/tool @0"}},
		{"secret deleted through a link", [][]change{
			{{what: "run/s", content: "token=abc\n"}, {what: "var/run -> ../run"}}, {{what: "-var/run/s"}},
		}, []string{"secret run/s a… @0 deleted"}},
		{"ring of links", [][]change{{{what: "a -> b"}, {what: "b -> a"}}, {{what: "a/package.json", content: npm("a", "1.0.0")}}},
			[]string{"a 1.0.0 a/package.json @1"}},
		{"out of the root", [][]change{
			{{what: "up -> ../../.."}, {what: "app/package.json", content: npm("a", "1.0.0")}}, {{what: "-up/app/package.json"}},
		}, nil},
		{"link to the root, through itself", [][]change{
			{{what: "self -> /"}, {what: "app/package.json", content: npm("a", "1.0.0")}},
			{{what: "self/self/self/app/package.json", content: npm("a", "2.0.0")}},
		}, []string{"a 2.0.0 app/package.json @1"}},
		{"database wanted by its name, linked in its layer", [][]change{
			{{what: "var/lib/dpkg -> /data"}, {what: status, content: dpkg("base 1")}}, {{what: "-data"}},
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inv, _ := image(t, tt.layers...)
			if d := cmp.Diff(tt.want, short(inv)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// TestKeptLinks: links to files of the same layer lead to no directory.
func TestKeptLinks(t *testing.T) {
	a := NewAnalyser(Options{Packages: true})
	w := a.Start()
	for _, c := range []change{
		{what: "usr/"}, {what: "usr/lib/"}, {what: "usr/lib/libx.so.1"}, {what: "usr/lib/libx.so -> libx.so.1"},
		{what: "lib -> usr/lib"}, {what: "elsewhere -> /opt/x"}, {what: "opt/y/z"},
	} {
		if err := w.Visit(context.Background(), c.entry()); err != nil {
			t.Fatal(err)
		}
	}
	l, err := w.Finish(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	want := []Link{{"elsewhere", "/opt/x"}, {"lib", "usr/lib"}}
	if d := cmp.Diff(want, l.Symlinks); d != "" {
		t.Errorf("links (-want +got):\n%s", d)
	}
	if l.Through.Len() != 2 { // opt, opt/y
		t.Errorf("writes through %d directories, want 2", l.Through.Len())
	}
}

func FuzzFollow(f *testing.F) {
	f.Add("lib/x", "lib", "usr/lib", "usr", "../..")
	f.Add("a/b", "a", "b", "b", "a")
	f.Fuzz(func(t *testing.T, p, from, to, from2, to2 string) {
		links := map[string]string{from: to, from2: to2}
		follow(p, func(p string) (string, bool) {
			target, ok := links[p]
			return target, ok
		})
	})
}

// BenchmarkMergeWarmThrough is BenchmarkMergeWarm where the base has 3,000 links and each layer writes through one.
func BenchmarkMergeWarmThrough(b *testing.B) {
	encoded, img := warmLayers(b)
	layers := make([]Layer, len(encoded))
	for i := range encoded {
		layers[i], _ = DecodeLayer(encoded[i], finding.Scanned{Packages: true})
		m, _ := hashPath(nil, "lib")
		layers[i].Through = newPathSet([]uint64{m})
	}
	for i := range 3000 {
		layers[0].Symlinks = append(layers[0].Symlinks, Link{fmt.Sprintf("usr/lib/link%d", i), "x"})
	}
	layers[0].Symlinks = append(layers[0].Symlinks, Link{"lib", "usr/lib"})
	for b.Loop() {
		Merge(layers, img)
	}
}
