package sbom

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/seawall/seawall/finding"
)

// Property is one of the facts about a package or an image that SBOM formats have no field for. CycloneDX carries them
// as properties, SPDX as annotations: EncodeProperties gives the text of one.
type Property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

const (
	prefix        = "seawall:"
	packagePrefix = prefix + "package:"
	imagePrefix   = prefix + "image:"
	distroPrefix  = prefix + "distro:"
)

// packageField is a text field of a package with the name of its property.
type packageField struct {
	name  string
	field func(*finding.Package) *string
}

var packageFields = []packageField{
	{"type", func(p *finding.Package) *string { return &p.Type }},
	{"ecosystem", func(p *finding.Package) *string { return &p.Ecosystem }},
	{"sourceName", func(p *finding.Package) *string { return &p.SourceName }},
	{"sourceVersion", func(p *finding.Package) *string { return &p.SourceVersion }},
	{"arch", func(p *finding.Package) *string { return &p.Arch }},
	{"modularity", func(p *finding.Package) *string { return &p.Modularity }},
	{"path", func(p *finding.Package) *string { return &p.Path }},
	{"ownedBy", func(p *finding.Package) *string { return &p.OwnedBy }},
}

// PackageProperties gives what is needed, beside name, version and package URL, to make p again.
func PackageProperties(p *finding.Package) []Property {
	var all []Property
	for _, f := range packageFields {
		if v := *f.field(p); v != "" {
			all = append(all, Property{packagePrefix + f.name, v})
		}
	}
	for _, l := range p.Licenses {
		all = append(all, Property{packagePrefix + "license", l})
	}
	if p.Layer != nil {
		all = append(all, Property{packagePrefix + "layer", strconv.Itoa(p.Layer.Index)})
	}
	return all
}

// setPackage is the inverse of PackageProperties for one property. It reports whether the property was one of ours.
// Of the layer only the index is known here: settleLayers gives the rest.
func setPackage(p *finding.Package, q Property) bool {
	name, ok := strings.CutPrefix(q.Name, packagePrefix)
	if !ok {
		return false
	}
	for _, f := range packageFields {
		if f.name == name {
			*f.field(p) = q.Value
			return true
		}
	}
	switch name {
	case "license":
		p.Licenses = append(p.Licenses, q.Value)
	case "layer":
		if n, err := strconv.Atoi(q.Value); err == nil {
			p.Layer = &finding.LayerRef{Index: n}
		}
	}
	return true
}

// settleLayers completes the layers of packages from those of the image; one that the image does not have is dropped.
func settleLayers(v *finding.Inventory) {
	byIndex := map[int]finding.LayerRef{}
	for _, l := range v.Image.Layers {
		byIndex[l.Index] = l.LayerRef
	}
	for i := range v.Packages {
		p := &v.Packages[i]
		if p.Layer == nil {
			continue
		}
		if ref, ok := byIndex[p.Layer.Index]; ok {
			p.Layer = &ref
		} else {
			p.Layer = nil
		}
	}
}

type imageField struct {
	name  string
	field func(*finding.Inventory) *string
}

var imageFields = []imageField{
	{imagePrefix + "ref", func(v *finding.Inventory) *string { return &v.Image.Ref }},
	{imagePrefix + "id", func(v *finding.Inventory) *string { return &v.Image.ID }},
	{imagePrefix + "platform", func(v *finding.Inventory) *string { return &v.Image.Platform }},
	{prefix + "analyser", func(v *finding.Inventory) *string { return &v.Analyser }},
	{distroPrefix + "id", func(v *finding.Inventory) *string { return &v.Distro.ID }},
	{distroPrefix + "versionId", func(v *finding.Inventory) *string { return &v.Distro.VersionID }},
	{distroPrefix + "codename", func(v *finding.Inventory) *string { return &v.Distro.Codename }},
	{distroPrefix + "name", func(v *finding.Inventory) *string { return &v.Distro.Name }},
	{distroPrefix + "ecosystem", func(v *finding.Inventory) *string { return &v.Distro.Ecosystem }},
	{distroPrefix + "endOfLife", func(v *finding.Inventory) *string { return &v.Distro.EndOfLife }},
}

// ImageProperties gives what a reader needs to know about the image: which one it is, its distribution, its layers and
// what of it was not evaluated.
func ImageProperties(v *finding.Inventory) []Property {
	var all []Property
	for _, f := range imageFields {
		if s := *f.field(v); s != "" {
			all = append(all, Property{f.name, s})
		}
	}
	for _, a := range v.Image.Aliases {
		all = append(all, Property{imagePrefix + "alias", a})
	}
	for _, t := range v.Image.Tags {
		all = append(all, Property{imagePrefix + "tag", t})
	}
	for _, l := range v.Image.Layers {
		all = append(all, Property{imagePrefix + "layer", asJSON(l)})
	}
	for _, g := range v.Gaps {
		all = append(all, Property{prefix + "gap", asJSON(g)})
	}
	return all
}

// setImage is the inverse of ImageProperties for one property.
func setImage(v *finding.Inventory, q Property) {
	for _, f := range imageFields {
		if f.name == q.Name {
			*f.field(v) = q.Value
			return
		}
	}
	switch q.Name {
	case imagePrefix + "alias":
		v.Image.Aliases = append(v.Image.Aliases, q.Value)
	case imagePrefix + "tag":
		v.Image.Tags = append(v.Image.Tags, q.Value)
	case imagePrefix + "layer":
		var l finding.Layer
		if json.Unmarshal([]byte(q.Value), &l) == nil {
			v.Image.Layers = append(v.Image.Layers, l)
		}
	case prefix + "gap":
		var g finding.Gap
		if json.Unmarshal([]byte(q.Value), &g) == nil {
			v.Gaps = append(v.Gaps, g)
		}
	}
}

// EncodeProperties is properties as the text of an SPDX annotation: a JSON array.
func EncodeProperties(all []Property) string { return asJSON(all) }

// decodeProperties gives nil for a text that is not one of ours.
func decodeProperties(text string) []Property {
	var all []Property
	if !strings.HasPrefix(text, `[{"name":"`+prefix) || json.Unmarshal([]byte(text), &all) != nil {
		return nil
	}
	return all
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // strings and integers always marshal
		return ""
	}
	return string(b)
}
