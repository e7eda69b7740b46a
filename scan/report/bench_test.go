package report

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/report/sbom"
)

// large is a result with 500 packages and 1,000 findings.
func large() finding.Result {
	r := sample()
	r.Inventory.Packages, r.Findings = nil, nil
	for i := range 500 {
		p := deb(fmt.Sprintf("package-%d", i), "1.2.3-4+deb12u1", fmt.Sprintf("source-%d", i/3), "1.2.3-4+deb12u1")
		r.Inventory.Packages = append(r.Inventory.Packages, p)
		for k := range 2 {
			f := sampleFindings()[1]
			f.ID, f.Package = fmt.Sprintf("CVE-2026-%d", 10000+2*i+k), p
			r.Findings = append(r.Findings, f)
		}
	}
	return r
}

func BenchmarkWrite(b *testing.B) {
	results := []finding.Result{large()}
	for _, f := range Formats {
		b.Run(f.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := Write(io.Discard, f.Name, results, Options{Width: 120}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReadSBOM(b *testing.B) {
	for _, format := range []string{"cyclonedx", "spdx"} {
		var doc bytes.Buffer
		if err := Write(&doc, format, []finding.Result{large()}, Options{Inventory: true}); err != nil {
			b.Fatal(err)
		}
		b.Run(format, func(b *testing.B) {
			b.SetBytes(int64(doc.Len()))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := sbom.Read(bytes.NewReader(doc.Bytes()), "x", sbom.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
