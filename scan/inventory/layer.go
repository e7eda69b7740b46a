package inventory

import "github.com/seawall/seawall/finding"

// maxPath bounds paths in results, in bytes: PATH_MAX of Linux.
const maxPath = 4096

// Layer is what one layer holds, seen by itself. It may be kept under the layer's verified diff id and
// AnalyserVersion: see MarshalBinary.
type Layer struct {
	Scanned finding.Scanned
	// Packages of distributions have neither Ecosystem nor PURL yet: both need the distribution, which another
	// layer may tell. No package has a Layer.
	Packages []Package
	Releases []Release
	// Paths are all paths that the layer brings or takes away: what of the layers below it remains visible.
	Paths       PathSet
	Executables []finding.Executable
	Secrets     []finding.Secret
	Facts       Facts
	// Links are hard links whose target is not in the layer itself.
	Links []Link
	// Symlinks are the symbolic links that may lead to a directory, with targets as written; Through the directories
	// that the layer writes below without bringing them. See symlink.go.
	Symlinks []Link
	Through  PathSet
	Gaps     []finding.Gap
}

// Package is a package with what only merging needs.
type Package struct {
	finding.Package
	// Declared: read from a lock file, which tells what should be installed. Merge drops such packages where the
	// installed ones are there to be seen.
	Declared bool
}

// Release is one of the files that tell which distribution this is: etc/os-release and its like.
type Release struct {
	Path    string
	Content string
}

// Link is a link.
type Link struct {
	Path, Target string
}

// Facts are what configuration checks ask about, as it is in the merged image.
type Facts struct {
	// Setuid are regular files with the setuid or setgid bit.
	Setuid []PathFact
	// WorldWritable are regular files, and directories without the sticky bit, that anyone may write.
	WorldWritable []PathFact
	// Paths are those that Options.Interesting asked for, of any kind.
	Paths []PathFact
	// EmptyPasswords are the accounts that etc/shadow, or etc/passwd, lets in without a password: one entry each,
	// with the account in Detail.
	EmptyPasswords []PathFact
}

// PathFact is a path of which something is to be said.
type PathFact struct {
	Path   string
	Mode   uint32 // as Entry.Mode
	Detail string
	// Layer is set by Merge.
	Layer *finding.LayerRef
}
