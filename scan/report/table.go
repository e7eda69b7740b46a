package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/seawall/seawall/finding"
)

// page is a table report in the making.
type page struct {
	strings.Builder
	palette
	o Options
}

func writeTable(w io.Writer, results []finding.Result, o Options) error {
	p := &page{palette: palette(o.Color), o: o}
	for i := range results {
		if i > 0 {
			p.WriteString("\n" + p.dim(strings.Repeat("─", p.rule())) + "\n\n")
		}
		if o.Inventory {
			p.packages(&results[i])
		} else {
			p.result(&results[i])
		}
	}
	_, err := io.WriteString(w, p.String())
	return err
}

func (p *page) rule() int {
	if p.o.Width > 0 {
		return min(p.o.Width, 100)
	}
	return 72
}

// result writes one image: what could not be looked at comes before everything else, what to do next comes last.
func (p *page) result(r *finding.Result) {
	p.header(r)
	p.gaps(r)
	p.verdict(r.Verdict)
	p.summary(r)
	p.findings(r)
	p.secrets(r.Inventory.Secrets)
	p.checks(r.Inventory.Checks)
	p.upgrades(r.Upgrades)
	p.reminder(r)
	p.next(r)
}

func (p *page) header(r *finding.Result) {
	image := &r.Inventory.Image
	line := p.bold(Printable(image.Ref))
	for _, s := range []string{shortDigest(image.ID), image.Platform} {
		if s != "" && s != image.Ref {
			line += "  " + p.dim(Printable(s))
		}
	}
	p.WriteString(line + "\n")
	facts := []string{distroName(&r.Inventory.Distro), packagesText(r.Inventory.Packages)}
	if !p.o.Inventory {
		facts = append(facts, databaseText(r))
	}
	p.wrap("", strings.Join(facts, " · "))
}

func shortDigest(id string) string {
	const short = len("sha256:") + 12
	if len(id) > short {
		return id[:short]
	}
	return id
}

func distroName(d *finding.Distro) string {
	switch {
	case d.Name != "":
		return Printable(d.Name)
	case d.ID != "":
		return Printable(strings.TrimSpace(d.ID + " " + d.VersionID))
	}
	return "no distribution"
}

func packagesText(packages []finding.Package) string {
	if len(packages) == 0 {
		return "no packages"
	}
	byType := map[string]int{}
	for i := range packages {
		byType[packages[i].Type]++
	}
	var parts []string
	for _, t := range sortedByCount(byType) {
		parts = append(parts, fmt.Sprintf("%s %s", thousands(byType[t]), Printable(t)))
	}
	if len(parts) == 1 {
		return plural(len(packages), Printable(packages[0].Type)+" package")
	}
	if len(parts) > 6 {
		parts = append(parts[:5], fmt.Sprintf("%d other types", len(parts)-5))
	}
	return plural(len(packages), "package") + " (" + strings.Join(parts, ", ") + ")"
}

func databaseText(r *finding.Result) string {
	d := &r.Database
	switch {
	case d.Starter:
		return fmt.Sprintf("starter database only (%s)", plural(d.Records, "advisory record"))
	case d.Digest == "" && d.Records == 0:
		return "no advisory database"
	}
	s := fmt.Sprintf("%s advisory records", thousands(d.Records))
	if !d.BuiltAt.IsZero() {
		s += " of " + d.BuiltAt.UTC().Format("2006-01-02") + ", " + age(r.ScannedAt.Sub(d.BuiltAt))
	}
	return s
}

func age(d time.Duration) string {
	switch {
	case d < time.Hour:
		return "fresh"
	case d < 48*time.Hour:
		return plural(int(d.Hours()), "hour") + " old"
	}
	return plural(int(d.Hours()/24), "day") + " old"
}

func (p *page) gaps(r *finding.Result) {
	all := gaps(r)
	if len(all) == 0 {
		return
	}
	p.WriteString("\n" + p.paint("1;33", "NOT EVALUATED") + p.paint(yellow, ": this report is not complete, what follows is only a part") + "\n")
	g := grid{columns: []column{
		{head: "WHY", paint: func(_ int, s string) string { return p.paint(yellow, s) }},
		{head: "WHERE", max: 60, min: 12, left: true},
		{head: "WHAT", min: 20},
	}}
	const most = 12
	for i, x := range all {
		if i == most && !p.o.All && len(all) > most+1 {
			break
		}
		g.rows = append(g.rows, []string{Printable(string(x.Kind)), Printable(x.Where), Printable(x.Detail)})
	}
	g.write(&p.Builder, p.o.Width, p.dim)
	if rest := len(all) - len(g.rows); rest > 0 {
		p.WriteString(indent + p.dim(fmt.Sprintf("and %d more: --all lists them", rest)) + "\n")
	}
}

func (p *page) verdict(v *finding.Verdict) {
	if v == nil {
		return
	}
	p.WriteString("\n" + p.decision(v.Decision, strings.ToUpper(strings.ReplaceAll(string(v.Decision), "-", " "))))
	note := "  gate: " + Printable(v.Policy)
	if v.SetApart > 0 {
		note += ", which leaves " + plural(v.SetApart, "finding") + " out"
	}
	p.WriteString(p.dim(note) + "\n")
	for _, reason := range v.Reasons {
		mark := p.decision(reason.Decision, fmt.Sprintf("%-13s", reason.Decision))
		text := Printable(reason.Message)
		if ids := idList(reason.IDs, 4); ids != "" && !saysAlready(text, reason.IDs) {
			text += " (" + ids + ")"
		}
		p.hanging(mark, text+" "+p.dim("["+Printable(reason.Rule)+"]"))
	}
}

// saysAlready reports whether a reason's message names what is behind it by itself.
func saysAlready(text string, ids []string) bool { return strings.Contains(text, Printable(ids[0])) }

// longReport is how many findings it takes until the top of the report has scrolled away.
const longReport = 20

// reminder repeats at the end of a long report, in a line, what its top said.
func (p *page) reminder(r *finding.Result) {
	if len(r.Findings) < longReport {
		return
	}
	var parts []string
	if v := r.Verdict; v != nil {
		parts = append(parts, p.decision(v.Decision, strings.ToUpper(strings.ReplaceAll(string(v.Decision), "-", " "))))
	}
	if text := countsText(counts(r.Findings)); text != "" {
		parts = append(parts, text)
	}
	if n := len(gaps(r)); n > 0 {
		parts = append(parts, p.paint(yellow, plural(n, "part")+" not evaluated"))
	}
	if len(parts) > 0 {
		p.WriteString("\n" + strings.Join(parts, "  ") + "\n")
	}
}

// hanging writes text after a mark of thirteen columns, broken between words where it would pass the terminal's width.
func (p *page) hanging(mark, text string) {
	const start = len(indent) + 13 + 1
	p.WriteString(indent + mark + " ")
	at := start
	for i, word := range strings.Split(text, " ") {
		n := cells(uncolored(word))
		switch {
		case i == 0:
		case p.o.Width > 0 && at+1+n > p.o.Width:
			p.WriteString("\n" + strings.Repeat(" ", start))
			at = start
		default:
			p.WriteString(" ")
			at++
		}
		p.WriteString(word)
		at += n
	}
	p.WriteString("\n")
}

func idList(ids []string, most int) string {
	var parts []string
	for i, id := range ids {
		if i == most {
			parts = append(parts, fmt.Sprintf("%d more", len(ids)-most))
			break
		}
		parts = append(parts, Printable(id))
	}
	return strings.Join(parts, ", ")
}

// summary is the line of counts.
func (p *page) summary(r *finding.Result) {
	c := counts(r.Findings)
	p.WriteString("\n")
	if c.Total() == 0 {
		p.WriteString(p.nothing(r))
	}
	var parts []string
	for _, s := range finding.Severities {
		if n := c.Of(s); n > 0 {
			parts = append(parts, p.severity(s, fmt.Sprintf("%s %s", thousands(n), s)))
		}
	}
	aside := asideText(r.Findings)
	line := strings.Join(parts, "  ")
	if aside != "" {
		line += p.dim(strings.Repeat("  ", min(1, len(parts))) + aside)
	}
	if line != "" {
		p.WriteString(line + "\n")
	}
}

func (p *page) nothing(r *finding.Result) string {
	switch {
	case !r.Inventory.Scanned.Packages:
		return p.paint(yellow, "Packages were not looked for (--scanners vuln).") + "\n"
	case len(r.Inventory.Packages) == 0:
		return p.paint(yellow, "No packages were found: there was nothing to look up.") + "\n"
	case len(gaps(r)) > 0:
		return p.paint(yellow, "No known vulnerabilities in the part that was evaluated.") + "\n"
	}
	return p.paint(green, "No known vulnerabilities in "+plural(len(r.Inventory.Packages), "package")+".") + "\n"
}

// asideText counts what is not listed: "+ 3 suppressed, 40 of kernel headers".
func asideText(findings []finding.Finding) string {
	suppressed, headers := 0, 0
	for i := range findings {
		switch f := &findings[i]; {
		case f.Suppressed != nil:
			suppressed++
		case f.KernelHeaders:
			headers++
		}
	}
	var parts []string
	if suppressed > 0 {
		parts = append(parts, thousands(suppressed)+" suppressed")
	}
	if headers > 0 {
		parts = append(parts, thousands(headers)+" of kernel headers")
	}
	if len(parts) == 0 {
		return ""
	}
	return "+ " + strings.Join(parts, ", ") + " (--all lists them)"
}

// wrap writes text, broken at " · " where it would pass the terminal's width.
func (p *page) wrap(prefix, text string) {
	line := prefix
	for i, part := range strings.Split(text, " · ") {
		switch {
		case i == 0:
			line += part
		case p.o.Width > 0 && cells(line)+3+cells(part) > p.o.Width:
			p.WriteString(line + "\n")
			line = prefix + part
		default:
			line += " · " + part
		}
	}
	p.WriteString(line + "\n")
}
