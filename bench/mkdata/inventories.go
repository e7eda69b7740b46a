package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// writeInventories writes n CycloneDX 1.6 files of about the given number of packages into dir, a thousand to a
// subdirectory.
func writeInventories(dir string, n, packages int) error {
	for i := range n {
		sub := filepath.Join(dir, fmt.Sprintf("%03d", i/1000))
		if i%1000 == 0 {
			if err := os.MkdirAll(sub, 0o755); err != nil {
				return err
			}
		}
		if err := writeInventory(filepath.Join(sub, fmt.Sprintf("app-%05d.cdx.json", i)), uint64(i), packages); err != nil {
			return err
		}
	}
	return nil
}

// writeInventory: two thirds of an inventory are Debian's packages, the rest is of one language.
func writeInventory(path string, seed uint64, packages int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	r := rand.New(rand.NewPCG(2, seed))
	language := shares[2+r.IntN(len(shares)-2)]
	fmt.Fprintf(w, `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"serialNumber":"urn:uuid:00000000-0000-4000-8000-%012x",`+
		`"metadata":{"component":{"type":"container","name":"registry.example.org/app-%d","version":"1"}},"components":[`, seed, seed)
	for i := range packages - 20 + r.IntN(40) {
		s := shares[0]
		if i%3 == 2 {
			s = language
		}
		if i > 0 {
			w.WriteByte(',')
		}
		name := packageName(r)
		version := s.installed(r, name)
		fmt.Fprintf(w, `{"type":"library","name":%q,"version":%q,"purl":%q}`, name, version, fmt.Sprintf(s.purl, name, version))
	}
	w.WriteString("]}\n")
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
