package distro

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestEndOfLife(t *testing.T) {
	for _, c := range []struct {
		id, version, want string
		ok                bool
	}{
		{"debian", "12", "2028-06-30", true},
		{"debian", "11.9", "2026-08-31", true},
		{"debian", "", "", false},
		{"Debian", "10", "2024-06-30", true},
		{"ubuntu", "22.04", "2027-06-01", true},
		{"alpine", "3.20.3", "2026-04-01", true},
		{"alpine", "3.20", "2026-04-01", true},
		{"alpine", "3.9.6", "2020-11-01", true},
		{"alpine", "edge", "", false},
		{"rhel", "8.10", "2029-05-31", true},
		{"centos", "7", "2024-06-30", true},
		{"almalinux", "9.0", "2032-05-31", true},
		{"sles", "15.3", "2022-12-31", true},
		{"sles", "15", "2019-12-31", true},
		{"sles", "15.99", "", false},
		{"amzn", "2", "2026-06-30", true},
		{"mariner", "2.0.20230101", "2025-07-31", true},
		{"wolfi", "20230201", "", true},
		{"nonesuch", "1", "", false},
		{"", "", "", false},
	} {
		if got, ok := EndOfLife(c.id, c.version); got != c.want || ok != c.ok {
			t.Errorf("EndOfLife(%q, %q) = %q, %v", c.id, c.version, got, ok)
		}
	}
}

func TestIsEndOfLife(t *testing.T) {
	for _, c := range []struct {
		day  string
		want bool
	}{{"2024-06-29", false}, {"2024-06-30", false}, {"2024-07-01", true}} {
		now, err := time.Parse(time.DateOnly, c.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := IsEndOfLife("debian", "10", now.Add(23*time.Hour)); got != c.want {
			t.Errorf("on %s: %v", c.day, got)
		}
	}
	if IsEndOfLife("wolfi", "1", time.Now()) || IsEndOfLife("nonesuch", "1", time.Now()) {
		t.Error("ended without an end")
	}
}

// The table is sorted, every date is one, and every distribution has a source.
func TestReleases(t *testing.T) {
	sources, err := os.ReadFile("sources.txt")
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for line := range strings.Lines(releases) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSpace(line), ",")
		if len(f) != 3 {
			t.Fatalf("row %q", line)
		}
		if _, err := time.Parse(time.DateOnly, f[2]); err != nil && f[2] != rolling {
			t.Errorf("row %q: %v", line, err)
		}
		if !strings.Contains(string(sources), "\n"+f[0]+": ") {
			t.Errorf("no source for %s", f[0])
		}
		rows = append(rows, f)
	}
	if !slices.IsSortedFunc(rows, compareRows) {
		t.Error("releases.csv is not sorted")
	}
}

func compareRows(a, b []string) int {
	if c := strings.Compare(a[0], b[0]); c != 0 {
		return c
	}
	return slices.CompareFunc(strings.Split(a[1], "."), strings.Split(b[1], "."), func(x, y string) int {
		i, _ := strconv.Atoi(x)
		j, _ := strconv.Atoi(y)
		return i - j
	})
}
