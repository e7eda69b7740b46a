package feed

import (
	"os"
	"path/filepath"
	"testing"
)

// TestSharedData reads all public advisories that are at hand: hardly a record may be refused.
func TestSharedData(t *testing.T) {
	dir := os.Getenv("SEAWALL_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "data")
	}
	dir = filepath.Join(dir, "advisories")
	if _, err := os.Stat(filepath.Join(dir, "osv")); err != nil {
		t.Skipf("no public advisories: %v", err)
	}
	c := fixture(t, newBucket(t))
	c.From = dir
	r := mustUpdate(t, c)
	records, bad := 0, 0
	for _, s := range r.Sources {
		records += s.Records
		bad += s.Bad
		if s.Bad > 0 {
			t.Logf("%s: %q", s.Name, s.Complaints)
		}
	}
	if records < 45_000 || bad > 10 {
		t.Errorf("%d records read, %d refused", records, bad)
	}
}
