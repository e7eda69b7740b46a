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

func (b *builder) syft(data []byte) error {
	var doc struct {
		Artifacts     json.RawMessage `json:"artifacts"`
		Relationships json.RawMessage `json:"artifactRelationships"`
		Source        syftSource      `json:"source"`
		Distro        struct {
			PrettyName string `json:"prettyName"`
			Name       string `json:"name"`
			ID         string `json:"id"`
			Version    string `json:"version"`
			VersionID  string `json:"versionID"`
			Codename   string `json:"versionCodename"`
		} `json:"distro"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("Syft JSON: %w", err)
	}
	b.syftImage(&doc.Source)
	d := doc.Distro
	b.setDistro(finding.Distro{ID: first(d.ID, d.Name), VersionID: first(d.VersionID, d.Version), Codename: d.Codename, Name: d.PrettyName})
	places := map[string]int{}
	err := eachOf(doc.Artifacts, "Syft artifacts", func(a *syftArtifact) error {
		p, err := b.add(a.entry())
		if p == nil || err != nil {
			return err
		}
		b.syftPackage(p, a)
		places[a.ID] = len(b.inv.Packages) - 1
		return nil
	})
	if err != nil {
		return err
	}
	return b.syftOwners(doc.Relationships, places)
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

// syftLicenses reads a list of strings (old schemas) or of objects.
func syftLicenses(list json.RawMessage) []string {
	var all []string
	// A licence that does not read is no reason to refuse the package.
	_ = each(list, func(raw json.RawMessage) error {
		var l struct {
			Value      string `json:"value"`
			Expression string `json:"spdxExpression"`
		}
		var text string
		if json.Unmarshal(raw, &text) == nil {
			l.Value = text
		} else if json.Unmarshal(raw, &l) != nil {
			return nil
		}
		if s := first(l.Expression, l.Value); s != "" {
			all = append(all, s)
		}
		return nil
	})
	return all
}

// syftPackage adds what the metadata of distribution packages says better than the package URL, and the layer.
func (b *builder) syftPackage(p *finding.Package, a *syftArtifact) {
	if len(a.Locations) > 0 {
		for i := range b.inv.Image.Layers {
			if l := &b.inv.Image.Layers[i]; l.DiffID == a.Locations[0].LayerID {
				ref := l.LayerRef
				p.Layer = &ref
				break
			}
		}
	}
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

func (b *builder) syftOwners(relationships json.RawMessage, places map[string]int) error {
	type relationship struct {
		Parent string `json:"parent"`
		Child  string `json:"child"`
		Type   string `json:"type"`
	}
	return eachOf(relationships, "Syft relationships", func(r *relationship) error {
		parent, ok1 := places[r.Parent]
		child, ok2 := places[r.Child]
		if r.Type == ownership && ok1 && ok2 {
			b.own(parent, child)
		}
		return nil
	})
}
