package report

import (
	"cmp"
	"io"
	"slices"
	"strings"

	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/report/sbom"
)

// writeSPDX writes SPDX 2.3 (spdx.github.io/spdx-spec/v2.3). SPDX 2 has no place for vulnerabilities: findings are
// left out. Annotations carry what lets package sbom make the same inventory again.
func writeSPDX(w io.Writer, results []finding.Result, _ Options) error {
	r, err := single(results)
	if err != nil {
		return err
	}
	s := spdxWriter{created: stamp(r.ScannedAt), tool: toolName + "-" + toolVersion(r), licenses: map[string]string{}}
	doc := &spdx.Document{
		SPDXVersion:       spdx.Version,
		DataLicense:       spdx.DataLicense,
		SPDXIdentifier:    "DOCUMENT",
		DocumentName:      cmp.Or(r.Inventory.Image.Ref, r.Inventory.Image.ID),
		DocumentNamespace: "urn:uuid:" + documentID(r, "spdx"),
		CreationInfo:      &spdx.CreationInfo{Creators: []common.Creator{{Creator: s.tool, CreatorType: "Tool"}}, Created: s.created},
	}
	s.image(doc, r)
	for i, ref := range refsOf(r.Inventory.Packages) {
		s.add(doc, s.pkg(&r.Inventory.Packages[i], ref))
	}
	doc.OtherLicenses = s.otherLicenses()
	return spdxjson.Write(doc, w, spdxjson.Indent("  "), spdxjson.EscapeHTML(false))
}

type spdxWriter struct {
	created, tool string
	// licenses are those that are not on the SPDX list: LicenseRef to text.
	licenses map[string]string
}

const (
	spdxImage   = "Image"
	noAssertion = "NOASSERTION"
)

func (s *spdxWriter) image(doc *spdx.Document, r *finding.Result) {
	v := &r.Inventory
	p := s.base(spdxImage, cmp.Or(v.Image.Ref, v.Image.ID), v.Image.ID)
	p.PrimaryPackagePurpose = "CONTAINER"
	if digest, ok := strings.CutPrefix(v.Image.ID, "sha256:"); ok {
		p.PackageChecksums = []common.Checksum{{Algorithm: common.SHA256, Value: digest}}
	}
	p.Annotations = []spdx.Annotation{s.annotation(sbom.EncodeProperties(sbom.ImageProperties(v)))}
	doc.Packages = append(doc.Packages, p)
	doc.Relationships = append(doc.Relationships, &spdx.Relationship{
		RefA: common.MakeDocElementID("", "DOCUMENT"), RefB: common.MakeDocElementID("", spdxImage), Relationship: "DESCRIBES",
	})
	if v.Distro.ID != "" {
		os := s.base("OperatingSystem", v.Distro.ID, v.Distro.VersionID)
		os.PrimaryPackagePurpose = "OPERATING_SYSTEM"
		s.add(doc, os)
	}
}

func (s *spdxWriter) add(doc *spdx.Document, p *spdx.Package) {
	doc.Packages = append(doc.Packages, p)
	doc.Relationships = append(doc.Relationships, &spdx.Relationship{
		RefA: common.MakeDocElementID("", spdxImage), RefB: common.MakeDocElementID("", string(p.PackageSPDXIdentifier)), Relationship: "CONTAINS",
	})
}

// base is a package with everything that the specification demands.
func (s *spdxWriter) base(id, name, version string) *spdx.Package {
	return &spdx.Package{
		PackageName: name, PackageSPDXIdentifier: common.ElementID(id), PackageVersion: version,
		PackageDownloadLocation: noAssertion, PackageLicenseConcluded: noAssertion, PackageLicenseDeclared: noAssertion,
		PackageCopyrightText: noAssertion, PackageSupplier: &common.Supplier{Supplier: noAssertion},
	}
}

func (s *spdxWriter) pkg(f *finding.Package, ref string) *spdx.Package {
	p := s.base("Package-"+ref, cmp.Or(f.Name, "unnamed"), f.Version)
	p.PrimaryPackagePurpose = "LIBRARY"
	p.PackageLicenseDeclared = s.license(f.Licenses)
	if f.PURL != "" {
		p.PackageExternalReferences = []*spdx.PackageExternalReference{{Category: "PACKAGE-MANAGER", RefType: "purl", Locator: f.PURL}}
	}
	if f.Path != "" {
		p.PackageSourceInfo = "found in " + f.Path
	}
	p.Annotations = []spdx.Annotation{s.annotation(sbom.EncodeProperties(sbom.PackageProperties(f)))}
	return p
}

func (s *spdxWriter) annotation(text string) spdx.Annotation {
	return spdx.Annotation{
		Annotator:         common.Annotator{Annotator: s.tool, AnnotatorType: "Tool"},
		AnnotationDate:    s.created,
		AnnotationType:    "OTHER",
		AnnotationComment: text,
	}
}

// license joins licences into one expression; texts that are not on the list become references.
func (s *spdxWriter) license(all []string) string {
	var parts []string
	for _, l := range all {
		switch {
		case l == "":
			continue
		case isLicenseID(l):
		case isExpression(l):
			if len(all) > 1 {
				l = "(" + l + ")"
			}
		default:
			ref := licenseRef(l)
			s.licenses[ref] = l
			l = ref
		}
		if !slices.Contains(parts, l) {
			parts = append(parts, l)
		}
	}
	return cmp.Or(strings.Join(parts, " AND "), noAssertion)
}

func (s *spdxWriter) otherLicenses() []*spdx.OtherLicense {
	var out []*spdx.OtherLicense
	for ref, text := range s.licenses {
		out = append(out, &spdx.OtherLicense{LicenseIdentifier: ref, ExtractedText: text, LicenseName: noAssertion})
	}
	slices.SortFunc(out, func(a, b *spdx.OtherLicense) int { return cmp.Compare(a.LicenseIdentifier, b.LicenseIdentifier) })
	return out
}
