package trust

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Predicate types that are known by a short name, without their versions.
const (
	predicateCycloneDX  = "https://cyclonedx.org/bom"
	predicateSPDX       = "https://spdx.dev/Document"
	predicateProvenance = "https://slsa.dev/provenance"
	predicateCosignVuln = "https://cosign.sigstore.dev/attestation/vuln"
	predicateVulns      = "https://in-toto.io/attestation/vulns"
)

// predicateNames are Cosign's short names of predicate types.
var predicateNames = map[string]string{
	"cyclonedx":       predicateCycloneDX,
	"spdx":            predicateSPDX,
	"spdxjson":        predicateSPDX,
	"slsaprovenance":  predicateProvenance + "/v0.2",
	"slsaprovenance1": predicateProvenance + "/v1",
	"vuln":            predicateCosignVuln + "/v1",
	"openvex":         "https://openvex.dev/ns",
	"link":            "https://in-toto.io/Link/v1",
	"custom":          "https://cosign.sigstore.dev/attestation/v1",
}

// PredicateType resolves one of Cosign's short names: cyclonedx, spdx, spdxjson, slsaprovenance, slsaprovenance1, vuln,
// openvex, link, custom. Anything with a colon is a predicate type itself.
func PredicateType(name string) (string, error) {
	if t, ok := predicateNames[name]; ok {
		return t, nil
	}
	if strings.Contains(name, ":") {
		return name, nil
	}
	return "", fmt.Errorf("unknown predicate type %q: want a URI, or one of %s", name, strings.Join(slices.Sorted(maps.Keys(predicateNames)), ", "))
}

func isSBOM(t string) bool { return versionOf(t, predicateCycloneDX) || versionOf(t, predicateSPDX) }

func isProvenance(t string) bool { return versionOf(t, predicateProvenance) }

func isScan(t string) bool { return versionOf(t, predicateCosignVuln) || versionOf(t, predicateVulns) }

// versionOf reports whether t is base, or base with a version behind it: "…/v1".
func versionOf(t, base string) bool {
	rest, ok := strings.CutPrefix(t, base)
	return ok && (rest == "" || strings.HasPrefix(rest, "/v") && len(rest) > 2 && rest[2] >= '0' && rest[2] <= '9')
}

// wants reports whether a predicate type is the one that is demanded.
func (d *demand) wants(t string) bool {
	switch d.Predicate {
	case PredicateSBOM:
		return isSBOM(t)
	case PredicateProvenance:
		return isProvenance(t)
	case PredicateScan:
		return isScan(t)
	}
	return t == d.Predicate
}

// predicate holds what is looked at of the predicates that are known: SLSA provenance v0.2 and v1, Cosign's vulnerability
// scan, in-toto's vulns, CycloneDX and SPDX.
type predicate struct {
	Builder    named `json:"builder"`
	RunDetails struct {
		Builder  named `json:"builder"`
		Metadata struct {
			Started  string `json:"startedOn"`
			Finished string `json:"finishedOn"`
		} `json:"metadata"`
	} `json:"runDetails"`
	Metadata struct {
		BuildStarted  string `json:"buildStartedOn"`
		BuildFinished string `json:"buildFinishedOn"`
		ScanStarted   string `json:"scanStartedOn"`
		ScanFinished  string `json:"scanFinishedOn"`
		Timestamp     string `json:"timestamp"`
	} `json:"metadata"`
	CreationInfo struct {
		Created string `json:"created"`
	} `json:"creationInfo"`
	BOMFormat   string `json:"bomFormat"`
	SPDXVersion string `json:"spdxVersion"`
}

type named struct {
	ID string `json:"id"`
}

func parsePredicate(s *statement) predicate {
	var p predicate
	// What does not have the form lacks what is looked for, and fails by that.
	if err := json.Unmarshal(s.Predicate, &p); err != nil {
		return predicate{}
	}
	return p
}

func builderID(s *statement) string {
	p := parsePredicate(s)
	if p.RunDetails.Builder.ID != "" {
		return p.RunDetails.Builder.ID
	}
	return p.Builder.ID
}

// holdsSBOM reports whether the predicate is a document; SPDX may also be tag-value text.
func holdsSBOM(s *statement) bool {
	var text string
	if json.Unmarshal(s.Predicate, &text) == nil {
		return strings.Contains(text, "SPDXVersion:")
	}
	p := parsePredicate(s)
	return p.BOMFormat == "CycloneDX" || p.SPDXVersion != "" || strings.Contains(string(s.Predicate), `"@graph"`)
}

// predicateTime is when the predicate says that what it speaks of was finished; zero where it does not.
func predicateTime(s *statement) time.Time {
	p := parsePredicate(s)
	for _, text := range []string{p.RunDetails.Metadata.Finished, p.RunDetails.Metadata.Started, p.Metadata.ScanFinished, p.Metadata.ScanStarted,
		p.Metadata.BuildFinished, p.Metadata.BuildStarted, p.Metadata.Timestamp, p.CreationInfo.Created} {
		if t, err := time.Parse(time.RFC3339, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
