// Command mkdata makes advisories and inventories in numbers that no public set has, for measuring the advisory
// database and the affected index. The same arguments give the same data.
//
//	mkdata advisories -n 700000 -o DIR     OSV records as the public bucket lays them out: <Ecosystem>/all.zip
//	mkdata inventories -n 50000 -o DIR     CycloneDX files of about 150 packages each, drawn from the same names
//
// It promises records with the shape and size of public ones: ranges, aliases, a CVSS vector, CWE, references and a
// paragraph of text. It leaves out realism of names and of what is affected.
package main

import (
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "mkdata: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("usage: mkdata advisories|inventories -n N -o DIR")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	n := flags.Int("n", 1000, "how many")
	out := flags.String("o", "", "directory to write to")
	recent := flags.Int("recent", 300, "advisories that were modified on the last day, "+lastDay)
	perInventory := flags.Int("packages", 150, "packages of an inventory")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if *out == "" || flags.NArg() > 0 {
		return errors.New("usage: mkdata advisories|inventories -n N -o DIR")
	}
	switch args[0] {
	case "advisories":
		return writeBucket(*out, *n, *recent)
	case "inventories":
		return writeInventories(*out, *n, *perInventory)
	}
	return fmt.Errorf("unknown data %q: want advisories or inventories", args[0])
}

// share is an ecosystem's part of the advisories, in per cent, about as public data has it.
type share struct {
	ecosystem, release string // release is "" where an ecosystem has none
	purl               string
	percent            int
}

var shares = []share{
	{"Debian", ":12", "pkg:deb/debian/%s@%s?distro=debian-12", 25},
	{"Alpine", ":v3.20", "pkg:apk/alpine/%s@%s?distro=alpine-3.20.3", 5},
	{"npm", "", "pkg:npm/%s@%s", 30},
	{"PyPI", "", "pkg:pypi/%s@%s", 12},
	{"Maven", "", "pkg:maven/org.bench/%s@%s", 10},
	{"Go", "", "pkg:golang/example.org/%s@v%s", 8},
	{"crates.io", "", "pkg:cargo/%s@%s", 4},
	{"Packagist", "", "pkg:composer/bench/%s@%s", 6},
}

// packageNames is how many packages each ecosystem has that advisories speak of.
const packageNames = 20000

// packageName is a name of the ecosystem; a few names are in most inventories and in many advisories.
func packageName(r *rand.Rand) string {
	return fmt.Sprintf("bench-package-%d", int(float64(packageNames)*r.Float64()*r.Float64()*r.Float64()))
}

// spelled is the name as the ecosystem's advisories spell it.
func (s share) spelled(name string) string {
	switch s.ecosystem {
	case "Maven":
		return "org.bench:" + name
	case "Go":
		return "example.org/" + name
	case "Packagist":
		return "bench/" + name
	}
	return name
}

// version is any that the package ever had.
func (s share) version(r *rand.Rand) string {
	return s.spelledVersion(r.IntN(4), r.IntN(12), r.IntN(20))
}

// versionsInUse is how many versions of one package a whole fleet runs.
const versionsInUse = 8

// installed is one of the few versions of the package that are in use.
func (s share) installed(r *rand.Rand, name string) string {
	h := fnv.New32a()
	h.Write([]byte(name))
	seed := int(h.Sum32() >> 8)
	return s.spelledVersion(seed%4, seed/4%12, r.IntN(versionsInUse)*seed%20)
}

func (s share) spelledVersion(major, minor, patch int) string {
	v := fmt.Sprintf("%d.%d.%d", major, minor, patch)
	switch s.ecosystem {
	case "Debian":
		return v + "-1"
	case "Alpine":
		return v + "-r0"
	}
	return v
}
