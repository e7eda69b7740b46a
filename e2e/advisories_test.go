//go:build e2e

package e2e

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type object = map[string]any

// madeUp are advisories about packages that every minimal bookworm holds, about a npm package that a test adds, and
// about one that nobody has. None is real.
var madeUp = map[string][]object{
	"Debian": {
		advisory("DEBIAN-CVE-2099-0001", "Debian:12", "perl", "9:1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
		advisory("DEBIAN-CVE-2099-0002", "Debian:12", "pcre2", "9:1", "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N"),
		advisory("DEBIAN-CVE-2099-0003", "Debian:12", "zlib", "", "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:L/A:N"),
		advisory("DEBIAN-CVE-2099-0004", "Debian:12", "bash", "1:0", ""), // an epoch that bash never had: affected
		advisory("DEBIAN-CVE-2099-0005", "Debian:12", "bash", "1.0", ""), // fixed long ago
	},
	"npm": {
		advisory("GHSA-2099-aaaa-0001", "npm", "seawall-e2e-left", "2.0.0", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"),
		advisory("GHSA-2099-aaaa-0002", "npm", "nobody-has-this", "2.0.0", ""),
	},
}

func advisory(id, ecosystem, name, fixed, vector string) object {
	events := []object{{"introduced": "0"}}
	if fixed != "" {
		events = append(events, object{"fixed": fixed})
	}
	kind := "ECOSYSTEM"
	if ecosystem == "npm" {
		kind = "SEMVER"
	}
	record := object{
		"schema_version": "1.6.0", "id": id, "published": "2026-01-01T00:00:00Z", "modified": "2026-01-02T00:00:00Z",
		"summary": "Made up for a test", "affected": []object{{
			"package": object{"ecosystem": ecosystem, "name": name},
			"ranges":  []object{{"type": kind, "events": events}},
		}},
	}
	if cve, ok := strings.CutPrefix(id, "DEBIAN-"); ok {
		record["upstream"] = []string{cve}
	}
	if vector != "" {
		record["severity"] = []object{{"type": "CVSS_V3", "score": vector}}
	}
	return record
}

// writeBucket lays advisories out below dir as the public OSV bucket does.
func writeBucket(t *testing.T, dir string, advisories map[string][]object) {
	t.Helper()
	var names []string
	for ecosystem, records := range advisories {
		names = append(names, ecosystem)
		var index strings.Builder
		path := filepath.Join(dir, ecosystem, "all.zip")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		zw := zip.NewWriter(f)
		for _, r := range records {
			w, err := zw.Create(fmt.Sprint(r["id"]) + ".json")
			if err == nil {
				err = json.NewEncoder(w).Encode(r)
			}
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&index, "%s,%s\n", r["modified"], r["id"])
		}
		if err := zw.Close(); err != nil {
			t.Fatal(err)
		}
		f.Close()
		write(t, filepath.Join(dir, ecosystem, "modified_id.csv"), index.String())
	}
	write(t, filepath.Join(dir, "ecosystems.txt"), strings.Join(names, "\n")+"\n")
}

// withMadeUp gives u a database of the made up advisories.
func withMadeUp(t *testing.T, u *user) *user {
	t.Helper()
	bucket := t.TempDir()
	writeBucket(t, bucket, madeUp)
	u.must(t, 0, "db", "update", "--from", bucket)
	return u
}

// withShared gives u a database of the shared advisories, all ecosystems.
func withShared(t *testing.T, u *user) *user {
	t.Helper()
	need(t, "python3", "zstd")
	tool := shared(t, "osv-mirror")
	bucket := filepath.Join(cacheDir(t), "shared-bucket")
	if _, err := os.Stat(filepath.Join(bucket, "ecosystems.txt")); err != nil {
		call(t, "python3", tool, bucket)
	}
	u.must(t, 0, "db", "update", "--from", bucket)
	return u
}
