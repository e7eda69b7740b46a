// Package advisory holds the compiled advisory database and matches inventories against it.
//
// It promises one memory-mapped file that opens in microseconds whatever its size, ranges decided exactly as OSV's
// evaluation and each ecosystem's own version order say, one row per vulnerability and package with every source
// named, and coverage stated per ecosystem: what could not be consulted is said, never passed over. A damaged or
// hostile file gives errors, never a panic.
//
// It leaves out where advisories come from (package feed), what a version means (package version), suppressions and
// the decision (package gate).
package advisory
