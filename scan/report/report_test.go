package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/finding"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: run the test with -update to make it", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); run with -update where that is meant:\n%s", path, diff)
	}
}

func write(t *testing.T, format string, o Options, results ...finding.Result) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, format, results, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGolden(t *testing.T) {
	github := GitHub{SHA: "1111111111111111111111111111111111111111", Ref: "refs/heads/main", Job: "7", Correlator: "build_scan"}
	for _, tt := range []struct {
		file, format string
		o            Options
		result       finding.Result
	}{
		{"table.txt", "table", Options{}, sample()},
		{"table-80.txt", "table", Options{Width: 80}, sample()},
		{"table-120-color.txt", "table", Options{Width: 120, Color: true}, sample()},
		{"table-all.txt", "table", Options{All: true, Width: 140}, sample()},
		{"table-clean.txt", "table", Options{}, clean()},
		{"table-packages.txt", "table", Options{Inventory: true, Width: 120}, sample()},
		{"report.json", "json", Options{}, sample()},
		{"report.sarif", "sarif", Options{}, sample()},
		{"bom.cdx.json", "cyclonedx", Options{}, sample()},
		{"bom-packages.cdx.json", "cyclonedx", Options{Inventory: true}, sample()},
		{"bom.spdx.json", "spdx", Options{}, sample()},
		{"junit.xml", "junit", Options{}, sample()},
		{"report.html", "html", Options{}, sample()},
		{"snapshot.github.json", "github", Options{GitHub: github}, sample()},
		{"gl-container-scanning-report.json", "gitlab", Options{}, sample()},
	} {
		t.Run(tt.file, func(t *testing.T) {
			golden(t, tt.file, write(t, tt.format, tt.o, tt.result))
		})
	}
}

func TestSameResultSameBytes(t *testing.T) {
	for _, f := range Formats {
		first := write(t, f.Name, Options{}, sample())
		for range 20 {
			if !bytes.Equal(first, write(t, f.Name, Options{}, sample())) {
				t.Fatalf("%s: two reports of one result differ", f.Name)
			}
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	if err := Write(io.Discard, "pdf", nil, Options{}); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "sarif") {
		t.Errorf("unknown format: %v", err)
	}
	for _, format := range []string{"cyclonedx", "spdx"} {
		if err := Write(io.Discard, format, []finding.Result{sample(), sample()}, Options{}); !errors.Is(err, ErrOneImage) {
			t.Errorf("%s of two results: %v", format, err)
		}
	}
}

func TestSeveralResults(t *testing.T) {
	arm := sample()
	arm.Inventory.Image.Platform = "linux/arm64"
	for _, f := range Formats {
		if f.Name == "cyclonedx" || f.Name == "spdx" || f.Name == "gitlab" {
			continue
		}
		if out := write(t, f.Name, Options{}, sample(), arm); !bytes.Contains(out, []byte("arm64")) {
			t.Errorf("%s: the second platform is missing", f.Name)
		}
	}
}

// TestNoResult: an empty list is a valid report of nothing.
func TestNoResult(t *testing.T) {
	for _, f := range Formats {
		if err := Write(io.Discard, f.Name, nil, Options{}); err != nil && !errors.Is(err, ErrOneImage) {
			t.Errorf("%s: %v", f.Name, err)
		}
		if err := Write(io.Discard, f.Name, []finding.Result{{}}, Options{}); err != nil {
			t.Errorf("%s of a zero result: %v", f.Name, err)
		}
	}
}

func TestHostileTable(t *testing.T) {
	for _, o := range []Options{{}, {All: true}, {Width: 60}, {Inventory: true}} {
		for _, r := range string(write(t, "table", o, hostile())) {
			if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
				t.Fatalf("%+v: control character %U reached the terminal", o, r)
			}
		}
	}
}

func TestHostileXML(t *testing.T) {
	d := xml.NewDecoder(bytes.NewReader(write(t, "junit", Options{}, hostile())))
	for {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestHostileHTML(t *testing.T) {
	out := string(write(t, "html", Options{}, hostile()))
	if strings.Count(out, "<script") != 1 || strings.Count(out, "</script") != 1 {
		t.Error("an image's text became markup")
	}
	for _, bad := range []string{"javascript:", "\x1b", "\u202e", "\x00"} {
		if strings.Contains(out, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
}

func TestHostileJSON(t *testing.T) {
	for _, format := range []string{"json", "sarif", "cyclonedx", "spdx", "github", "gitlab"} {
		if out := write(t, format, Options{}, hostile()); !json.Valid(out) {
			t.Errorf("%s: not JSON", format)
		}
	}
}

func TestTableWidth(t *testing.T) {
	for _, width := range []int{80, 100, 120, 160} {
		for line := range strings.Lines(string(write(t, "table", Options{Width: width}, sample()))) {
			line = strings.TrimSuffix(line, "\n")
			if strings.HasPrefix(line, "  ") && !strings.Contains(line, "seawall") && cells(line) > width {
				t.Errorf("width %d: %d columns: %s", width, cells(line), line)
			}
		}
	}
}

func TestReadJSON(t *testing.T) {
	got, err := ReadJSON(bytes.NewReader(write(t, "json", Options{}, sample())))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]finding.Result{sample()}, got); diff != "" {
		t.Errorf("what was written is not what was read (-want +got):\n%s", diff)
	}
	for _, bad := range []string{"", "{}", "[]", `{"schemaVersion":2,"results":[]}`, `{"schemaVersion":1,"results":[{"findings":3}]}`} {
		if _, err := ReadJSON(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 45012: "45,012", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestShorten(t *testing.T) {
	for _, tt := range []struct {
		in          string
		width       int
		right, left string
	}{
		{"short", 10, "short", "short"},
		{"usr/lib/python3", 8, "usr/lib…", "…python3"},
		{"日本語テキスト", 7, "日本語…", "…キスト"},
		{"ab", 1, "…", "…"},
	} {
		if got := shorten(tt.in, tt.width); got != tt.right || cells(got) > tt.width {
			t.Errorf("shorten(%q, %d) = %q", tt.in, tt.width, got)
		}
		if got := shortenLeft(tt.in, tt.width); got != tt.left || cells(got) > tt.width {
			t.Errorf("shortenLeft(%q, %d) = %q", tt.in, tt.width, got)
		}
	}
}

func TestExpressions(t *testing.T) {
	for text, want := range map[string]bool{
		"MIT": true, "MIT OR Apache-2.0": true, "(MIT AND GPL-2.0-only WITH Classpath-exception-2.0) OR BSD-3-Clause": true, "GPL-2.0+": true,
		"": false, "MIT OR": false, "(MIT": false, "MIT Apache-2.0": false, "as is": false, "AND": false,
	} {
		if got := isExpression(text); got != want {
			t.Errorf("isExpression(%q) = %v", text, got)
		}
	}
}
