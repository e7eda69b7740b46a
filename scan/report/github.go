package report

import (
	"cmp"
	"io"
	"strings"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/report/sbom"
)

// The snapshot of GitHub's dependency submission API (docs.github.com/rest/dependency-graph/dependency-submission).

type githubSnapshot struct {
	Version   int                       `json:"version"`
	SHA       string                    `json:"sha"`
	Ref       string                    `json:"ref"`
	Job       githubJob                 `json:"job"`
	Detector  githubDetector            `json:"detector"`
	Scanned   string                    `json:"scanned"`
	Metadata  map[string]string         `json:"metadata,omitempty"`
	Manifests map[string]githubManifest `json:"manifests"`
}

type githubJob struct {
	ID         string `json:"id"`
	Correlator string `json:"correlator"`
	URL        string `json:"html_url,omitempty"`
}

type githubDetector struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	URL     string `json:"url"`
}

type githubManifest struct {
	Name     string                      `json:"name"`
	Metadata map[string]string           `json:"metadata,omitempty"`
	Resolved map[string]githubDependency `json:"resolved"`
}

type githubDependency struct {
	PURL         string `json:"package_url"`
	Relationship string `json:"relationship"`
	Scope        string `json:"scope"`
}

// writeGitHub writes one manifest for each file of each image that lists packages. GitHub makes its own alerts from
// the packages; findings are not part of a snapshot. Packages without a package URL are left out: the API refuses them.
func writeGitHub(w io.Writer, results []finding.Result, o Options) error {
	s := githubSnapshot{
		SHA: o.GitHub.SHA, Ref: o.GitHub.Ref,
		Job:       githubJob{ID: o.GitHub.Job, Correlator: cmp.Or(o.GitHub.Correlator, "seawall"), URL: o.GitHub.URL},
		Detector:  githubDetector{Name: toolName, Version: "unknown", URL: toolURL},
		Manifests: map[string]githubManifest{},
	}
	for i := range results {
		r := &results[i]
		if i == 0 {
			s.Detector.Version = toolVersion(r)
			s.Scanned = stamp(r.ScannedAt)
		}
		for k := range r.Inventory.Packages {
			s.add(&r.Inventory, &r.Inventory.Packages[k])
		}
	}
	return encode(w, s)
}

func (s *githubSnapshot) add(v *finding.Inventory, p *finding.Package) {
	// What a distribution package installed is patched by the distribution: GitHub knows only upstream's versions.
	if p.PURL == "" || p.OwnedBy != "" {
		return
	}
	name := strings.Join(nonEmpty(v.Image.Ref, v.Image.Platform, cmp.Or(p.Path, p.Type)), ":")
	m, ok := s.Manifests[name]
	if !ok {
		m = githubManifest{Name: name, Resolved: map[string]githubDependency{}, Metadata: githubMetadata(v)}
		s.Manifests[name] = m
	}
	m.Resolved[p.PURL] = githubDependency{PURL: p.PURL, Relationship: "direct", Scope: "runtime"}
}

// githubMetadata is at most eight values: the limit of the API.
func githubMetadata(v *finding.Inventory) map[string]string {
	m := map[string]string{"seawall:image:id": v.Image.ID}
	for _, p := range sbom.ImageProperties(&finding.Inventory{Distro: v.Distro}) {
		if len(m) < 8 {
			m[p.Name] = p.Value
		}
	}
	return m
}

func nonEmpty(all ...string) []string {
	var out []string
	for _, s := range all {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}
