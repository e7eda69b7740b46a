package sbom

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/seawall/seawall/finding"
)

// The parts of Syft's own JSON (its schema/json, major versions 3 to 16) that tell about packages.

type syftArtifact struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Version   string          `json:"version"`
	Type      string          `json:"type"`
	PURL      string          `json:"purl"`
	Licenses  json.RawMessage `json:"licenses"`
	Locations []struct {
		Path    string `json:"path"`
		LayerID string `json:"layerID"`
	} `json:"locations"`
	// Metadata differs from type to type.
	Metadata json.RawMessage `json:"metadata"`
}

type syftSource struct {
	Type     string          `json:"type"`
	Name     string          `json:"name"`
	Target   json.RawMessage `json:"target"`
	Metadata json.RawMessage `json:"metadata"`
}

type syftImage struct {
	UserInput      string   `json:"userInput"`
	ImageID        string   `json:"imageID"`
	ManifestDigest string   `json:"manifestDigest"`
	Tags           []string `json:"tags"`
	OS             string   `json:"os"`
	Architecture   string   `json:"architecture"`
	Layers         []struct {
		Digest string `json:"digest"`
		Size   int64  `json:"size"`
	} `json:"layers"`
}

type syftDistro struct {
	PrettyName string `json:"prettyName"`
	Name       string `json:"name"`
	ID         string `json:"id"`
	Version    string `json:"version"`
	VersionID  string `json:"versionID"`
	Codename   string `json:"versionCodename"`
}

type syftRelationship struct {
	Parent string `json:"parent"`
	Child  string `json:"child"`
	Type   string `json:"type"`
}

// syftState is what has to be remembered until the whole document is read.
type syftState struct {
	// places maps artifact ids to places in the inventory's list, layers the same places to layers.
	places map[string]int
	layers map[int]string
	owners []syftRelationship
}

func (b *builder) syft(data []byte) error {
	var source syftSource
	var d syftDistro
	s := syftState{places: map[string]int{}, layers: map[int]string{}}
	err := members(data, map[string]member{
		"source":                into(&source),
		"distro":                into(&d),
		"artifacts":             each(func(a *syftArtifact) error { return b.syftArtifact(a, &s) }),
		"artifactRelationships": each(s.relationship),
	})
	if err != nil {
		return fmt.Errorf("Syft JSON: %w", err)
	}
	b.syftImage(&source)
	b.setDistro(finding.Distro{ID: first(d.ID, d.Name), VersionID: first(d.VersionID, d.Version), Codename: d.Codename, Name: d.PrettyName})
	b.syftEnd(&s)
	return nil
}

func (b *builder) syftArtifact(a *syftArtifact, s *syftState) error {
	p, err := b.add(a.entry())
	if p == nil || err != nil {
		return err
	}
	a.refine(p)
	at := len(b.inv.Packages) - 1
	s.places[a.ID] = at
	if len(a.Locations) > 0 {
		s.layers[at] = a.Locations[0].LayerID
	}
	return nil
}

func (s *syftState) relationship(r *syftRelationship) error {
	if r.Type != ownership {
		return nil
	}
	if len(s.owners) >= maxPackages {
		return fmt.Errorf("more than %d relationships of ownership", maxPackages)
	}
	s.owners = append(s.owners, *r)
	return nil
}

// syftEnd settles owners and layers.
func (b *builder) syftEnd(s *syftState) {
	for _, r := range s.owners {
		parent, ok1 := s.places[r.Parent]
		child, ok2 := s.places[r.Child]
		if ok1 && ok2 {
			b.own(parent, child)
		}
	}
	byID := map[string]finding.LayerRef{}
	for _, l := range b.inv.Image.Layers {
		byID[l.DiffID] = l.LayerRef
	}
	for at, id := range s.layers {
		if ref, ok := byID[id]; ok {
			b.inv.Packages[at].Layer = &ref
		}
	}
}

func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

func (b *builder) syftImage(s *syftSource) {
	raw := s.Metadata
	if len(raw) == 0 {
		raw = s.Target
	}
	var image syftImage
	// Sources other than images (directories, files) have another shape here, which tells nothing that is needed.
	if s.Type != "image" || json.Unmarshal(raw, &image) != nil {
		b.imageRef(s.Name)
		return
	}
	v := &b.inv.Image
	b.imageRef(image.UserInput)
	b.imageDigest(image.ManifestDigest)
	b.imageDigest(image.ImageID)
	v.Tags = image.Tags
	if image.OS != "" && image.Architecture != "" {
		v.Platform = image.OS + "/" + image.Architecture
	}
	for i, l := range image.Layers {
		v.Layers = append(v.Layers, finding.Layer{LayerRef: finding.LayerRef{Index: i, DiffID: l.Digest}, Size: l.Size})
	}
}

func (a *syftArtifact) entry() entry {
	e := entry{name: a.Name, version: a.Version, purl: a.PURL, licenses: syftLicenses(a.Licenses)}
	if len(a.Locations) > 0 {
		e.path = a.Locations[0].Path
	}
	return e
}

type syftLicense struct {
	Value      string `json:"value"`
	Expression string `json:"spdxExpression"`
}

// UnmarshalJSON takes a string for a value: older schemas have only that.
func (l *syftLicense) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &l.Value) == nil {
		return nil
	}
	type plain syftLicense
	return json.Unmarshal(data, (*plain)(l))
}

// syftLicenses reads the licences that are there.
func syftLicenses(list json.RawMessage) []string {
	var all []string
	// A licence that does not read is no reason to refuse the package.
	_ = eachOf(list, func(l *syftLicense) error {
		if s := first(l.Expression, l.Value); s != "" {
			all = append(all, s)
		}
		return nil
	})
	return all
}

// refine adds what the metadata of distribution packages says better than the package URL.
func (a *syftArtifact) refine(p *finding.Package) {
	var m struct {
		Source        string `json:"source"`
		SourceVersion string `json:"sourceVersion"`
		Origin        string `json:"originPackage"`
		SourceRPM     string `json:"sourceRpm"`
		Modularity    string `json:"modularityLabel"`
		Epoch         *int   `json:"epoch"`
	}
	if !isOS(p.Type) || json.Unmarshal(a.Metadata, &m) != nil {
		return
	}
	setIf(&p.SourceName, first(m.Source, m.Origin))
	setIf(&p.SourceVersion, m.SourceVersion)
	setIf(&p.Modularity, m.Modularity)
	if nvr, ok := strings.CutSuffix(m.SourceRPM, ".rpm"); ok {
		p.SourceName, p.SourceVersion = splitNVR(nvr)
	}
	if m.Epoch != nil && *m.Epoch > 0 && !strings.Contains(p.Version, ":") {
		p.Version = strconv.Itoa(*m.Epoch) + ":" + p.Version
	}
	normalise(p)
}
