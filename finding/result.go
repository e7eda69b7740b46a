package finding

import "time"

// Result is what one scan of one platform image gives: the input of every report and of the gate.
type Result struct {
	// Tool is "seawall" with its version.
	Tool      string    `json:"tool"`
	ScannedAt time.Time `json:"scannedAt"`
	Inventory Inventory `json:"inventory"`
	// Findings are sorted: severity, then KEV, EPSS, id, package.
	Findings []Finding `json:"findings"`
	// Coverage says, per ecosystem of the inventory, whether advisories could be consulted.
	Coverage []Coverage `json:"coverage"`
	Database Database   `json:"database"`
	// Upgrades are the changes that fix most, first the one that fixes most.
	Upgrades []Upgrade `json:"upgrades,omitempty"`
	// Verdict is nil where nobody asked the gate.
	Verdict *Verdict `json:"verdict,omitempty"`
}

// Coverage says how well the packages of one ecosystem could be matched.
type Coverage struct {
	// Ecosystem with release: "Debian:12"; for packages without one, the package type: "generic".
	Ecosystem string `json:"ecosystem"`
	Packages  int    `json:"packages"`
	// Records counts the database's advisories for the ecosystem.
	Records int `json:"records"`
	// Newest is when the newest of these records was modified.
	Newest time.Time `json:"newest,omitzero"`
	// Gap is "" where the ecosystem is covered, else why it is not.
	Gap GapKind `json:"gap,omitempty"`
	// Detail is a sentence for a person, "" where the ecosystem is covered.
	Detail string `json:"detail,omitempty"`
}

// Database identifies the compiled advisory database that was consulted.
type Database struct {
	// Digest is "sha256:…" of the compiled file's content, "" for none.
	Digest  string    `json:"digest,omitempty"`
	BuiltAt time.Time `json:"builtAt,omitzero"`
	Records int       `json:"records"`
	// Starter: only the advisories that are built into the program.
	Starter bool `json:"starter,omitempty"`
	// Signer is the key id that signed it, "" for a database that was built on this machine.
	Signer string `json:"signer,omitempty"`
}

// Upgrade is one change and what it would fix.
type Upgrade struct {
	// Kind is "base" (take a newer base image) or "package".
	Kind string `json:"kind"`
	// Package, From and To for a package; Package is the base image's name for a base, where known.
	Package string `json:"package,omitempty"`
	From    string `json:"from,omitempty"`
	To      string `json:"to,omitempty"`
	// Fixes counts the findings that the change removes, by severity.
	Fixes Counts   `json:"fixes"`
	IDs   []string `json:"ids,omitempty"`
}
