package inventory

import (
	"context"
	"regexp"
	"strings"
	"sync"
)

// gemspecParser reads the specifications that RubyGems writes for installed gems. They are Ruby, but generated: values
// are literals, one on each line.
var gemspecParser = parser{name: "gemspec", bytes: true, max: 1 << 20, trusted: true, run: gemspec,
	where: func(p string) bool { return strings.Contains("/"+p, "/specifications/") }}

var gemField = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^\s*s(?:pec)?\.(name|version|licenses?)\s*=\s*(.*)$`)
})

var gemString = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`["']([^"']*)["']`) })

func gemspec(_ context.Context, f *file) (got parsed, err error) {
	var name, version string
	var licences []string
	for _, m := range gemField().FindAllSubmatch(f.data, 64) {
		values := gemString().FindAllSubmatch(m[2], maxLicences)
		if len(values) == 0 {
			continue
		}
		switch first := string(values[0][1]); string(m[1]) {
		case "name":
			name = first
		case "version":
			version = first
		default:
			for _, v := range values {
				licences = append(licences, string(v[1]))
			}
		}
	}
	if name != "" && version != "" {
		got.packages = []Package{language("gem", name, version, licences)}
	}
	return got, nil
}
