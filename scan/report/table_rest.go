package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seawall/seawall/finding"
)

func (p *page) secrets(secrets []finding.Secret) {
	g := grid{}
	var shown []finding.Secret
	suppressed := 0
	for _, s := range secrets {
		if s.Suppressed != nil && !p.o.All {
			suppressed++
			continue
		}
		shown = append(shown, s)
		g.rows = append(g.rows, []string{s.Severity.String(), Printable(s.Title), Printable(secretPlace(&s)), Printable(s.Masked), Printable(secretNote(&s))})
	}
	if len(shown) == 0 {
		return
	}
	g.columns = []column{
		{head: "SEVERITY", paint: func(i int, s string) string { return p.severity(shown[i].Severity, s) }},
		{head: "SECRET", max: 40, min: 12},
		{head: "WHERE", max: 60, min: 16, left: true},
		{head: "MASKED", max: 32, min: 8},
		{head: "NOTE", min: 12, drop: true, paint: func(_ int, s string) string { return p.dim(s) }},
	}
	p.heading("Secrets", len(shown), suppressed)
	g.write(&p.Builder, p.o.Width, p.dim)
}

func secretPlace(s *finding.Secret) string {
	if s.Path == "" {
		return s.Where
	}
	if s.Line > 0 {
		return fmt.Sprintf("%s:%d", s.Path, s.Line)
	}
	return s.Path
}

func secretNote(s *finding.Secret) string {
	switch {
	case s.Suppressed != nil:
		return "suppressed: " + s.Suppressed.Reason
	case s.Deleted && s.Layer != nil:
		return fmt.Sprintf("deleted later, still in layer %d", s.Layer.Index)
	case s.Deleted:
		return "deleted later, still in a layer"
	}
	return ""
}

func (p *page) heading(what string, n, suppressed int) {
	line := fmt.Sprintf("%s: %d", what, n)
	if suppressed > 0 {
		line += fmt.Sprintf(" + %d suppressed", suppressed)
	}
	p.WriteString("\n" + p.bold(line) + "\n")
}

func (p *page) checks(checks []finding.Check) {
	var shown []finding.Check
	suppressed := 0
	for _, c := range checks {
		if c.Suppressed != nil && !p.o.All {
			suppressed++
			continue
		}
		shown = append(shown, c)
	}
	if len(shown) == 0 {
		return
	}
	slices.SortStableFunc(shown, func(a, b finding.Check) int { return cmp.Compare(b.Severity, a.Severity) })
	g := grid{columns: []column{
		{head: "SEVERITY", paint: func(i int, s string) string { return p.severity(shown[i].Severity, s) }},
		{head: "CHECK"},
		{head: "WHAT", max: 70, min: 20},
		{head: "FIX", min: 20, drop: true, paint: func(_ int, s string) string { return p.paint(cyan, s) }},
	}}
	for _, c := range shown {
		g.rows = append(g.rows, []string{c.Severity.String(), Printable(c.ID), Printable(cmp.Or(c.Title, c.Detail)), Printable(c.Fix)})
	}
	p.heading("Configuration", len(shown), suppressed)
	g.write(&p.Builder, p.o.Width, p.dim)
}

// upgrades lists the few changes that fix most.
func (p *page) upgrades(upgrades []finding.Upgrade) {
	const most = 5
	if len(upgrades) == 0 {
		return
	}
	p.WriteString("\n" + p.bold("What fixes most") + "\n")
	for i, u := range upgrades {
		if i == most && !p.o.All {
			p.WriteString(indent + p.dim(fmt.Sprintf("and %d more", len(upgrades)-most)) + "\n")
			break
		}
		p.WriteString(fmt.Sprintf("%s%d. %s", indent, i+1, p.bold(upgradeText(&u))))
		p.WriteString(p.dim(fmt.Sprintf("  fixes %d: ", u.Fixes.Total())) + countsText(u.Fixes) + "\n")
	}
}

func upgradeText(u *finding.Upgrade) string {
	s := "take a newer base image"
	switch {
	case u.Kind == "base" && u.Package != "":
		s = "base image " + u.Package
	case u.Kind != "base":
		s = u.Package
	}
	switch {
	case u.From != "" && u.To != "":
		s += " " + u.From + " → " + u.To
	case u.To != "":
		s += " → " + u.To
	}
	return Printable(s)
}

// next says what to run next: at most three commands, the most useful first.
func (p *page) next(r *finding.Result) {
	ref := shellQuote(r.Inventory.Image.Ref)
	var lines [][2]string
	if r.Database.Starter || r.Database.Records == 0 {
		lines = append(lines, [2]string{"seawall db update", "fetch the advisories: the built-in starter set knows a few dozen"})
	}
	if r.Verdict == nil {
		lines = append(lines, [2]string{"seawall gate " + ref, "may it ship? exits 0 or 1"})
	}
	lines = append(lines, [2]string{"seawall scan -o html --out report.html " + ref, "the same with every detail, as a page"})
	width := 0
	for _, l := range lines {
		width = max(width, cells(l[0]))
	}
	p.WriteString("\n" + p.bold("Next") + "\n")
	for _, l := range lines {
		line := indent + p.paint(cyan, l[0])
		// A command is never cut; what it does may go.
		if p.o.Width == 0 || len(indent)+width+len(gutter)+cells(l[1]) <= p.o.Width {
			line += strings.Repeat(" ", width-cells(l[0])) + gutter + p.dim(l[1])
		}
		p.WriteString(line + "\n")
	}
}

// shellQuote quotes s for a POSIX shell where it needs it. What is not printable has been escaped: such a reference
// cannot be pasted, and should not be.
func shellQuote(s string) string {
	s = Printable(s)
	plain := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("_-./:@%+,=", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// packages lists what is in the image.
func (p *page) packages(r *finding.Result) {
	p.header(r)
	p.gaps(r)
	if len(r.Inventory.Packages) == 0 {
		return
	}
	g := grid{columns: []column{
		{head: "PACKAGE", max: 80, min: 12, paint: func(_ int, s string) string { return p.bold(s) }},
		{head: "VERSION", max: 60, min: 8},
		{head: "TYPE"},
		{head: "SOURCE", max: 40, min: 10, drop: true},
		{head: "LICENCE", max: 40, min: 10, drop: true},
		{head: "PATH", min: 12, left: true, drop: true, paint: func(_ int, s string) string { return p.dim(s) }},
	}}
	for _, pkg := range sortedPackages(r.Inventory.Packages) {
		source := pkg.SourceName
		if source == pkg.Name {
			source = ""
		}
		g.rows = append(g.rows, []string{Printable(pkg.Name), Printable(pkg.Version), Printable(pkg.Type), Printable(source),
			Printable(strings.Join(pkg.Licenses, ", ")), Printable(pkg.Path)})
	}
	p.WriteString("\n")
	g.write(&p.Builder, p.o.Width, p.dim)
}

// sortedPackages returns pointers into packages in the order of type, name, version, path.
func sortedPackages(packages []finding.Package) []*finding.Package {
	all := make([]*finding.Package, len(packages))
	for i := range packages {
		all[i] = &packages[i]
	}
	slices.SortStableFunc(all, func(a, b *finding.Package) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version),
			cmp.Compare(a.Path, b.Path), cmp.Compare(a.Arch, b.Arch))
	})
	return all
}

func sortedByCount(m map[string]int) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a, b)) })
	return keys
}

// thousands is n with commas: 45,012.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
