package sbom

import (
	"bytes"
	"encoding/json"
	"strings"
)

// kind is a format of SBOM.
type kind int

const (
	unknown kind = iota
	cycloneDXJSON
	cycloneDXXML
	spdxJSON
	spdx3
	spdxTagValue
	syftJSON
)

// SniffLength is how many bytes of a file Sniff wants to see, fewer only where the file is shorter.
const SniffLength = 64 << 10

// Sniff reports whether a file that starts with these bytes is worth giving to Read. It never takes a tar, a gzip
// stream or an image's JSON for an SBOM.
func Sniff(first []byte) bool {
	return kindOf(bytes.TrimPrefix(first, []byte("\xef\xbb\xbf"))) != unknown
}

func kindOf(data []byte) kind {
	head := bytes.TrimLeft(data, " \t\r\n")
	switch {
	case len(head) == 0:
		return unknown
	case head[0] == '{':
		return jsonKind(head)
	case head[0] == '<':
		head = head[:min(len(head), 4096)]
		if bytes.Contains(head, []byte("http://cyclonedx.org/schema/bom/1.")) {
			return cycloneDXXML
		}
	case tagValueHead(head[:min(len(head), 8192)]):
		return spdxTagValue
	}
	return unknown
}

func tagValueHead(head []byte) bool {
	for line := range bytes.Lines(head) {
		if bytes.HasPrefix(bytes.TrimSpace(line), []byte("SPDXVersion:")) {
			return true
		}
	}
	return false
}

// jsonKind walks the top-level members of an object until one settles the format. Members may come in any order, and
// the one that settles it may stand behind a long list: then the list's name settles it.
func jsonKind(data []byte) kind {
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return unknown
	}
	guess := unknown
	for d.More() {
		key, err := d.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			return guess
		}
		k, sure := memberKind(d, name)
		if sure {
			return k
		}
		if k != unknown {
			guess = k
		}
		if err := skipValue(d); err != nil {
			return guess
		}
	}
	return guess
}

// memberKind says what the member called name tells. It reads the value only when that is a short string that decides.
func memberKind(d *json.Decoder, name string) (k kind, sure bool) {
	switch name {
	case "bomFormat":
		return cycloneDXJSON, true
	case "spdxVersion":
		return spdxJSON, true
	case "artifacts", "artifactRelationships":
		return syftJSON, true
	case "SPDXID":
		return spdxJSON, false
	case "@context":
		return spdx3, false
	case "@graph":
		return spdx3, true
	}
	return unknown, false
}

// skipValue reads one JSON value and forgets it.
func skipValue(d *json.Decoder) error {
	depth := 0
	for {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// isSPDX3 is for contexts of JSON-LD: other vocabularies use @graph as well.
func isSPDX3(context string) bool {
	return strings.Contains(context, "spdx.org/rdf/3.")
}
