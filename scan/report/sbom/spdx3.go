package sbom

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/seawall/seawall/finding"
)

// spdx3Element is any element of an SPDX 3.0 graph (spdx.github.io/spdx-spec/v3.0.1, JSON-LD serialisation): only
// packages are looked at.
type spdx3Element struct {
	Type        string            `json:"type"`
	Name        string            `json:"name"`
	Version     string            `json:"software_packageVersion"`
	URL         string            `json:"software_packageUrl"`
	Purpose     string            `json:"software_primaryPurpose"`
	Identifiers []spdx3Identifier `json:"externalIdentifier"`
}

type spdx3Identifier struct {
	Type  string `json:"externalIdentifierType"`
	Value string `json:"identifier"`
}

func (b *builder) spdx3(data []byte) error {
	var context json.RawMessage
	err := members(data, map[string]member{"@context": into(&context), "@graph": each(b.spdx3Element)})
	if err != nil {
		return fmt.Errorf("SPDX 3 JSON: %w", err)
	}
	if !isSPDX3(string(context)) {
		return errors.New("JSON-LD of another vocabulary than SPDX 3.0")
	}
	return nil
}

func (b *builder) spdx3Element(x *spdx3Element) error {
	if x.Type != "software_Package" {
		return nil
	}
	switch x.Purpose {
	case "operatingSystem":
		b.setDistro(finding.Distro{ID: x.Name, VersionID: x.Version})
		return nil
	case "container":
		b.imageRef(x.Name)
		b.imageDigest(x.Version)
		return nil
	case "file", "source":
		return nil
	}
	e := entry{name: x.Name, version: x.Version, purl: x.URL}
	for _, i := range x.Identifiers {
		if e.purl == "" && strings.EqualFold(i.Type, "packageUrl") {
			e.purl = i.Value
		}
	}
	_, err := b.add(e)
	return err
}
