// Package sbom reads software bills of materials back into inventories: CycloneDX 1.2 to 1.7 (JSON and XML), SPDX 2.2
// and 2.3 (JSON and tag-value), SPDX 3.0 (JSON-LD) and Syft JSON.
//
// It promises that a document written by this project gives the packages of the image it was made from, field by
// field, and that those of others give whatever their package URLs and their own properties tell about name, version,
// source package, architecture and distribution. Hostile documents give errors: sizes, counts and depths are bounded.
//
// It leaves out everything that is not a package: files, services, vulnerabilities, signatures. It keeps none of what
// it does not understand, and says so with a gap where that could hide a finding.
package sbom

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/seawall/seawall/finding"
)

const (
	// maxSize bounds a document, in bytes.
	maxSize = 256 << 20
	// maxPackages bounds the packages of one document.
	maxPackages = 500_000
	// maxDepth bounds how deep components nest.
	maxDepth = 64
)

// ErrNotSBOM is wrapped by Read's error when the bytes are in no format that it knows.
var ErrNotSBOM = errors.New("not an SBOM: want CycloneDX (JSON, XML), SPDX 2.2, 2.3 or 3.0 (JSON), SPDX 2 (tag-value) or Syft JSON")

// Options is what Read needs to know from elsewhere.
type Options struct {
	// Ecosystem names the OSV ecosystem of a distribution by the ID and VERSION_ID of its os-release: "Debian:12" for
	// "debian", "12"; "" for one without advisories. Nil names none.
	Ecosystem func(id, versionID string) string
}

// Read reads a whole document of at most 256 MiB. name is how the user called it: it becomes the image's Ref when the
// document does not tell. The image's ID is the digest of the document's bytes; the digests of the image that the
// document speaks of are its aliases, for anybody can write them.
func Read(r io.Reader, name string, o Options) (*finding.Inventory, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading SBOM %s: %w", name, err)
	}
	if len(data) > maxSize {
		return nil, fmt.Errorf("reading SBOM %s: larger than %d MiB", name, maxSize>>20)
	}
	b := &builder{o: o, inv: finding.Inventory{Scanned: finding.Scanned{Packages: true}}}
	if err := b.read(data); err != nil {
		return nil, fmt.Errorf("reading SBOM %s: %w", name, err)
	}
	sum := sha256.Sum256(data)
	return b.finish(name, "sha256:"+hex.EncodeToString(sum[:])), nil
}

func (b *builder) read(data []byte) error {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	switch kindOf(data) {
	case cycloneDXJSON:
		return b.cycloneDXJSON(data)
	case cycloneDXXML:
		return b.cycloneDXXML(data)
	case spdxJSON:
		return b.spdxJSON(data)
	case spdx3:
		return b.spdx3(data)
	case spdxTagValue:
		return b.spdxTagValue(data)
	case syftJSON:
		return b.syft(data)
	}
	return ErrNotSBOM
}
