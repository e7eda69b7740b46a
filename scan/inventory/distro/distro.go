// Package distro knows on which day the publisher of a distribution stops giving advisories for a release.
//
// It promises dates that stand in releases.csv, each from the source that sources.txt names for its distribution,
// and says so where it knows none. The dates are those of the support that everyone gets: Debian's long term support
// is in, paid extensions (Ubuntu Pro, RHEL ELS, SUSE LTSS) are out. It leaves out what a release still gets then.
package distro

import (
	_ "embed"
	"strings"
	"sync"
	"time"
)

//go:embed releases.csv
var releases string

const rolling = "rolling"

// table is the parsed releases.csv.
type table struct {
	ends map[[2]string]string // by id and release
	// parts is how many numbers name a release: 2 for Alpine ("3.20"), 1 for Debian ("12").
	parts map[string]int
}

var load = sync.OnceValue(func() table { return parse(releases) })

func parse(csv string) table {
	t := table{map[[2]string]string{}, map[string]int{}}
	for line := range strings.Lines(csv) {
		fields := strings.Split(strings.TrimSpace(line), ",")
		if len(fields) != 3 || strings.HasPrefix(line, "#") {
			continue
		}
		id, release := fields[0], fields[1]
		t.ends[[2]string{id, release}] = fields[2]
		t.parts[id] = max(t.parts[id], 1+strings.Count(release, "."))
	}
	return t
}

// EndOfLife returns the last day, YYYY-MM-DD, on which the release gets advisories. id and versionID are os-release's
// ID and VERSION_ID; point releases count as their release ("8.9" as "8", "3.20.3" as "3.20"). ok is false where
// nothing is known; date is "" with ok true for distributions that have no releases to end.
func EndOfLife(id, versionID string) (date string, ok bool) {
	t := load()
	id = strings.ToLower(id)
	if t.ends[[2]string{id, ""}] == rolling {
		return "", true
	}
	if date, ok = t.ends[[2]string{id, versionID}]; ok {
		return date, true
	}
	numbers := strings.Split(versionID, ".")
	if n := t.parts[id]; len(numbers) > n {
		date, ok = t.ends[[2]string{id, strings.Join(numbers[:n], ".")}]
	}
	return date, ok
}

// IsEndOfLife reports whether the release's last day is over, in UTC. It is false where nothing is known.
func IsEndOfLife(id, versionID string, now time.Time) bool {
	date, _ := EndOfLife(id, versionID)
	return date != "" && now.UTC().Format(time.DateOnly) > date
}
