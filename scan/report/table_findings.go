package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seawall/seawall/finding"
)

// row is one line of the table: a finding, together with those that differ from it only in which of several packages
// of one source carries it.
type row struct {
	*finding.Finding
	also int
}

// rowKey is what findings of one row have in common.
type rowKey struct {
	id, source, version, fixed, layer string
	own                               bool
}

// section is a part of the list with a heading.
type section struct {
	heading string
	style   string
	rows    []row
	count   int
}

// findings lists what counts: the layers that the image's owner wrote first, they can change them at once; then the
// base image; then, where asked for, what was set aside.
func (p *page) findings(r *finding.Result) {
	for _, s := range p.sections(r) {
		if s.count == 0 {
			continue
		}
		heading := fmt.Sprintf("%s: %s", s.heading, plural(s.count, "finding"))
		if len(s.rows) < s.count {
			heading += fmt.Sprintf(" in %s", plural(len(s.rows), "row"))
		}
		p.WriteString("\n" + p.bold(heading) + "\n")
		p.rows(s.rows)
	}
}

func (p *page) sections(r *finding.Result) []section {
	split := knowsBase(r)
	own, base, headers, suppressed := section{heading: "Vulnerabilities"}, section{heading: "Base image"},
		section{heading: "Kernel headers (never fail the gate by default)"}, section{heading: "Suppressed"}
	if split {
		own.heading = "Your layers"
	}
	for _, s := range []struct {
		to   *section
		want func(*finding.Finding) bool
	}{
		{&own, func(f *finding.Finding) bool { return !aside(f) && !(split && inBase(f)) }},
		{&base, func(f *finding.Finding) bool { return !aside(f) && split && inBase(f) }},
		{&headers, func(f *finding.Finding) bool { return p.o.All && f.KernelHeaders && f.Suppressed == nil }},
		{&suppressed, func(f *finding.Finding) bool { return p.o.All && f.Suppressed != nil }},
	} {
		s.to.collect(r.Findings, s.want)
	}
	return []section{own, base, headers, suppressed}
}

// collect merges the wanted findings into rows, keeping their order.
func (s *section) collect(findings []finding.Finding, want func(*finding.Finding) bool) {
	place := map[rowKey]int{}
	for i := range findings {
		f := &findings[i]
		if !want(f) {
			continue
		}
		s.count++
		k := keyOf(f)
		if at, ok := place[k]; ok {
			s.rows[at].also++
			continue
		}
		place[k] = len(s.rows)
		s.rows = append(s.rows, row{Finding: f})
	}
}

func keyOf(f *finding.Finding) rowKey {
	k := rowKey{id: f.ID, source: f.Package.SourceName, version: f.Package.Version, fixed: f.Fixed}
	if k.source == "" {
		// Nothing says that these belong together: only the very same package does.
		k.source, k.own = f.Package.Type+"\x00"+f.Package.Name+"\x00"+where(f), true
	}
	if f.Layer != nil {
		k.layer = f.Layer.DiffID
	}
	return k
}

func aside(f *finding.Finding) bool  { return f.Suppressed != nil || f.KernelHeaders }
func inBase(f *finding.Finding) bool { return f.Layer != nil && f.Layer.Base }

// knowsBase reports whether the image's layers are told apart into base and own.
func knowsBase(r *finding.Result) bool {
	return slices.ContainsFunc(r.Inventory.Image.Layers, func(l finding.Layer) bool { return l.Base })
}

func (p *page) rows(rows []row) {
	names := 0
	if p.o.Width > 0 {
		names = max(24, p.o.Width/5)
	}
	g := grid{columns: []column{
		{head: "SEVERITY", paint: func(i int, s string) string { return p.severity(rows[i].Severity, s) }},
		{head: "ID", max: 24},
		{head: "PACKAGE", max: names, min: 10, left: true, paint: func(_ int, s string) string { return p.bold(s) }},
		{head: "INSTALLED", max: 40, min: 8},
		{head: "FIXED IN", max: 40, min: 8, paint: func(i int, s string) string { return p.fixed(rows[i].Finding, s) }},
		{head: "RISK", paint: func(i int, s string) string { return p.risk(rows[i].Finding, s) }},
		{head: "WHERE", max: 48, min: 12, left: true, drop: true, paint: func(_ int, s string) string { return p.dim(s) }},
		{head: "TITLE", max: 120, min: 28, drop: true},
	}}
	for _, r := range rows {
		g.rows = append(g.rows, cellsOf(r))
	}
	g.write(&p.Builder, p.o.Width, p.dim)
}

func cellsOf(r row) []string {
	name := r.Package.Name
	if r.also > 0 {
		name = fmt.Sprintf("%s +%d", name, r.also)
	}
	text := r.Title
	if s := r.Suppressed; s != nil {
		text = string(s.Source) + ": " + cmp.Or(s.Reason, "no reason given")
	}
	out := []string{r.Severity.String(), r.ID, name, r.Package.Version, fixedText(r.Finding), riskText(r.Finding), place(r.Finding), text}
	for i := range out {
		out[i] = Printable(out[i])
	}
	return out
}

func fixedText(f *finding.Finding) string {
	if f.Fixed != "" {
		return f.Fixed
	}
	switch f.State {
	case finding.StateFixed, finding.StateUnfixed, "":
		return "-"
	case finding.StateMalware:
		return "malware"
	}
	return string(f.State)
}

func (p *page) fixed(f *finding.Finding, s string) string {
	switch {
	case f.Fixed != "":
		return p.paint(green, s)
	case f.State == finding.StateMalware:
		return p.paint("1;31", s)
	}
	return p.dim(s)
}

// riskText says how likely exploitation is: KEV where it happens already, the EPSS probability of the next 30 days.
func riskText(f *finding.Finding) string {
	var parts []string
	if f.KEV != nil {
		parts = append(parts, "KEV")
	}
	if f.EPSS != nil {
		parts = append(parts, percent(f.EPSS.Score))
	}
	return strings.Join(parts, " ")
}

func percent(x float64) string {
	if x < 0.01 {
		return "<1%"
	}
	return fmt.Sprintf("%.0f%%", x*100)
}

func (p *page) risk(f *finding.Finding, s string) string {
	switch {
	case f.KEV != nil:
		return p.paint("1;31", s)
	case f.EPSS != nil && f.EPSS.Score >= 0.1:
		return p.paint(yellow, s)
	}
	return p.dim(s)
}

// place says where to change something: a path for what lies in a file of its own, else the instruction of the layer.
// Base layers are somebody else's instructions: nothing there helps.
func place(f *finding.Finding) string {
	switch f.Package.Type {
	case "deb", "rpm", "apk":
		if f.Layer == nil || f.Layer.Base {
			return ""
		}
		return shorten(f.Layer.CreatedBy, 40)
	}
	path := where(f)
	for _, manifest := range []string{"/package.json", "/METADATA", "/PKG-INFO"} {
		// The directory has the package's name, the file has the same one in every package.
		path = strings.TrimSuffix(path, manifest)
	}
	if n := len(f.Paths); n > 1 {
		return fmt.Sprintf("%s +%d", path, n-1)
	}
	return path
}
