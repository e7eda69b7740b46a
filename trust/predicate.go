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
	// Graph is SPDX 3's.
	Graph json.RawMessage `json:"@graph"`
}

type named struct {
	ID string `json:"id"`
}

// facts are what a policy asks of a predicate.
type facts struct {
	builder string    // of provenance
	at      time.Time // when the predicate says that what it speaks of was finished; zero where it does not
	sbom    bool      // it is a document
}

func factsOf(s *statement) facts {
	var p predicate
	// What does not have the form lacks what is looked for, and fails by that.
	if err := json.Unmarshal(s.Predicate, &p); err != nil {
		p = predicate{}
	}
	f := facts{builder: p.RunDetails.Builder.ID, at: p.time(), sbom: isSBOM(s.PredicateType) && p.isDocument(s.Predicate)}
	if f.builder == "" {
		f.builder = p.Builder.ID
	}
	return f
}

// isDocument tells an SBOM from an empty predicate; SPDX may also be tag-value text.
func (p *predicate) isDocument(raw json.RawMessage) bool {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return strings.Contains(text, "SPDXVersion:")
	}
	return p.BOMFormat == "CycloneDX" || p.SPDXVersion != "" || len(p.Graph) > 0
}

func (p *predicate) time() time.Time {
	for _, text := range []string{p.RunDetails.Metadata.Finished, p.RunDetails.Metadata.Started, p.Metadata.ScanFinished, p.Metadata.ScanStarted,
		p.Metadata.BuildFinished, p.Metadata.BuildStarted, p.Metadata.Timestamp, p.CreationInfo.Created} {
		if t, err := time.Parse(time.RFC3339, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
