package inventory

import (
	"slices"
	"strings"
)

// maxLicences bounds the list of one package: a Debian copyright file may name hundreds.
const maxLicences = 32

// spdxLicences turns names of licences, as packages write them, into SPDX ids or expressions, sorted and each once. A
// text that is no known name stays as it is.
func spdxLicences(names []string) (ids []string) {
	for _, n := range names {
		if n = strings.TrimSpace(n); n == "" || len(n) > 500 {
			continue
		}
		ids = append(ids, spdxExpression(n))
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) > maxLicences {
		ids = ids[:maxLicences]
	}
	return ids
}
