package inventory

import (
	"archive/zip"
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/seawall/seawall/finding"
)

// archive makes a zip of names and contents in turn.
func archive(tb testing.TB, files ...string) string {
	tb.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(w, files[i+1]); err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func pom(group, artifact, version string) string {
	return fmt.Sprintf("groupId=%s\nartifactId=%s\nversion=%s\n", group, artifact, version)
}

func TestParsers(t *testing.T) {
	core := archive(t, "META-INF/maven/org.x/core/pom.properties", pom("org.x", "core", "2.14.1"))
	deep := archive(t, "lib/core.jar", core)
	for _, tt := range []struct {
		path, content string
		want          []string // "purl [licences]", then gaps
	}{
		{"lib/apk/db/installed", "P:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\nF:lib\nR:ld-musl-x86_64.so.1\n\nP:libcrypto3\nV:3.3.2-r0\nA:x86_64\no:openssl\nL:Apache-2.0\n\n",
			[]string{"pkg:apk/libcrypto3@3.3.2-r0?arch=x86_64&upstream=openssl [Apache-2.0]", "pkg:apk/musl@1.2.5-r0?arch=x86_64 [MIT]"}},
		{"var/lib/rpmmanifest/container-manifest-2", "ca-certificates-base\t2.0.0-1.cm2\t1\t2\tMicrosoft Corporation\t1\t3\tnoarch\t1\tca-certificates-2.0.0-1.cm2.src.rpm\n",
			[]string{"pkg:rpm/ca-certificates-base@2.0.0-1.cm2?arch=noarch&epoch=1&upstream=ca-certificates"}},
		{"usr/lib/R/site-library/mime/DESCRIPTION", "Package: mime\nVersion: 0.12\nLicense: GPL-3\nBuilt: R 4.2.2; ; x; unix\n", []string{"pkg:cran/mime@0.12 [GPL-3.0-only]"}},
		{"var/lib/pacman/local/zlib-1:1.3-1/desc", "%NAME%\nzlib\n\n%VERSION%\n1:1.3-1\n\n", []string{"pkg:alpm/zlib@1:1.3-1"}},
		{"usr/lib/python3/dist-packages/requests-2.28.1.dist-info/METADATA",
			"Metadata-Version: 2.1\r\nName: requests\r\nVersion: 2.28.1\r\nLicense: Apache 2.0\r\n\r\nName: no\r\n",
			[]string{"pkg:pypi/requests@2.28.1 [Apache-2.0]"}},
		{"usr/lib/python3/dist-packages/X_y-1.egg-info", "Metadata-Version: 1.0\nName: X_y\nVersion: 1\nClassifier: License :: OSI Approved :: MIT License\n",
			[]string{"pkg:pypi/x-y@1 [MIT]"}},
		{"a.whl", archive(t, "b-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: b\nVersion: 1\n"), []string{"pkg:pypi/b@1"}},
		{"app/requirements.txt", "# c\nrequests[security]==2.28.1 ; python_version > '3'\nflask>=2\n-r other.txt\nurllib3==1.26.* \nx==1 --hash=sha256:0\n",
			[]string{"pkg:pypi/requests@2.28.1", "pkg:pypi/x@1"}},
		{"app/poetry.lock", "[[package]]\nname = \"flask\"\nversion = \"2.0.0\"\n", []string{"pkg:pypi/flask@2.0.0"}},
		{"app/uv.lock", "version = 1\n[[package]]\nname = \"flask\"\nversion = \"2.0.0\"\n", []string{"pkg:pypi/flask@2.0.0"}},
		{"app/Pipfile.lock", `{"default":{"flask":{"version":"==2.0.0"}},"develop":{"pytest":{"version":"==7.0.0"}}}`, []string{"pkg:pypi/flask@2.0.0"}},
		{"opt/conda/conda-meta/x.json", `{"name":"openssl","version":"3.0.0","build":"h1"}`, []string{"pkg:conda/openssl@3.0.0"}},
		{"app/yarn.lock", "# yarn lockfile v1\n\nlodash@^4.0.0:\n  version \"4.17.20\"\n  resolved \"https://registry.example/lodash-4.17.20.tgz#1\"\n", []string{"pkg:npm/lodash@4.17.20"}},
		{"app/pnpm-lock.yaml", "lockfileVersion: '6.0'\npackages:\n  /lodash@4.17.20:\n    resolution: {integrity: sha512-x}\n    dev: false\n", []string{"pkg:npm/lodash@4.17.20"}},
		{"app/composer.lock", `{"packages":[{"name":"symfony/yaml","version":"v5.0.0"}]}`, []string{"pkg:composer/symfony/yaml@v5.0.0"}},
		{"app/vendor/composer/installed.json", `{"packages":[{"name":"symfony/yaml","version":"v5.0.0","license":["MIT"]}]}`, []string{"pkg:composer/symfony/yaml@v5.0.0 [MIT]"}},
		{"app/vendor/composer/installed.json", `[{"name":"a/b","version":"1.0.0"},{"name":"c/d","version":"dev-main"}]`, []string{"pkg:composer/a/b@1.0.0"}},
		{"usr/lib/ruby/gems/3.1.0/specifications/rack-2.2.3.gemspec",
			"Gem::Specification.new do |s|\n  s.name = \"rack\".freeze\n  s.version = \"2.2.3\"\n  s.licenses = [\"MIT\".freeze]\nend\n", []string{"pkg:gem/rack@2.2.3 [MIT]"}},
		{"app/Gemfile.lock", "GEM\n  remote: https://rubygems.org/\n  specs:\n    rack (2.2.3)\n\nPLATFORMS\n  ruby\n", []string{"pkg:gem/rack@2.2.3"}},
		{"app/x.deps.json", `{"runtimeTarget":{"name":".NETCoreApp,Version=v6.0"},"libraries":{"Newtonsoft.Json/12.0.1":{"type":"package"},"x/1.0.0":{"type":"project"}}}`,
			[]string{"pkg:nuget/Newtonsoft.Json@12.0.1"}},
		{"app/packages.lock.json", `{"version":1,"dependencies":{"net6.0":{"Newtonsoft.Json":{"type":"Direct","resolved":"12.0.1"}}}}`, []string{"pkg:nuget/Newtonsoft.Json@12.0.1"}},
		{"app/Cargo.lock", "[[package]]\nname = \"time\"\nversion = \"0.1.43\"\n", []string{"pkg:cargo/time@0.1.43"}},
		{"app/gradle.lockfile", "org.x:core:2.14.1=runtimeClasspath\nempty=\n", []string{"pkg:maven/org.x/core@2.14.1"}},
		{"app/mix.lock", `%{` + "\n" + `  "plug": {:hex, :plug, "1.11.1", "f2992bac66fdae679453c9e86134a4201f6f43a687d8ff1cd1b2862d53c80259", [:mix], [], "hexpm", "23524e4fefbb587c11f0833b3910bfb414bf2e2534d61928e920f54e3a1b881f"},` + "\n}\n",
			[]string{"pkg:hex/plug@1.11.1"}},
		{"app/pubspec.lock", "packages:\n  http:\n    dependency: \"direct main\"\n    version: \"0.13.0\"\n", []string{"pkg:pub/http@0.13.0"}},
		{"app/renv.lock", `{"Packages":{"mime":{"Package":"mime","Version":"0.12","Source":"Repository","Repository":"CRAN"}}}`, []string{"pkg:cran/mime@0.12"}},
		{"app/lib/core.jar", core, []string{"pkg:maven/org.x/core@2.14.1"}},
		{"app/app.war", archive(t, "WEB-INF/lib/deep.jar", deep), []string{"pkg:maven/org.x/core@2.14.1"}},
		{"app/log4j-core-2.14.1.jar", archive(t, "META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\nImplementation-Title: log4j-core\r\nImplementation-Vendor-Id: org.apache.logging.log4j\r\nImplementation-Version: 2.14.1\r\n\r\n"),
			[]string{"pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"}},
		{"app/bomb.jar", archive(t, "META-INF/MANIFEST.MF", strings.Repeat("A: b\r\n", jarMetadata/4)), []string{"unreadable app/bomb.jar"}},
		{"app/not.jar", "no archive", []string{"unreadable app/not.jar"}},
		{"node_modules/x/package.json", "{", []string{"unreadable node_modules/x/package.json"}},
		{"node_modules/x/test/package.json", npm("no", "1"), nil},
		{"usr/share/doc/x/Cargo.lock", "[[package]]\nname = \"time\"\nversion = \"0.1.43\"\n", nil},
		{"node_modules/x/package.json", `{"name":"x","version":"1","license":{"type":"BSD"},"licenses":[{"type":"Apache2"},"gplv3+"]}`,
			[]string{"pkg:npm/x@1 [Apache-2.0 BSD GPL-3.0-or-later]"}},
	} {
		t.Run(tt.path, func(t *testing.T) {
			inv, _ := image(t, []change{{what: tt.path, content: tt.content}})
			if d := cmp.Diff(tt.want, purls(inv)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func purls(inv finding.Inventory) (lines []string) {
	for _, p := range inv.Packages {
		line := p.PURL
		if len(p.Licenses) > 0 {
			line += " " + fmt.Sprint(p.Licenses)
		}
		lines = append(lines, line)
	}
	for _, g := range inv.Gaps {
		lines = append(lines, string(g.Kind)+" "+g.Where)
	}
	return lines
}

// TestGoBinary reads the test's own executable.
func TestGoBinary(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]io.Reader{"local file": f, "stream": onlyReader{io.NewSectionReader(f, 0, info.Size())}} {
		t.Run(name, func(t *testing.T) {
			w := NewAnalyser(Options{Packages: true, Executables: true, TempDir: t.TempDir()}).Start()
			e := &Entry{Path: "app/tool", Mode: 0o755, Size: info.Size(), Content: content}
			if err := w.Visit(context.Background(), e); err != nil {
				t.Fatal(err)
			}
			l, err := w.Finish(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			found := map[string]bool{}
			for _, p := range l.Packages {
				found[p.Name] = p.Version != "" && p.Ecosystem == "Go"
			}
			if !found["stdlib"] {
				t.Errorf("modules found: %v, gaps %v", found, l.Gaps)
			}
			if len(l.Executables) != 1 || len(l.Executables[0].SHA256) != 64 || l.Executables[0].Size != info.Size() {
				t.Errorf("executables: %v", l.Executables)
			}
		})
	}
}

func TestParserThatPanicsOrHangs(t *testing.T) {
	a := NewAnalyser(Options{Packages: true, Limits: Limits{FileTime: 10 * time.Millisecond}})
	stop := make(chan struct{})
	defer close(stop)
	a.byName["panic"] = &parser{name: "p", run: func(context.Context, *file) (parsed, error) { panic("x") }}
	a.byName["hang"] = &parser{name: "h", run: func(context.Context, *file) (parsed, error) { <-stop; return parsed{}, nil }}
	a.byName["fail"] = &parser{name: "f", run: func(context.Context, *file) (parsed, error) { return parsed{}, errors.New("no") }}
	l := analyse(t, a, []*Entry{{Path: "panic", Size: 1}, {Path: "hang", Size: 1}, {Path: "fail", Size: 1}}, []string{"1", "2", "3"})
	var got []string
	for _, g := range l.Gaps {
		got = append(got, string(g.Kind)+" "+g.Where)
	}
	if d := cmp.Diff([]string{"unreadable panic", "unreadable hang", "unreadable fail"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestLimits(t *testing.T) {
	big := npm("x", "1") + strings.Repeat(" ", 100)
	for name, tt := range map[string]struct {
		o    Options
		want []string
	}{
		"in a temporary file":       {Options{TempDir: t.TempDir(), Limits: Limits{MemoryFile: 16}}, []string{"pkg:npm/x@1"}},
		"no room for one":           {Options{TempDir: "/nonexistent", Limits: Limits{MemoryFile: 16}}, []string{"too-large a/package.json"}},
		"over the limit of a file":  {Options{Limits: Limits{File: 50}}, []string{"too-large a/package.json"}},
		"over the limit of entries": {Options{Limits: Limits{Entries: 1}}, []string{"pkg:npm/x@1", "too-large "}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.o.Packages = true
			l := analyse(t, NewAnalyser(tt.o), []*Entry{{Path: "a/package.json", Size: int64(len(big))}, {Path: "b"}}, []string{big, ""})
			inv, _ := Merge([]Layer{l}, finding.Image{})
			if d := cmp.Diff(tt.want, purls(inv)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestGapsAndPackagesAreBounded(t *testing.T) {
	var entries []*Entry
	var contents []string
	for i := range 50 {
		entries = append(entries, &Entry{Path: fmt.Sprintf("node_modules/%d/package.json", i), Size: 1})
		contents = append(contents, "{")
	}
	l := analyse(t, NewAnalyser(Options{Packages: true, Limits: Limits{Gaps: 10}}), entries, contents)
	if len(l.Gaps) != 10 {
		t.Errorf("%d gaps, want 10", len(l.Gaps))
	}
	text := dpkg("a 1", "b 1", "c 1")
	l = analyse(t, NewAnalyser(Options{Packages: true, Limits: Limits{Packages: 2}}), []*Entry{{Path: status, Size: int64(len(text))}}, []string{text})
	if len(l.Packages) != 2 || len(l.Gaps) != 1 {
		t.Errorf("%d packages and %d gaps, want 2 and 1", len(l.Packages), len(l.Gaps))
	}
}

func TestGoModules(t *testing.T) {
	mod := func(path, version string) *debug.Module { return &debug.Module{Path: path, Version: version} }
	replaced := mod("old.example/a", "v1.0.0")
	replaced.Replace = mod("new.example/a", "v1.1.0")
	local := mod("local.example/b", "v2.0.0+incompatible")
	local.Replace = mod("./b", "")
	info := &buildinfo.BuildInfo{GoVersion: "go1.22.3 X:boringcrypto", Main: *mod("main.example/x", "(devel)"), Deps: []*debug.Module{replaced, local}}
	var got []string
	for _, p := range goModules(info) {
		got = append(got, p.PURL)
	}
	want := []string{"pkg:golang/stdlib@1.22.3", "pkg:golang/new.example/a@v1.1.0", "pkg:golang/local.example/b@v2.0.0%2Bincompatible"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestRustList(t *testing.T) {
	list, err := rustList([]byte(`{"packages":[{"name":"time","version":"0.1.43","source":"crates.io"},
		{"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"},{"name":"me","version":"0.1.0","source":"local","root":true}]}`))
	if err != nil || len(list) != 1 || list[0].PURL != "pkg:cargo/time@0.1.43" {
		t.Errorf("%v, %v", list, err)
	}
}

// FuzzVisit gives hostile content to every parser, under a path that it wants.
func FuzzVisit(f *testing.F) {
	paths := []string{
		status, "lib/apk/db/installed", "var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/Packages", "usr/lib/sysimage/rpm/Packages.db",
		"usr/bin/tool", "app/a.jar", "a.whl", "node_modules/a/package.json", "x.dist-info/METADATA", "etc/os-release",
		"specifications/a.gemspec", "vendor/composer/installed.json", "etc/shadow", "usr/share/doc/a/copyright", "a/requirements.txt",
	}
	a := NewAnalyser(testOptions)
	for i := range paths {
		f.Add(uint8(i), []byte("ID=x\nPackage: a\nVersion: 1\n\n{}"))
	}
	f.Add(uint8(5), []byte("\x7fELF\x02\x01\x01"+strings.Repeat("\x01", 80)))
	f.Add(uint8(6), []byte(archive(f, "META-INF/maven/a/b/pom.properties", pom("a", "b", "1"))))
	f.Fuzz(func(t *testing.T, which uint8, content []byte) {
		w := a.Start()
		e := &Entry{Path: paths[int(which)%len(paths)], Mode: 0o755, Size: int64(len(content)), Content: bytes.NewReader(content)}
		if err := w.Visit(context.Background(), e); err != nil {
			t.Fatal(err)
		}
		l, err := w.Finish(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		b, err := l.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeLayer(b, everything); err != nil {
			t.Fatal(err)
		}
		for _, g := range l.Gaps {
			if strings.Contains(g.Detail, "damaged beyond reading") {
				t.Errorf("a parser panicked: %s", g.Detail)
			}
		}
	})
}

// BenchmarkVisitUnwanted is the cost of a file that nobody wants: most of an image.
func BenchmarkVisitUnwanted(b *testing.B) {
	entries := make([]*Entry, 4096)
	for i := range entries {
		entries[i] = &Entry{Path: fmt.Sprintf("usr/share/locale/%d/LC_MESSAGES/messages-%d.mo", i%97, i), Mode: 0o644, Size: 1000}
	}
	w := NewAnalyser(Options{Packages: true, Executables: true}).Start()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%100_000 == 0 {
			w = w.a.Start()
		}
		if err := w.Visit(context.Background(), entries[i%len(entries)]); err != nil {
			b.Fatal(err)
		}
	}
}

// TestSecretWanted: what nobody wants is not given to the detector.
func TestSecretWanted(t *testing.T) {
	o := testOptions
	o.SecretWanted = func(path string, size int64) bool { return path != "usr/share/doc/x" && size < 12 }
	var entries []*Entry
	var contents []string
	for path, content := range map[string]string{"usr/share/doc/x": "token=a", "etc/x": "token=b", "etc/large": "token=cccccc"} {
		entries, contents = append(entries, &Entry{Path: path, Size: int64(len(content))}), append(contents, content)
	}
	l := analyse(t, NewAnalyser(o), entries, contents)
	want := []finding.Secret{{Rule: "token", Path: "etc/x", Masked: "b…"}}
	if d := cmp.Diff(want, l.Secrets); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
