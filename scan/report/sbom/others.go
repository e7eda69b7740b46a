package sbom

import (
	"strings"

	"github.com/seawall/seawall/finding"
)

// Syft and Trivy write what CycloneDX has no field for into properties of their own. Only what findings depend on is
// read here.

// others fills p from the properties of other tools, where they say more than the package URL.
func others(p *finding.Package, properties []Property) {
	known := map[string]string{}
	for _, q := range properties {
		if _, twice := known[q.Name]; !twice {
			known[q.Name] = q.Value
		}
	}
	syftProperties(p, known)
	trivyProperties(p, known)
}

func syftProperties(p *finding.Package, known map[string]string) {
	path := known["syft:location:0:path"]
	setIf(&p.Path, strings.TrimPrefix(path, "/"))
	switch p.Type {
	case "deb":
		setIf(&p.SourceName, known["syft:metadata:source"])
		setIf(&p.SourceVersion, known["syft:metadata:sourceVersion"])
	case "apk":
		setIf(&p.SourceName, known["syft:metadata:originPackage"])
	case "rpm":
		setIf(&p.Modularity, known["syft:metadata:modularityLabel"])
		if nvr, ok := strings.CutSuffix(known["syft:metadata:sourceRpm"], ".rpm"); ok {
			p.SourceName, p.SourceVersion = splitNVR(nvr)
		}
	}
}

const trivy = "aquasecurity:trivy:"

func trivyProperties(p *finding.Package, known map[string]string) {
	setIf(&p.Path, strings.TrimPrefix(known[trivy+"FilePath"], "/"))
	setIf(&p.Modularity, known[trivy+"Modularitylabel"])
	if !isOS(p.Type) || known[trivy+"SrcName"] == "" {
		return
	}
	p.SourceName = known[trivy+"SrcName"]
	if v := known[trivy+"SrcVersion"]; v != "" {
		if r := known[trivy+"SrcRelease"]; r != "" {
			v += "-" + r
		}
		if e := known[trivy+"SrcEpoch"]; e != "" && e != "0" {
			v = e + ":" + v
		}
		p.SourceVersion = v
	}
}

func setIf(to *string, v string) {
	if v != "" {
		*to = v
	}
}
