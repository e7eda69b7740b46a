package image

import "errors"

// Limits bound what an image may cost. A zero field takes its default; none can be switched off.
type Limits struct {
	MaxLayers   int   // layers of an image: 512. Docker itself stops at 127
	MaxImages   int   // manifests of an index, nested ones counted: 1,024
	MaxEntries  int   // entries of a layer or of a root directory: 2,000,000
	MaxSize     int64 // uncompressed bytes of a layer, and of a spooled archive: 64 GiB
	MaxRatio    int64 // uncompressed bytes for each compressed one, once above RatioFloor: 200
	RatioFloor  int64 // uncompressed bytes that are let through at any ratio: 1 GiB
	MaxPath     int   // bytes of a path or link: 4,096, PATH_MAX of Linux
	MaxMetadata int64 // bytes of a manifest, index or configuration: 8 MiB
	MaxSparse   int64 // logical size of a sparse file whose content is given out: 1 GiB
}

// A PAX header is bounded at 1 MiB by archive/tar itself; that bounds an entry's extended attributes too.

// What hostile or broken input runs into. Errors of Open, Walk and WalkDir wrap these.
var (
	// ErrLimit: a bound of Limits was met. Raise the bound if the image is trusted.
	ErrLimit = errors.New("over the limit")
	// ErrDigest: bytes are not what their digest says. Fetch the image anew.
	ErrDigest = errors.New("digest mismatch")
	// ErrPath: an entry's path leads out of the image's root.
	ErrPath = errors.New("path leads out of the image")
	// ErrNotImage: the reference is readable but holds no image.
	ErrNotImage = errors.New("not a container image")
	// ErrForeignLayer: the image's index points outside for this layer; it is not fetched.
	ErrForeignLayer = errors.New("foreign layer: its content is not part of the image")
)

var defaultLimits = Limits{
	MaxLayers:   512,
	MaxImages:   1024,
	MaxEntries:  2_000_000,
	MaxSize:     64 << 30,
	MaxRatio:    200,
	RatioFloor:  1 << 30,
	MaxPath:     4096,
	MaxMetadata: 8 << 20,
	MaxSparse:   1 << 30,
}

func (l Limits) withDefaults() Limits {
	fill(&l.MaxLayers, defaultLimits.MaxLayers)
	fill(&l.MaxImages, defaultLimits.MaxImages)
	fill(&l.MaxEntries, defaultLimits.MaxEntries)
	fill(&l.MaxSize, defaultLimits.MaxSize)
	fill(&l.MaxRatio, defaultLimits.MaxRatio)
	fill(&l.RatioFloor, defaultLimits.RatioFloor)
	fill(&l.MaxPath, defaultLimits.MaxPath)
	fill(&l.MaxMetadata, defaultLimits.MaxMetadata)
	fill(&l.MaxSparse, defaultLimits.MaxSparse)
	return l
}

func fill[T int | int64](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}
