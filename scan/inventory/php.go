package inventory

import (
	"context"
	"encoding/json"
	"strings"
)

// composerParser reads vendor/composer/installed.json: what Composer has installed.
var composerParser = parser{name: "composer installed.json", bytes: true, max: 32 << 20, trusted: true, run: composerInstalled,
	where: func(p string) bool { return strings.HasSuffix("/"+p, "/composer/installed.json") }}

type composerPackage struct {
	Name, Version string
	License       []string
}

// composerInstalled reads both forms: of Composer 2, an object with packages and dev-package-names, and of Composer 1,
// a list.
func composerInstalled(_ context.Context, f *file) (got parsed, err error) {
	var two struct {
		Packages []composerPackage `json:"packages"`
	}
	if err := json.Unmarshal(f.data, &two); err != nil {
		if json.Unmarshal(f.data, &two.Packages) != nil {
			return got, err
		}
	}
	for _, p := range two.Packages {
		if p.Name != "" && p.Version != "" && !strings.HasPrefix(p.Version, "dev-") {
			got.packages = append(got.packages, language("composer", p.Name, p.Version, p.License))
		}
	}
	return got, nil
}
