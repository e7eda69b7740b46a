// Package inventory says what is in an image: packages, executables, secrets in files, and the facts that
// configuration checks ask about.
//
// It works in two steps. An Analyser reads the entries of one layer, once and in the order of the tar, and gives a
// Layer that depends on nothing but that layer's bytes: it can be kept under the layer's diff id. Merge then lays
// Layers on top of each other, as a container engine would, and gives the finding.Inventory of the whole image.
//
// It promises that hostile content costs no more than the limits in Options: what is over a limit, does not parse
// or makes a parser panic becomes a finding.Gap, never an error of the whole scan and never silence.
//
// It leaves out how layers are fetched and unpacked (scan/image), what is known against a package (scan/advisory)
// and the judging of configuration (scan/inventory/check). DESIGN.md says which files are read and why.
package inventory
