package inventory

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSPDXExpression(t *testing.T) {
	for in, want := range map[string]string{
		"MIT": "MIT", "mit": "MIT", "Expat": "MIT", "GPLv2+": "GPL-2.0-or-later", "GPL-2.0-or-later": "GPL-2.0-or-later",
		"GPLv3+ and MIT":                                  "GPL-3.0-or-later AND MIT",
		"(MIT OR Apache-2.0)":                             "(MIT OR Apache-2.0)",
		"MIT/Apache-2.0":                                  "MIT/Apache-2.0",
		"GPLv2+ or (LGPLv3+ and MIT)":                     "GPL-2.0-or-later OR (LGPL-3.0-or-later AND MIT)",
		"GPL-2+, BSD-3":                                   "GPL-2.0-or-later AND BSD-3-Clause",
		"Apache-2.0 WITH LLVM-exception":                  "Apache-2.0 WITH LLVM-exception",
		"Something Else and MIT":                          "Something Else and MIT",
		"License :: OSI Approved :: BSD 3-Clause License": "BSD-3-Clause",
		"  ": "",
	} {
		if got := spdxExpression(in); got != want {
			t.Errorf("spdxExpression(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSPDXNamesAreComplete(t *testing.T) {
	names := spdxNames()
	for alias, id := range names {
		if alias == "" || id == "" {
			t.Errorf("alias %q means %q", alias, id)
		}
		if names[strings.ToLower(id)] != id {
			t.Errorf("alias %q means %q, which is not among the ids", alias, id)
		}
	}
}

func TestSPDXLicences(t *testing.T) {
	got := spdxLicences([]string{"MIT", " Expat", "GPL-2", ""})
	if d := cmp.Diff([]string{"GPL-2.0-only", "MIT"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestFileCapabilities(t *testing.T) {
	for name, tt := range map[string]struct {
		value []byte
		want  []string
	}{
		"ping, revision 2":      {[]byte("\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), []string{"cap_net_raw+ep"}},
		"not effective":         {[]byte("\x00\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), []string{"cap_net_raw+p"}},
		"revision 3, two words": {[]byte("\x01\x00\x00\x03\x01\x00\x00\x00\x00\x00\x00\x00\x80\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00"), []string{"cap_chown+ep", "cap_bpf+ep"}},
		"revision 1":            {[]byte("\x00\x00\x00\x01\x00\x04\x00\x00\x00\x04\x00\x00"), []string{"cap_net_bind_service+ip"}},
		"cut short":             {[]byte("\x01\x00\x00\x02\x00"), nil},
		"unknown revision":      {[]byte("\x01\x00\x00\x09\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), nil},
		"none":                  {nil, nil},
	} {
		if d := cmp.Diff(tt.want, fileCapabilities(tt.value)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
