package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestAdvisoriesAreTheSameEveryTime(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	for _, dir := range []string{one, two} {
		if err := run([]string{"advisories", "-n", "200", "-o", dir}); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range shares {
		a, err := os.ReadFile(filepath.Join(one, s.ecosystem, "all.zip"))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(two, s.ecosystem, "all.zip"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) || len(a) < 500 {
			t.Errorf("%s: %d and %d bytes that are not the same", s.ecosystem, len(a), len(b))
		}
	}
}

func TestInventoriesAreJSON(t *testing.T) {
	dir := t.TempDir()
	if err := run([]string{"inventories", "-n", "3", "-o", dir}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "000", "app-00002.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var bom struct {
		Components []struct{ Name, Version, PURL string }
	}
	if err := json.Unmarshal(data, &bom); err != nil {
		t.Fatal(err)
	}
	if len(bom.Components) < 100 || bom.Components[0].PURL == "" {
		t.Errorf("%d components", len(bom.Components))
	}
}
