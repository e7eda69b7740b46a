package feed

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/seawall/seawall/scan/advisory/record"
)

// maxSecDB bounds one file of Alpine's secdb, in bytes. The largest has under 1 MiB.
const maxSecDB = 32 << 20

type secDB struct {
	DistroVersion string `json:"distroversion" yaml:"distroversion"`
	Packages      []struct {
		Pkg struct {
			Name     string              `json:"name" yaml:"name"`
			Secfixes map[string][]string `json:"secfixes" yaml:"secfixes"`
		} `json:"pkg" yaml:"pkg"`
	} `json:"packages" yaml:"packages"`
}

var (
	alpineRelease = regexp.MustCompile(`^(v[0-9]+\.[0-9]+|edge)$`)
	advisoryID    = regexp.MustCompile(`[A-Z][A-Z0-9]*-[0-9A-Za-z]+(-[0-9A-Za-z]+)*`)
	// cveID also reads the slips of those who typed it: "CVE_2019-2426", "CVE 2018-16859".
	cveID = regexp.MustCompile(`CVE[-_ ]?([0-9]{4})-([0-9]{1,12})`)
	// foreignID is any other project's: "wnpa-sec-2017-18".
	foreignID = regexp.MustCompile(`^[A-Za-z][0-9A-Za-z]*(-[0-9A-Za-z]+)*-[0-9]+$`)
)

// ReadSecDB reads one file of Alpine's secdb (secdb.alpinelinux.org), JSON or YAML: per origin package the versions
// that fixed something. A fix in version "0" means that the package was never affected, and gives nothing.
//
// Records bear OSV's name for them, "ALPINE-CVE-…"; one that stands in several files is merged by the builder.
func ReadSecDB(r io.Reader, sink Sink) (t Tally, err error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSecDB+1))
	if err != nil {
		return t, fmt.Errorf("reading an Alpine secdb file: %w", err)
	}
	if len(data) > maxSecDB {
		return t, fmt.Errorf("reading an Alpine secdb file: it has more than %d MiB", maxSecDB>>20)
	}
	var db secDB
	if strings.HasPrefix(strings.TrimSpace(string(data[:min(len(data), 64)])), "{") {
		err = json.Unmarshal(data, &db)
	} else {
		err = yaml.Unmarshal(data, &db)
	}
	if err != nil {
		return t, fmt.Errorf("reading an Alpine secdb file: %w", err)
	}
	if !alpineRelease.MatchString(db.DistroVersion) {
		return t, fmt.Errorf("reading an Alpine secdb file: distroversion %.20q is no release", db.DistroVersion)
	}
	for _, rec := range db.records(&t) {
		t.take(sink, rec)
	}
	return t, t.verdict()
}

// records gathers the packages of each id, sorted by id.
func (db *secDB) records(t *Tally) []record.Record {
	byID := map[string]*record.Record{}
	for i := range db.Packages {
		p := &db.Packages[i].Pkg
		for fixed, entries := range p.Secfixes {
			if fixed == "0" {
				continue
			}
			for _, entry := range entries {
				ids := secfixIDs(entry)
				if len(ids) == 0 {
					t.reject(p.Name+" "+fixed, fmt.Errorf("%.60q names no advisory", entry))
				}
				for _, id := range ids {
					addSecfix(byID, id, record.Affected{
						Ecosystem: "Alpine:" + db.DistroVersion, Name: p.Name,
						Ranges: []record.Range{{Kind: record.Ecosystem, Events: []record.Event{{Introduced: "0"}, {Fixed: fixed}}}},
					})
				}
			}
		}
	}
	out := make([]record.Record, 0, len(byID))
	for _, r := range byID {
		slices.SortFunc(r.Affected, func(a, b record.Affected) int {
			return strings.Compare(a.Name+"\x00"+a.Ranges[0].Events[1].Fixed, b.Name+"\x00"+b.Ranges[0].Events[1].Fixed)
		})
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b record.Record) int { return strings.Compare(a.ID, b.ID) })
	return out
}

func addSecfix(byID map[string]*record.Record, id string, a record.Affected) {
	r := byID[id]
	if r == nil {
		r = &record.Record{ID: "ALPINE-" + id, Aliases: []string{id}}
		byID[id] = r
	}
	r.Affected = append(r.Affected, a)
}

// secfixIDs reads an entry, which may name several: "XSA-273 CVE-2018-3620 CVE-2018-3646". Where it names CVEs,
// those are what is fixed; the rest are other names for all of them together.
func secfixIDs(entry string) []string {
	var ids []string
	for _, m := range cveID.FindAllStringSubmatch(entry, 16) {
		ids = append(ids, "CVE-"+m[1]+"-"+m[2])
	}
	if ids != nil {
		return ids
	}
	if ids = advisoryID.FindAllString(entry, 16); ids != nil {
		return ids
	}
	if first, _, _ := strings.Cut(strings.TrimSpace(entry), " "); foreignID.MatchString(first) {
		return []string{first}
	}
	return nil
}
