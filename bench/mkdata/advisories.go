package main

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
)

type object = map[string]any

// lastDay is the day of the newest advisories.
const lastDay = "2026-11-19"

// writeBucket writes n advisories below dir, recent of them modified on the last day.
func writeBucket(dir string, n, recent int) error {
	var names []string
	for i, s := range shares {
		if err := writeEcosystem(dir, s, uint64(i), n*s.percent/100, recent*s.percent/100); err != nil {
			return fmt.Errorf("%s: %w", s.ecosystem, err)
		}
		names = append(names, s.ecosystem)
	}
	return os.WriteFile(filepath.Join(dir, "ecosystems.txt"), []byte(strings.Join(names, "\n")+"\n"), 0o644)
}

func writeEcosystem(dir string, s share, seed uint64, n, recent int) error {
	dir = filepath.Join(dir, s.ecosystem)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	archive, err := os.Create(filepath.Join(dir, "all.zip"))
	if err != nil {
		return err
	}
	defer archive.Close()
	index, err := os.Create(filepath.Join(dir, "modified_id.csv"))
	if err != nil {
		return err
	}
	defer index.Close()
	buffer, lines := bufio.NewWriterSize(archive, 1<<20), bufio.NewWriter(index)
	zw := zip.NewWriter(buffer)
	random := rand.New(rand.NewPCG(1, seed))
	for i := range n {
		if err := writeRecord(zw, lines, s.record(random, i, i < recent)); err != nil {
			return err
		}
	}
	for _, end := range []func() error{zw.Close, buffer.Flush, lines.Flush, archive.Close, index.Close} {
		if err := end(); err != nil {
			return err
		}
	}
	return nil
}

func writeRecord(zw *zip.Writer, index io.Writer, record object) error {
	w, err := zw.Create(record["id"].(string) + ".json")
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(index, "%s,%s\n", record["modified"], record["id"]); err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(record)
}

var vectors = []string{
	"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
	"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N",
	"CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N", "CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:L/A:L",
}

// record is advisory i of an ecosystem.
func (s share) record(r *rand.Rand, i int, recent bool) object {
	modified := time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.IntN(8*365*24*3600)) * time.Second)
	if recent {
		modified, _ = time.Parse(time.DateOnly, lastDay)
	}
	id := fmt.Sprintf("BENCH-%s-%d", strings.ToUpper(strings.ReplaceAll(s.ecosystem, ".", "")), i)
	kind := "ECOSYSTEM"
	if s.ecosystem == "npm" || s.ecosystem == "Go" || s.ecosystem == "crates.io" {
		kind = "SEMVER"
	}
	affected := []object{}
	for range 1 + r.IntN(2) {
		events := []object{{"introduced": "0"}}
		if r.IntN(5) > 0 {
			events = append(events, object{"fixed": s.version(r)})
		}
		affected = append(affected, object{
			"package": object{"ecosystem": s.ecosystem + s.release, "name": s.spelled(packageName(r))},
			"ranges":  []object{{"type": kind, "events": events}},
		})
	}
	return object{
		"schema_version": "1.6.0", "id": id, "aliases": []string{fmt.Sprintf("CVE-%d-%d", 2000+r.IntN(26), 10000+r.IntN(90000))},
		"modified": modified.Format(time.RFC3339), "published": modified.Add(-30 * 24 * time.Hour).Format(time.RFC3339),
		"summary": "Improper " + sentence(r, 6), "details": sentence(r, 80),
		"severity": []object{{"type": "CVSS_V3", "score": vectors[r.IntN(len(vectors))]}},
		"references": []object{{"type": "WEB", "url": fmt.Sprintf("https://example.org/advisories/%d", r.Uint32())},
			{"type": "FIX", "url": fmt.Sprintf("https://example.org/commit/%016x", r.Uint64())}},
		"database_specific": object{"cwe_ids": []string{fmt.Sprintf("CWE-%d", 20+r.IntN(900))}},
		"affected":          affected,
	}
}

var vocabulary = strings.Fields(`validation of input allows a remote attacker to read memory when the parser handles crafted data before
	version and users should upgrade because the server does not check length permission token path header session or
	execute arbitrary code cause denial service overflow injection leak bypass authentication by means request file`)

func sentence(r *rand.Rand, words int) string {
	var b strings.Builder
	for i := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(vocabulary[r.IntN(len(vocabulary))])
	}
	return b.String()
}
