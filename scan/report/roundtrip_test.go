package report

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/tagvalue"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/report/sbom"
)

// TestRoundTrip: an SBOM that was written here gives the inventory it was made from.
func TestRoundTrip(t *testing.T) {
	for name, r := range map[string]finding.Result{"sample": sample(), "hostile": hostile(), "clean": clean()} {
		for _, format := range []string{"cyclonedx", "spdx"} {
			t.Run(name+"/"+format, func(t *testing.T) {
				sameInventory(t, r, write(t, format, Options{}, r))
			})
		}
	}
}

// TestRoundTripTagValue takes the SPDX document through the tag-value form that other tools make of it.
func TestRoundTripTagValue(t *testing.T) {
	doc, err := spdxjson.Read(bytes.NewReader(write(t, "spdx", Options{}, sample())))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range doc.Packages {
		for _, a := range p.Annotations {
			a.AnnotationSPDXIdentifier.ElementRefID = p.PackageSPDXIdentifier
			doc.Annotations = append(doc.Annotations, &a)
		}
		p.Annotations = nil
	}
	var b bytes.Buffer
	if err := tagvalue.Write(doc, &b); err != nil {
		t.Fatal(err)
	}
	sameInventory(t, sample(), b.Bytes())
}

func sameInventory(t *testing.T, r finding.Result, document []byte) {
	t.Helper()
	if !sbom.Sniff(document[:min(len(document), sbom.SniffLength)]) {
		t.Error("Sniff does not know it")
	}
	got, err := sbom.Read(bytes.NewReader(document), "file.json", sbom.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := r.Inventory
	// Documents may list packages in an order of their own.
	if diff := cmp.Diff(valid(sortedPackages(want.Packages)), valid(sortedPackages(got.Packages))); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(valid(want.Distro), valid(got.Distro)); diff != "" {
		t.Errorf("distribution (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(valid(want.Gaps), valid(got.Gaps)); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.Image.Layers, got.Image.Layers); diff != "" {
		t.Errorf("layers (-want +got):\n%s", diff)
	}
	if len(got.Image.Aliases) != 1 || got.Image.Aliases[0] != want.Image.ID || got.Image.IDKind != finding.IDSBOM {
		t.Errorf("image: %+v", got.Image)
	}
}

// valid is v with its strings as JSON can hold them: bytes that are not UTF-8 are replaced.
func valid[T any](v T) string {
	var b strings.Builder
	if err := encode(&b, v); err != nil {
		return err.Error()
	}
	return strings.ReplaceAll(b.String(), `\ufffd`, "\uFFFD")
}

// TestSyftReadsOurs needs the other tool: it proves that what is written here is understood elsewhere.
func TestSyftReadsOurs(t *testing.T) {
	syft, err := exec.LookPath("syft")
	if err != nil {
		t.Skip("no syft in PATH")
	}
	for file, format := range map[string]string{"bom.cdx.json": "cyclonedx", "bom.spdx.json": "spdx"} {
		path := filepath.Join(t.TempDir(), file)
		if err := os.WriteFile(path, write(t, format, Options{}, sample()), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(syft, "convert", path, "-o", "syft-json").Output()
		if err != nil {
			t.Errorf("%s: %v: %s", format, err, out)
			continue
		}
		v, err := sbom.Read(bytes.NewReader(out), "syft.json", sbom.Options{})
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		if len(v.Packages) != len(samplePackages()) {
			t.Errorf("%s: syft gives %d packages of %d", format, len(v.Packages), len(samplePackages()))
		}
	}
}
