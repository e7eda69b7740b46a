package report

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"

	"github.com/seawall/seawall/finding"
)

//go:embed page/page.html
var pageHTML string

//go:embed page/page.css
var pageCSS string

//go:embed page/page.js
var pageJS string

var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Parse(pageHTML))
})

// writeHTML writes one page that loads nothing: its content security policy allows exactly the style and the script
// that it carries, by their hashes. Without the script it shows the same rows; sorting and filtering need it.
func writeHTML(w io.Writer, results []finding.Result, _ Options) error {
	p := htmlPage{
		Title:  "Seawall report",
		Policy: "default-src 'none'; base-uri 'none'; form-action 'none'; style-src " + source(pageCSS) + "; script-src " + source(pageJS),
		CSS:    template.CSS(pageCSS),
		JS:     template.JS(pageJS),
	}
	for i := range results {
		p.Images = append(p.Images, newHTMLImage(&results[i]))
	}
	if len(results) > 0 {
		p.Title = Printable(results[0].Inventory.Image.Ref) + " · Seawall report"
		p.Footer = Printable(results[0].Tool) + " · scanned " + stamp(results[0].ScannedAt)
	}
	var b strings.Builder
	if err := pageTemplate().Execute(&b, p); err != nil {
		return err
	}
	return writeVisible(w, b.String())
}

// writeVisible writes text line by line with every control character and bidirectional override made visible: escaped
// markup cannot run, but it could still show other words than it holds.
func writeVisible(w io.Writer, text string) error {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(Printable(strings.TrimSuffix(line, "\n")) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// source is text as a source expression of Content Security Policy 3, section 2.3.1.
func source(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

type htmlPage struct {
	Title, Policy, Footer string
	CSS                   template.CSS
	JS                    template.JS
	Images                []htmlImage
}

type htmlImage struct {
	Image                               finding.Image
	Distro, Packages, Database, Scanned string
	Nothing                             string
	Gaps                                []gap
	Verdict                             *finding.Verdict
	Tiles                               []htmlTile
	Upgrades                            []htmlUpgrade
	Sections                            []htmlSection
	Secrets                             []htmlSecret
	Checks                              []htmlCheck
	Layers                              []finding.Layer
	List                                []*finding.Package
}

type htmlTile struct {
	Name string
	N    int
}

type htmlUpgrade struct {
	Text   string
	Total  int
	Counts string
}

type htmlSection struct {
	Heading string
	Closed  bool
	Rows    []htmlRow
}

type htmlRow struct {
	Severity                  finding.Severity
	Rank                      int
	Score, ID, Link           string
	Package, Installed, Fixed string
	HasFix                    bool
	KEV, EPSS                 string
	RiskRank                  float64
	Where, Layer, Title, Note string
}

type htmlSecret struct {
	finding.Secret
	Rank        int
	Place, Note string
}

type htmlCheck struct {
	finding.Check
	Rank int
	Note string
}

func newHTMLImage(r *finding.Result) htmlImage {
	v := &r.Inventory
	h := htmlImage{
		Image: v.Image, Distro: distroName(&v.Distro), Packages: packagesText(v.Packages), Database: databaseText(r),
		Scanned: stamp(r.ScannedAt), Gaps: gaps(r), Verdict: r.Verdict, Layers: v.Image.Layers, List: sortedPackages(v.Packages),
		Sections: htmlSections(r),
	}
	h.Image.Ref, h.Image.ID = Printable(v.Image.Ref), Printable(v.Image.ID)
	c := counts(r.Findings)
	for _, s := range finding.Severities {
		h.Tiles = append(h.Tiles, htmlTile{s.String(), c.Of(s)})
	}
	if c.Total() == 0 {
		h.Nothing = strings.TrimSpace((&page{}).nothing(r))
	}
	for i := range r.Upgrades[:min(len(r.Upgrades), maxUpgrades)] {
		u := &r.Upgrades[i]
		h.Upgrades = append(h.Upgrades, htmlUpgrade{upgradeText(u), u.Fixes.Total(), countsText(u.Fixes)})
	}
	for _, s := range v.Secrets {
		h.Secrets = append(h.Secrets, htmlSecret{s, int(s.Severity), Printable(secretPlace(&s)), Printable(secretNote(&s))})
	}
	for _, c := range v.Checks {
		h.Checks = append(h.Checks, htmlCheck{c, int(c.Severity), suppressedNote(c.Suppressed)})
	}
	return h
}

// maxUpgrades is how many changes the page proposes: a list that nobody finishes helps nobody.
const maxUpgrades = 10

func suppressedNote(s *finding.Suppression) string {
	if s == nil {
		return ""
	}
	note := "set aside by " + string(s.Source) + ": " + cmp.Or(s.Reason, "no reason given")
	if s.Owner != "" {
		note += " (" + s.Owner + ")"
	}
	if !s.Expires.IsZero() {
		note += ", until " + s.Expires.UTC().Format("2006-01-02")
	}
	return Printable(note)
}

// htmlSections are those of the table with everything shown: what is set aside is there, closed.
func htmlSections(r *finding.Result) []htmlSection {
	var out []htmlSection
	for i, s := range (&page{o: Options{All: true}}).sections(r) {
		if s.count == 0 {
			continue
		}
		h := htmlSection{Heading: fmt.Sprintf("%s: %s", s.heading, plural(s.count, "finding")), Closed: i >= 2}
		for _, row := range s.rows {
			h.Rows = append(h.Rows, newHTMLRow(row))
		}
		out = append(out, h)
	}
	return out
}

func newHTMLRow(r row) htmlRow {
	f := r.Finding
	h := htmlRow{
		Severity: f.Severity, Rank: int(f.Severity), ID: Printable(f.ID), Link: link(f), Package: Printable(f.Package.Name),
		Installed: Printable(f.Package.Version), Fixed: Printable(fixedText(f)), HasFix: f.Fixed != "",
		Where: Printable(where(f)), Title: Printable(f.Title), Note: suppressedNote(f.Suppressed),
	}
	if r.also > 0 {
		h.Package += fmt.Sprintf(" +%d", r.also)
	}
	if f.Score > 0 {
		h.Score = fmt.Sprintf("CVSS %.1f", f.Score)
	}
	if f.EPSS != nil {
		h.EPSS, h.RiskRank = percent(f.EPSS.Score), f.EPSS.Score
	}
	if f.KEV != nil {
		h.KEV = "known to be exploited since " + f.KEV.Added
		h.RiskRank++
	}
	if f.Layer != nil {
		h.Layer = Printable(shorten(strings.TrimSpace(fmt.Sprintf("layer %d %s", f.Layer.Index, f.Layer.CreatedBy)), 200))
	}
	return h
}
