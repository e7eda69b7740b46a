package report

import (
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/report/sbom"
)

// writeCycloneDX writes CycloneDX 1.6 (cyclonedx.org/docs/1.6/json). Packages carry the properties that let package
// sbom make the same inventory again; findings become vulnerabilities, those that are set aside with an analysis.
func writeCycloneDX(w io.Writer, results []finding.Result, o Options) error {
	r, err := single(results)
	if err != nil {
		return err
	}
	bom := cdx.NewBOM()
	bom.SerialNumber = "urn:uuid:" + documentID(r, "cyclonedx")
	bom.Metadata = cdxMetadata(r)
	refs := refsOf(r.Inventory.Packages)
	components := cdxComponents(&r.Inventory, refs)
	bom.Components = &components
	bom.Dependencies = cdxDependencies(r, components)
	if !o.Inventory {
		if v := cdxVulnerabilities(r, refs); len(v) > 0 {
			bom.Vulnerabilities = &v
		}
	}
	e := cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false)
	return e.EncodeVersion(bom, cdx.SpecVersion1_6)
}

const imageRef = "image"

func cdxMetadata(r *finding.Result) *cdx.Metadata {
	image := &r.Inventory.Image
	c := &cdx.Component{
		BOMRef: imageRef, Type: cdx.ComponentTypeContainer, Name: image.Ref, Version: image.ID,
		Properties: cdxProperties(sbom.ImageProperties(&r.Inventory)),
	}
	return &cdx.Metadata{
		Timestamp: stamp(r.ScannedAt),
		Tools: &cdx.ToolsChoice{Components: &[]cdx.Component{
			{Type: cdx.ComponentTypeApplication, Name: toolName, Version: toolVersion(r)},
		}},
		Component:  c,
		Properties: cdxProperties(coverageProperties(r)),
	}
}

// coverageProperties say what was not evaluated, for those who read the vulnerabilities.
func coverageProperties(r *finding.Result) []sbom.Property {
	var all []sbom.Property
	for _, g := range gaps(r) {
		all = append(all, sbom.Property{Name: "seawall:notEvaluated", Value: g.String()})
	}
	return all
}

func cdxProperties(all []sbom.Property) *[]cdx.Property {
	if len(all) == 0 {
		return nil
	}
	out := make([]cdx.Property, len(all))
	for i, p := range all {
		out[i] = cdx.Property{Name: p.Name, Value: p.Value}
	}
	return &out
}

// refsOf names every package: the same name in every document, unless the very same package stands in an image twice.
func refsOf(packages []finding.Package) []string {
	refs := make([]string, len(packages))
	seen := map[string]int{}
	for i := range packages {
		p := &packages[i]
		ref := hex.EncodeToString(hash(p.Type, p.Name, p.Version, p.Arch, p.Path)[:8])
		if seen[ref]++; seen[ref] > 1 {
			ref = fmt.Sprintf("%s-%d", ref, seen[ref])
		}
		refs[i] = ref
	}
	return refs
}

func cdxComponents(v *finding.Inventory, refs []string) []cdx.Component {
	out := []cdx.Component{}
	if d := &v.Distro; d.ID != "" {
		out = append(out, cdx.Component{BOMRef: "os", Type: cdx.ComponentTypeOS, Name: d.ID, Version: d.VersionID, Description: d.Name})
	}
	for i := range v.Packages {
		out = append(out, cdxComponent(&v.Packages[i], refs[i]))
	}
	return out
}

func cdxComponent(p *finding.Package, ref string) cdx.Component {
	c := cdx.Component{
		BOMRef: ref, Type: cdx.ComponentTypeLibrary, Name: p.Name, Version: p.Version, PackageURL: p.PURL,
		Licenses:   cdxLicenses(p.Licenses),
		Properties: cdxProperties(sbom.PackageProperties(p)),
	}
	if p.Path != "" {
		c.Evidence = &cdx.Evidence{Occurrences: &[]cdx.EvidenceOccurrence{{Location: p.Path}}}
	}
	return c
}

// cdxLicenses: the schema takes either one expression alone, or a list of ids and names.
func cdxLicenses(all []string) *cdx.Licenses {
	if len(all) == 0 {
		return nil
	}
	if len(all) == 1 && !isLicenseID(all[0]) && isExpression(all[0]) {
		return &cdx.Licenses{{Expression: all[0]}}
	}
	var out cdx.Licenses
	for _, l := range all {
		switch {
		case isLicenseID(l):
			out = append(out, cdx.LicenseChoice{License: &cdx.License{ID: l}})
		case l != "":
			out = append(out, cdx.LicenseChoice{License: &cdx.License{Name: l}})
		}
	}
	return &out
}

// cdxDependencies: the image depends on all that is in it. What packages need of each other is not known.
func cdxDependencies(r *finding.Result, components []cdx.Component) *[]cdx.Dependency {
	var refs []string
	for _, c := range components {
		refs = append(refs, c.BOMRef)
	}
	if len(refs) == 0 {
		return nil
	}
	return &[]cdx.Dependency{{Ref: imageRef, Dependencies: &refs}}
}

// cdxVulnerabilities merges findings with the same id and the same standing into one vulnerability that affects
// several packages.
func cdxVulnerabilities(r *finding.Result, refs []string) []cdx.Vulnerability {
	affected := affects(r, refs)
	place := map[string]int{}
	var out []cdx.Vulnerability
	for i := range r.Findings {
		f := &r.Findings[i]
		k := strings.Join([]string{f.ID, standing(f), f.Vector, f.SeveritySource, f.Severity.String()}, "\x00")
		at, ok := place[k]
		if !ok {
			at = len(out)
			place[k] = at
			out = append(out, cdxVulnerability(f, k))
		}
		for _, ref := range affected(f) {
			addAffects(&out[at], ref, f)
		}
	}
	return out
}

// affects finds the components of a finding: all that are the same package at the same version and in the same layer.
func affects(r *finding.Result, refs []string) func(*finding.Finding) []string {
	key := func(p *finding.Package, l *finding.LayerRef) string {
		layer := ""
		if l != nil {
			layer = l.DiffID
		}
		return strings.Join([]string{p.Type, p.Name, p.Version, p.Arch, layer}, "\x00")
	}
	by := map[string][]string{}
	for i := range r.Inventory.Packages {
		p := &r.Inventory.Packages[i]
		by[key(p, p.Layer)] = append(by[key(p, p.Layer)], refs[i])
	}
	return func(f *finding.Finding) []string {
		if found := by[key(&f.Package, f.Layer)]; len(found) > 0 {
			return found
		}
		return []string{imageRef}
	}
}

func standing(f *finding.Finding) string {
	switch {
	case f.Suppressed != nil:
		return "suppressed\x00" + f.Suppressed.Reason
	case f.KernelHeaders:
		return "headers"
	}
	return ""
}

func addAffects(v *cdx.Vulnerability, ref string, f *finding.Finding) {
	if slices.ContainsFunc(*v.Affects, func(a cdx.Affects) bool { return a.Ref == ref }) {
		return
	}
	versions := []cdx.AffectedVersions{{Version: f.Package.Version, Status: cdx.VulnerabilityStatusAffected}}
	if f.Fixed != "" {
		versions = append(versions, cdx.AffectedVersions{Version: f.Fixed, Status: cdx.VulnerabilityStatusNotAffected})
	}
	*v.Affects = append(*v.Affects, cdx.Affects{Ref: ref, Range: &versions})
}

func cdxVulnerability(f *finding.Finding, key string) cdx.Vulnerability {
	v := cdx.Vulnerability{
		BOMRef:         "vulnerability-" + hex.EncodeToString(hash(key)[:8]),
		ID:             f.ID,
		Source:         &cdx.Source{URL: link(f)},
		Description:    title(f),
		Recommendation: advice(f),
		Ratings:        &[]cdx.VulnerabilityRating{cdxRating(f)},
		CWEs:           cdxCWEs(f.CWE),
		Affects:        &[]cdx.Affects{},
		Analysis:       cdxAnalysis(f),
		Properties:     cdxProperties(riskProperties(f)),
	}
	if len(f.Aliases) > 0 {
		refs := []cdx.VulnerabilityReference{}
		for _, a := range f.Aliases {
			refs = append(refs, cdx.VulnerabilityReference{ID: a, Source: &cdx.Source{Name: publisher(a)}})
		}
		v.References = &refs
	}
	if !f.Published.IsZero() {
		v.Published = stamp(f.Published)
	}
	if !f.Modified.IsZero() {
		v.Updated = stamp(f.Modified)
	}
	return v
}

// publisher is who gives ids of this form: the part before the first dash.
func publisher(id string) string {
	p, _, _ := strings.Cut(id, "-")
	return p
}

func cdxRating(f *finding.Finding) cdx.VulnerabilityRating {
	x := cdx.VulnerabilityRating{Severity: cdxSeverity(f.Severity), Vector: f.Vector}
	if f.SeveritySource != "" {
		x.Source = &cdx.Source{Name: f.SeveritySource}
	}
	if f.Score > 0 {
		x.Score = &f.Score
		x.Method = cdxMethod(f.Vector)
	}
	return x
}

func cdxSeverity(s finding.Severity) cdx.Severity {
	switch s {
	case finding.SeverityCritical:
		return cdx.SeverityCritical
	case finding.SeverityHigh:
		return cdx.SeverityHigh
	case finding.SeverityMedium:
		return cdx.SeverityMedium
	case finding.SeverityLow:
		return cdx.SeverityLow
	case finding.SeverityNegligible:
		return cdx.SeverityInfo
	}
	return cdx.SeverityUnknown
}

func cdxMethod(vector string) cdx.ScoringMethod {
	switch {
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		return cdx.ScoringMethodCVSSv4
	case strings.HasPrefix(vector, "CVSS:3.1/"):
		return cdx.ScoringMethodCVSSv31
	case strings.HasPrefix(vector, "CVSS:3.0/"):
		return cdx.ScoringMethodCVSSv3
	case strings.HasPrefix(vector, "AV:"):
		return cdx.ScoringMethodCVSSv2
	}
	return cdx.ScoringMethodOther
}

func cdxCWEs(all []string) *[]int {
	var out []int
	for _, c := range all {
		var n int
		if _, err := fmt.Sscanf(c, "CWE-%d", &n); err == nil && n > 0 {
			out = append(out, n)
		}
	}
	if out == nil {
		return nil
	}
	return &out
}

func cdxAnalysis(f *finding.Finding) *cdx.VulnerabilityAnalysis {
	switch s := f.Suppressed; {
	case s != nil && s.Source == finding.SourceVEX:
		return &cdx.VulnerabilityAnalysis{State: cdx.IASNotAffected, Detail: s.Reason}
	case s != nil:
		return &cdx.VulnerabilityAnalysis{State: cdx.IASExploitable, Detail: "set aside by " + string(s.Source) + ": " + s.Reason,
			Response: &[]cdx.ImpactAnalysisResponse{cdx.IARWillNotFix}}
	case f.KernelHeaders:
		return &cdx.VulnerabilityAnalysis{State: cdx.IASNotAffected, Justification: cdx.IAJCodeNotPresent, Detail: headersReason}
	}
	return nil
}

func riskProperties(f *finding.Finding) []sbom.Property {
	var all []sbom.Property
	if f.KEV != nil {
		all = append(all, sbom.Property{Name: "seawall:kev:added", Value: f.KEV.Added})
	}
	if f.EPSS != nil {
		all = append(all, sbom.Property{Name: "seawall:epss:score", Value: fmt.Sprintf("%.5f", f.EPSS.Score)})
	}
	if f.State != "" {
		all = append(all, sbom.Property{Name: "seawall:state", Value: string(f.State)})
	}
	return all
}
