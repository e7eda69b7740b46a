package sbom

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// maxText bounds a <text> value of a tag-value document, in bytes; a longer one is an error.
const maxText = 16 << 20

// spdxTagValue reads the "Tag: value" form of SPDX 2 (spec section 5, annex I: Simple Tag format). A package starts at
// its PackageName and ends where the next package, file, snippet, licence or annotation of something else starts.
func (b *builder) spdxTagValue(data []byte) error {
	t := tagReader{b: b, s: newSPDXState()}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, maxText)
	n := 0
	for lines.Scan() {
		n++
		tag, value, ok := strings.Cut(lines.Text(), ":")
		if !ok || strings.HasPrefix(strings.TrimSpace(tag), "#") {
			continue
		}
		value = strings.TrimSpace(value)
		if text, more := strings.CutPrefix(value, "<text>"); more {
			read, err := textValue(lines, text, &n)
			if err != nil {
				return fmt.Errorf("SPDX tag-value, line %d: %w", n, err)
			}
			value = read
		}
		if err := t.tag(strings.TrimSpace(tag), value); err != nil {
			return fmt.Errorf("SPDX tag-value, line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("SPDX tag-value, line %d: %w", n+1, err)
	}
	return t.end()
}

// textValue reads on until </text>.
func textValue(lines *bufio.Scanner, first string, n *int) (string, error) {
	var b strings.Builder
	for line := first; ; line = lines.Text() {
		if text, _, done := strings.Cut(line, "</text>"); done {
			b.WriteString(text)
			return b.String(), nil
		}
		if b.Len()+len(line) > maxText {
			return "", fmt.Errorf("text longer than %d MiB", maxText>>20)
		}
		b.WriteString(line + "\n")
		if !lines.Scan() {
			return "", errors.New("<text> without </text>")
		}
		*n++
	}
}

// tagReader is the state of reading tags.
type tagReader struct {
	b *builder
	s *spdxState
	// now is the package being read, nil outside one.
	now      *spdxPackage
	packages []*spdxPackage
	byID     map[string]*spdxPackage
	// comment and ref are of the annotation being read: what it says and what it is about.
	comment, ref  string
	relationships []spdxRelationship
}

func (t *tagReader) tag(tag, value string) error {
	switch tag {
	case "SPDXVersion":
		return spdxVersion(value)
	case "PackageName":
		if len(t.packages) >= maxPackages {
			return fmt.Errorf("more than %d packages", maxPackages)
		}
		t.now = &spdxPackage{Name: value}
		t.packages = append(t.packages, t.now)
	case "FileName", "SnippetSPDXID", "LicenseID":
		t.now = nil
	case "Relationship":
		t.relationship(value)
	case "RelationshipComment":
		if n := len(t.relationships); n > 0 {
			t.relationships[n-1].Comment = value
		}
	case "Annotator":
		t.comment, t.ref = "", ""
	case "AnnotationComment":
		t.comment = value
		t.annotate()
	case "SPDXREF":
		t.ref = value
		t.annotate()
	default:
		t.packageTag(tag, value)
	}
	return nil
}

func (t *tagReader) packageTag(tag, value string) {
	if t.now == nil {
		return
	}
	switch tag {
	case "SPDXID":
		t.now.ID = value
		if t.byID == nil {
			t.byID = map[string]*spdxPackage{}
		}
		t.byID[value] = t.now
	case "PackageVersion":
		t.now.Version = value
	case "PrimaryPackagePurpose":
		t.now.Purpose = value
	case "PackageSourceInfo":
		t.now.SourceInfo = value
	case "PackageLicenseDeclared":
		t.now.Declared = value
	case "PackageLicenseConcluded":
		t.now.Concluded = value
	case "ExternalRef":
		if f := strings.Fields(value); len(f) == 3 {
			t.now.Refs = append(t.now.Refs, spdxRef{Type: f[1], Locator: f[2]})
		}
	}
}

func (t *tagReader) relationship(value string) {
	f := strings.Fields(value)
	if len(f) != 3 || f[1] != "DESCRIBES" && f[1] != "OTHER" {
		return
	}
	t.relationships = append(t.relationships, spdxRelationship{From: f[0], Type: f[1], To: f[2]})
}

// annotate gives the annotation, once it is whole, to the element that it is about.
func (t *tagReader) annotate() {
	if t.comment == "" || t.ref == "" {
		return
	}
	a := spdxAnnotation{t.comment}
	if p := t.byID[t.ref]; p != nil {
		p.Annotations = append(p.Annotations, a)
	} else {
		t.b.imageAnnotation(&a)
	}
	t.comment, t.ref = "", ""
}

func (t *tagReader) end() error {
	for _, p := range t.packages {
		if err := t.b.spdxPackage(p, t.s); err != nil {
			return err
		}
	}
	for i := range t.relationships {
		if err := t.s.relationship(&t.relationships[i]); err != nil {
			return err
		}
	}
	t.b.spdxEnd(t.s)
	return nil
}
