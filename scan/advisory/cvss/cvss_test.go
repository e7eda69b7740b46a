package cvss

import "testing"

var scored = []struct {
	vector, version string
	score           float64
}{
	// CVSS 2.0, section 3.3: the three worked examples.
	{"AV:N/AC:L/Au:N/C:N/I:N/A:C", "2.0", 7.8},
	{"AV:N/AC:L/Au:N/C:C/I:C/A:C", "2.0", 10},
	{"AV:L/AC:H/Au:N/C:C/I:C/A:C", "2.0", 6.2},
	{"(AV:N/AC:L/Au:N/C:P/I:P/A:P)", "2.0", 7.5},
	{"AV:N/AC:L/Au:N/C:C/I:C/A:C/E:F/RL:OF/RC:C", "2.0", 10},
	{"AV:N/AC:L/Au:N/C:N/I:N/A:N", "2.0", 0},
	// CVSS 3.0 and 3.1 examples documents.
	{"CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", "3.0", 6.4}, // CVE-2013-0375
	{"CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", "3.0", 9.9}, // CVE-2012-1516
	{"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "3.1", 6.1}, // CVE-2013-1937
	{"CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", "3.1", 3.1}, // CVE-2014-3566
	{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "3.1", 9.8}, // CVE-2014-6271
	{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "3.1", 7.5}, // CVE-2014-0160
	{"CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:H", "3.1", 9.3}, // CVE-2013-6014
	{"CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", "3.1", 4.2},
	{"CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N", "3.1", 4.6},     // CVE-2014-2019
	{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P", "3.1", 9.8}, // temporal metrics do not count
	{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "3.1", 0},
	// CVSS 4.0 examples document.
	{"CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "4.0", 7.3}, // CVE-2022-41741
	{"CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "4.0", 7.7}, // CVE-2020-3549
	{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N", "4.0", 5.3},
	{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N", "4.0", 8.8},
	{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", "4.0", 10},
	{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "4.0", 9.3},
	{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U", "4.0", 9.3}, // threat does not count
	{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", "4.0", 0},
}

func TestScore(t *testing.T) {
	for _, want := range scored {
		score, version, err := Score(want.vector)
		if err != nil || score != want.score || version != want.version {
			t.Errorf("%s: got %v of %s, %v, want %v of %s", want.vector, score, version, err, want.score, want.version)
		}
	}
}

func TestBroken(t *testing.T) {
	for _, vector := range []string{
		"", "7.5", "CVSS:3.1", "CVSS:3.1/", "CVSS:9.9/AV:N", "CVSS:3.1/AV:N/AC:L", "AV:N/AC:L/Au:N/C:C/I:C",
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:X", "CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
		"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H", "CVSS:2.0/AV:N",
	} {
		if score, _, err := Score(vector); err == nil {
			t.Errorf("%q: got %v, want an error", vector, score)
		}
	}
}

// FuzzScore wants an error or a score on the scale, with one decimal.
func FuzzScore(f *testing.F) {
	for _, v := range scored {
		f.Add(v.vector)
	}
	f.Fuzz(func(t *testing.T, vector string) {
		score, version, err := Score(vector)
		if err != nil {
			return
		}
		tenths := int(score*10 + 0.5)
		if score < 0 || score > 10 || float64(tenths)/10 != score || version == "" {
			t.Errorf("%q: got %v of %q", vector, score, version)
		}
	})
}
