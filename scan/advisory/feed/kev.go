package feed

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/seawall/seawall/finding"
)

const maxKEV = 64 << 20 // bytes; the catalogue has under 2 MiB

// ReadKEV reads CISA's Known Exploited Vulnerabilities catalogue
// (cisa.gov/known-exploited-vulnerabilities-catalog, JSON).
func ReadKEV(r io.Reader, sink Sink) (t Tally, err error) {
	var catalogue struct {
		DateReleased    string `json:"dateReleased"`
		Count           int    `json:"count"`
		Vulnerabilities []struct {
			CVE        string `json:"cveID"`
			Added      string `json:"dateAdded"`
			Due        string `json:"dueDate"`
			Ransomware string `json:"knownRansomwareCampaignUse"`
		} `json:"vulnerabilities"`
	}
	if err := json.NewDecoder(io.LimitReader(r, maxKEV)).Decode(&catalogue); err != nil {
		return t, fmt.Errorf("reading the KEV catalogue: %w", err)
	}
	if n := len(catalogue.Vulnerabilities); n == 0 || n != catalogue.Count {
		return t, fmt.Errorf("reading the KEV catalogue: it holds %d entries and says %d", n, catalogue.Count)
	}
	for _, v := range catalogue.Vulnerabilities {
		added, err := time.Parse(time.DateOnly, v.Added)
		switch {
		case err != nil:
			t.reject(v.CVE, errors.New("it has no date on which it was added"))
			continue
		case !advisoryID.MatchString(v.CVE):
			t.reject(v.CVE, errors.New("it is no CVE id"))
			continue
		}
		sink.AddKEV(v.CVE, finding.KEV{Added: v.Added, Due: dateOrNone(v.Due), Ransomware: v.Ransomware == "Known"})
		t.accept(v.CVE, added)
	}
	return t, t.verdict()
}

func dateOrNone(s string) string {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return ""
	}
	return s
}
