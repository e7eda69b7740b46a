package scan

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seawall/seawall/internal/sandbox"
	"github.com/seawall/seawall/scan/image"
	"github.com/seawall/seawall/scan/inventory"
)

// WorkerArg is the only argument of a process that is a worker. An executable that calls Run must look for it before
// anything else and then do nothing but Work.
const WorkerArg = "scan-worker"

// workerHeap is where the worker's garbage collector starts to work hard, in bytes.
const workerHeap = 128 << 20

// firstFD is the number of the first inherited descriptor after the standard streams.
const firstFD = 3

// Work is the whole life of a worker: it reads one request, confines itself, analyses the layers and writes frames.
// It returns the exit code. Everything that goes wrong with a layer is told in a frame.
func Work(in io.Reader, out io.Writer) int {
	var req request
	if err := json.NewDecoder(in).Decode(&req); err != nil {
		fmt.Fprintln(os.Stderr, "reading the request:", err)
		return 1
	}
	w := worker{req: req, out: bufio.NewWriterSize(out, 64<<10)}
	// Analysers are made first: what they read of the system, such as the time zone, is out of reach afterwards.
	w.analyser = inventory.NewAnalyser(analyserOptions(req.Scanned, req.Sandbox.WriteDir))
	debug.SetMemoryLimit(workerHeap)
	if req.Confine {
		report := sandbox.Enter(req.Sandbox)
		w.send(frame{Kind: frameReady, Report: &report}, nil)
	}
	if err := w.run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

type worker struct {
	req      request
	analyser *inventory.Analyser

	mu  sync.Mutex
	out *bufio.Writer
	err error // of the first write that failed: the parent is gone
}

func (w *worker) run(ctx context.Context) error {
	if w.req.RootDir != "" {
		w.rootDir(ctx)
		return w.err
	}
	var group errgroup.Group
	group.SetLimit(jobs(w.req.Jobs))
	for _, l := range w.req.Layers {
		group.Go(func() error { w.layer(ctx, l); return nil })
	}
	group.Wait()
	return w.err
}

// maxJobs bounds what --jobs may ask for: each layer holds a few MiB while it is read.
const maxJobs = 64

// jobs is how many layers are read at once. One layer alone cannot keep two processors busy: hashing, decompressing and
// parsing wait for each other.
func jobs(asked int) int {
	if asked <= 0 {
		return max(runtime.GOMAXPROCS(0), 2)
	}
	return min(asked, maxJobs)
}

func (w *worker) layer(ctx context.Context, l layerRequest) {
	f := os.NewFile(uintptr(l.FD), "layer")
	defer f.Close()
	w.send(frame{Kind: frameStart, Index: l.Index}, nil)
	in := image.Input{Name: l.name(), DiffID: l.DiffID, Digest: l.Digest, Trusted: l.Trusted}
	if l.Stream {
		in.Stream = f
	} else {
		in.Section, in.Size = io.NewSectionReader(f, l.Offset, l.Length), l.Length
	}
	w.analyse(l.Index, func(visit func(*image.Entry) error) (image.Stats, error) {
		return image.Walk(ctx, in, w.req.Limits, visit)
	})
}

func (w *worker) rootDir(ctx context.Context) {
	w.send(frame{Kind: frameStart}, nil)
	w.analyse(0, func(visit func(*image.Entry) error) (image.Stats, error) {
		return image.WalkDir(ctx, w.req.RootDir, w.req.Limits, visit)
	})
}

// analyse sends what walk's entries amount to, or why they do not.
func (w *worker) analyse(index int, walk func(func(*image.Entry) error) (image.Stats, error)) {
	writer := w.analyser.Start()
	progress := w.progress(index)
	stats, err := walk(func(e *image.Entry) error {
		progress(e.Size)
		return writer.Visit(context.Background(), entry(e))
	})
	if err != nil {
		w.send(frame{Kind: frameFailed, Index: index, Error: err.Error()}, nil)
		return
	}
	layer, err := writer.Finish(context.Background())
	if err != nil {
		w.send(frame{Kind: frameFailed, Index: index, Error: err.Error()}, nil)
		return
	}
	payload, err := layer.MarshalBinary()
	if err != nil {
		w.send(frame{Kind: frameFailed, Index: index, Error: err.Error()}, nil)
		return
	}
	w.send(frame{Kind: frameLayer, Index: index, DiffID: stats.DiffID, Digest: stats.Digest, Size: stats.Size, Skipped: stats.Skipped}, payload)
}

// progress returns a function that counts bytes and tells the parent now and then.
func (w *worker) progress(index int) func(int64) {
	var done int64
	next := time.Now().Add(progressEvery)
	calls := 0
	return func(n int64) {
		done += n
		if calls++; calls%64 != 0 || time.Now().Before(next) {
			return
		}
		next = time.Now().Add(progressEvery)
		w.send(frame{Kind: frameProgress, Index: index, Done: done}, nil)
	}
}

const progressEvery = 50 * time.Millisecond

func (w *worker) send(f frame, payload []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := writeFrame(w.out, f, payload)
	w.err = errors.Join(w.err, err, w.out.Flush())
}

// entry hands an entry of the image to the inventory: the two stages do not know each other.
func entry(e *image.Entry) *inventory.Entry {
	return &inventory.Entry{
		Path:       e.Path,
		Kind:       kinds[e.Kind],
		Mode:       e.Mode,
		Size:       e.Size,
		ModTime:    e.ModTime,
		Linkname:   e.Linkname,
		Capability: e.Capability,
		Content:    e.Content,
	}
}

var kinds = [...]inventory.Kind{
	image.File:     inventory.File,
	image.Dir:      inventory.Dir,
	image.Symlink:  inventory.Symlink,
	image.Hardlink: inventory.Hardlink,
	image.Device:   inventory.Device,
	image.Other:    inventory.Other,
	image.Whiteout: inventory.Whiteout,
	image.Opaque:   inventory.Opaque,
}
