// Package cvss computes base scores from CVSS vectors of versions 2.0, 3.0, 3.1 and 4.0.
//
// It promises the score that the specification's equations give, or an error: never a guess from a broken vector. It
// leaves out temporal, threat and environmental scores: advisories rate the vulnerability, not the place where it is.
package cvss

import (
	"fmt"
	"strings"

	gocvss20 "github.com/pandatix/go-cvss/20"
	gocvss30 "github.com/pandatix/go-cvss/30"
	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"
)

// maxLength bounds a vector, in bytes: CVSS 4.0 with every metric set takes under 250.
const maxLength = 512

// Score returns the base score, 0 to 10 with one decimal, and the version of CVSS ("2.0", "3.0", "3.1", "4.0").
// Vectors of 2.0 bear no version; they may stand in parentheses, as NVD wrote them. Metrics beyond the base may
// stand in the vector and do not change the score.
//
// Source: FIRST, CVSS 2.0 section 3.2.1; 3.0 and 3.1 section 7.1; 4.0 section 8.
func Score(vector string) (score float64, version string, err error) {
	vector = strings.TrimSpace(vector)
	if len(vector) > maxLength {
		return 0, "", fmt.Errorf("CVSS vector of %d bytes is longer than the %d that are read", len(vector), maxLength)
	}
	version, _, found := strings.Cut(strings.TrimPrefix(vector, "CVSS:"), "/")
	if !found || !strings.HasPrefix(vector, "CVSS:") {
		version = "2.0"
		vector = strings.TrimSuffix(strings.TrimPrefix(vector, "("), ")")
	}
	if score, err = base(version, vector); err != nil {
		return 0, "", fmt.Errorf("CVSS vector %q: %w", vector, err)
	}
	return score, version, nil
}

func base(version, vector string) (float64, error) {
	switch version {
	case "2.0":
		v, err := gocvss20.ParseVector(vector)
		if err != nil {
			return 0, err
		}
		return v.BaseScore(), nil
	case "3.0":
		v, err := gocvss30.ParseVector(vector)
		if err != nil {
			return 0, err
		}
		return v.BaseScore(), nil
	case "3.1":
		v, err := gocvss31.ParseVector(vector)
		if err != nil {
			return 0, err
		}
		return v.BaseScore(), nil
	case "4.0":
		return base40(vector)
	}
	return 0, fmt.Errorf("unknown version %q", version)
}

// base40 drops threat, environmental and supplemental metrics, which 4.0 has no separate score without.
func base40(vector string) (float64, error) {
	if _, err := gocvss40.ParseVector(vector); err != nil {
		return 0, err
	}
	metrics := strings.Split(vector, "/")
	v, err := gocvss40.ParseVector(strings.Join(metrics[:min(len(metrics), 1+baseMetrics40)], "/"))
	if err != nil {
		return 0, err
	}
	return v.Score(), nil
}

// baseMetrics40 counts the base metrics of CVSS 4.0, which come first and are all mandatory (section 7).
const baseMetrics40 = 11
