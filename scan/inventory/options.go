package inventory

import (
	"time"

	"github.com/seawall/seawall/finding"
)

// AnalyserVersion is part of the key under which a Layer may be kept. It changes whenever the same layer could give
// a different Layer.
const AnalyserVersion = "2"

// Options say what to look for and how much of it.
type Options struct {
	Packages    bool
	Executables bool
	// Secrets, when not nil, is called with the content of each text file of at most Limits.SecretFile bytes. The
	// content is only valid during the call. It must be safe for use by several goroutines.
	Secrets func(path string, content []byte) []finding.Secret
	// SecretWanted, when not nil, says of which files, by path and size in bytes, Secrets is to see the content.
	SecretWanted func(path string, size int64) bool
	// Interesting, when not nil, says which paths the configuration checks want to hear about: see Facts.Paths.
	Interesting func(path string) bool
	Limits      Limits
	// TempDir is where files too large for memory are put while they are parsed; "" is the system's default. The
	// files are removed from it as soon as they are created.
	TempDir string
}

// Scanned says what o looks for.
func (o *Options) Scanned() finding.Scanned {
	return finding.Scanned{
		Packages:    o.Packages,
		Executables: o.Executables,
		Secrets:     o.Secrets != nil,
		Checks:      o.Interesting != nil,
	}
}

// Limits bound what one layer may cost. A zero field takes its default.
type Limits struct {
	// MemoryFile is the largest file that is held in memory, in bytes: 8 MiB. Larger ones go to TempDir.
	MemoryFile int64
	// File is the largest file that is parsed at all, in bytes: 1 GiB.
	File int64
	// SecretFile is the largest file that is searched for secrets, in bytes: 1 MiB.
	SecretFile int64
	// FileTime is how long the parsing of one file may take: 30 s.
	FileTime time.Duration
	// Packages, Entries and Gaps bound the results of one layer: 500,000, 20 million and 1,000.
	Packages, Entries, Gaps int
}

func (l Limits) withDefaults() Limits {
	setDefault(&l.MemoryFile, 8<<20)
	setDefault(&l.File, 1<<30)
	setDefault(&l.SecretFile, 1<<20)
	setDefault(&l.FileTime, 30*time.Second)
	setDefault(&l.Packages, 500_000)
	setDefault(&l.Entries, 20_000_000)
	setDefault(&l.Gaps, 1000)
	return l
}

func setDefault[T int | int64 | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}
