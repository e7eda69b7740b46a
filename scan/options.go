package scan

import (
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/internal/sandbox"
	"github.com/seawall/seawall/scan/image"
)

// Options say how to take an inventory. Scanned must name something to look for; the other zero values work.
type Options struct {
	Image   image.Options
	Scanned finding.Scanned
	// Cache keeps results of layers; nil keeps none.
	Cache   *image.Cache
	Sandbox Sandbox
	// Jobs bounds how many layers are read at once; 0 means one per processor.
	Jobs int
	// Progress, when not nil, is told how the layers come along. It is called from several goroutines, one at a time.
	Progress func(Progress)
	// Note, when not nil, is told once how far the worker could be confined.
	Note func(sandbox.Report)
}

func (o *Options) progress(p Progress) {
	if o.Progress != nil {
		o.Progress(p)
	}
}

func (o *Options) note(r sandbox.Report) {
	if o.Note != nil {
		o.Note(r)
	}
}

// Sandbox says how much confinement the user insists on.
type Sandbox string

const (
	// SandboxAuto confines the worker as far as the kernel allows.
	SandboxAuto Sandbox = "auto"
	// SandboxRequire refuses to parse anything unless all of the confinement is in force.
	SandboxRequire Sandbox = "require"
	// SandboxOff still uses a process of its own, without confinement: for finding faults in it.
	SandboxOff Sandbox = "off"
)

// Progress is one step of one layer.
type Progress struct {
	// Layers is how many there are, and Layer the index of the one spoken of; both count layers with content.
	Layers, Layer int
	State         LayerState
	// Done counts uncompressed bytes; Total is what is known of the layer's size in transfer, 0 when unknown.
	Done, Total int64
}

// LayerState says how far a layer is.
type LayerState string

const (
	LayerCached  LayerState = "cached"
	LayerReading LayerState = "reading"
	LayerDone    LayerState = "done"
	LayerFailed  LayerState = "failed"
)
