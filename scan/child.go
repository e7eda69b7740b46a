package scan

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"

	"github.com/seawall/seawall/internal/sandbox"
	"github.com/seawall/seawall/scan/image"
)

// analysed is what the worker made of one layer, or why it could not.
type analysed struct {
	payload []byte // an inventory.Layer
	diffID  string
	size    int64
	skipped []string // parts of a directory: "path: reason"
	err     error
}

// missing is a layer that the worker must read.
type missing struct {
	*image.Layer
	// verified is the diff id that these very bytes were verified to have, "" where they were not.
	verified string
}

// child is one run of a worker: the parent's side.
type child struct {
	opts   Options
	layers []missing

	cmd     *exec.Cmd
	pipes   map[int]*os.File // write ends of streams, by index of the image's layers
	cancel  context.CancelFunc
	pumping sync.WaitGroup
	// pumpErr says why a stream ended early: the worker can only tell that it was short.
	mu      sync.Mutex
	pumpErr map[int]error
}

// runWorker analyses layers, or the directory rootDir, in a confined child process. The result has one entry for
// every layer, by its Index; a layer that could not be read has its error there. The error returned is that of the
// run as a whole.
func runWorker(ctx context.Context, o Options, layers []missing, rootDir string) (map[int]analysed, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &child{opts: o, layers: layers, cancel: cancel, pipes: map[int]*os.File{}, pumpErr: map[int]error{}}
	defer c.closePipes()

	dir, err := privateDir(o.Image.TempDir)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	req := request{
		Scanned: o.Scanned, Limits: o.Image.Limits, Confine: o.Sandbox != SandboxOff, Jobs: o.Jobs, RootDir: rootDir,
		Sandbox: sandbox.Config{WriteDir: dir},
	}
	if rootDir != "" {
		req.Sandbox.ReadDirs, req.Sandbox.KeepUser = []string{rootDir}, true
	}
	c.cmd = sandbox.Command(ctx, WorkerArg)
	if err := c.attach(&req); err != nil {
		return nil, err
	}
	return c.run(ctx, req)
}

// privateDir makes the one directory that the worker may write to. A worker that gave up root must be able to.
func privateDir(parent string) (string, error) {
	dir, err := os.MkdirTemp(parent, "seawall-worker-")
	if err != nil {
		return "", fmt.Errorf("making the worker's directory: %w", err)
	}
	if os.Geteuid() == 0 {
		if err := sandbox.Give(dir); err != nil {
			os.RemoveAll(dir)
			return "", fmt.Errorf("giving the worker its directory: %w", err)
		}
	}
	return dir, nil
}

// attach opens every layer's bytes for the worker to inherit.
func (c *child) attach(req *request) error {
	for _, l := range c.layers {
		r := layerRequest{Index: l.Index, FD: firstFD + len(c.cmd.ExtraFiles), DiffID: l.DiffID, Digest: l.Digest}
		if l.verified != "" {
			r.DiffID, r.Trusted = l.verified, true
		}
		var f *os.File
		var err error
		if l.Blob.Local() {
			f, err = l.Blob.OpenFile()
			r.Offset, r.Length = l.Blob.Offset, l.Blob.Length
		} else {
			r.Stream = true
			f, c.pipes[l.Index], err = os.Pipe()
		}
		if err != nil {
			c.closeInherited()
			return fmt.Errorf("opening %s: %w", l.Name(), err)
		}
		c.cmd.ExtraFiles = append(c.cmd.ExtraFiles, f)
		req.Layers = append(req.Layers, r)
	}
	return nil
}

func (c *child) closeInherited() {
	for _, f := range c.cmd.ExtraFiles {
		f.Close()
	}
}

func (c *child) closePipes() {
	c.cancel()
	c.pumping.Wait()
	for _, p := range c.pipes {
		p.Close()
	}
}

func (c *child) run(ctx context.Context, req request) (map[int]analysed, error) {
	input, err := json.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("encoding the request: %w", err)
	}
	var stderr tail
	c.cmd.Stdin, c.cmd.Stderr = bytes.NewReader(input), &stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the worker: %w", err)
	}
	err = c.cmd.Start()
	c.closeInherited()
	if err != nil {
		return nil, fmt.Errorf("starting the worker: %w", err)
	}
	results, readErr := c.read(ctx, out)
	if readErr != nil {
		c.cancel() // the worker may still be writing
	}
	waitErr := c.cmd.Wait()
	switch {
	case ctx.Err() != nil && readErr == nil && waitErr != nil:
		return nil, ctx.Err()
	case readErr != nil:
		return nil, readErr
	case waitErr != nil:
		return nil, fmt.Errorf("the worker died (%w)%s", waitErr, stderr.String())
	}
	c.complete(results)
	return results, nil
}

// complete gives every layer of which nothing was heard an error.
func (c *child) complete(results map[int]analysed) {
	for _, l := range c.layers {
		r, heard := results[l.Index]
		if !heard {
			r.err = fmt.Errorf("reading %s: the worker ended without a result", l.Name())
		}
		c.mu.Lock()
		if pumpErr := c.pumpErr[l.Index]; pumpErr != nil {
			r.err = fmt.Errorf("reading %s: %w", l.Name(), pumpErr)
		}
		c.mu.Unlock()
		results[l.Index] = r
	}
}

// read takes frames until the worker closes its output.
func (c *child) read(ctx context.Context, out io.Reader) (map[int]analysed, error) {
	results := map[int]analysed{}
	for {
		f, payload, err := readFrame(out)
		switch {
		case errors.Is(err, io.EOF):
			return results, nil
		case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrClosed):
			return results, nil // Wait tells why
		case err != nil:
			return nil, fmt.Errorf("reading from the worker: %w", err)
		}
		if err := c.handle(ctx, f, payload, results); err != nil {
			return nil, err
		}
	}
}

func (c *child) handle(ctx context.Context, f frame, payload []byte, results map[int]analysed) error {
	if err := c.plausible(f, results); err != nil {
		return err
	}
	switch f.Kind {
	case frameReady:
		if f.Report == nil {
			return errors.New("the worker did not say how it is confined")
		}
		if c.opts.Sandbox == SandboxRequire && !f.Report.Complete() {
			return fmt.Errorf("--sandbox=require: %s", f.Report)
		}
		c.opts.note(*f.Report)
	case frameStart:
		c.opts.progress(Progress{Layer: f.Index, State: LayerReading})
		c.pump(ctx, f.Index)
	case frameProgress:
		c.opts.progress(Progress{Layer: f.Index, State: LayerReading, Done: f.Done})
	case frameLayer:
		results[f.Index] = analysed{payload: payload, diffID: f.DiffID, size: f.Size, skipped: f.Skipped}
		c.opts.progress(Progress{Layer: f.Index, State: LayerDone, Done: f.Size})
	case frameFailed:
		results[f.Index] = analysed{err: errors.New(f.Error)}
		c.opts.progress(Progress{Layer: f.Index, State: LayerFailed})
	}
	return nil
}

// plausible refuses what an honest worker never says: the bytes of a layer may have taken it over. One result for
// each layer bounds what the parent holds, and a result under another diff id than the image claims would be kept
// for other images.
func (c *child) plausible(f frame, results map[int]analysed) error {
	if f.Kind == frameReady {
		return nil
	}
	l, asked := c.layer(f.Index)
	if !asked {
		return fmt.Errorf("the worker spoke of layer %d, which it was not asked for", f.Index)
	}
	if _, told := results[f.Index]; told {
		return fmt.Errorf("the worker spoke of layer %d after its end", f.Index)
	}
	if claimed := l.claim(); f.Kind == frameLayer && claimed != "" && f.DiffID != claimed {
		return fmt.Errorf("the worker took layer %d for %.100q, not %s", f.Index, f.DiffID, claimed)
	}
	return nil
}

// layer finds what the worker was asked for by its index; nil for a live directory, which counts as layer 0.
func (c *child) layer(index int) (l *missing, asked bool) {
	for i := range c.layers {
		if c.layers[i].Index == index {
			return &c.layers[i], true
		}
	}
	return nil, len(c.layers) == 0 && index == 0
}

// claim is the diff id that the layer was verified to have, or that the image claims for it; "" for none.
func (l *missing) claim() string {
	if l == nil {
		return ""
	}
	return cmp.Or(l.verified, l.DiffID)
}

// pump copies a remote layer into the worker's pipe, once the worker has asked for it.
func (c *child) pump(ctx context.Context, index int) {
	pipe := c.pipes[index]
	if pipe == nil {
		return
	}
	delete(c.pipes, index)
	l, _ := c.layer(index) // who has a pipe was asked for
	c.pumping.Go(func() {
		defer pipe.Close()
		if err := copyBlob(ctx, &l.Blob, pipe); err != nil && !errors.Is(err, os.ErrClosed) && !isBrokenPipe(err) {
			c.mu.Lock()
			c.pumpErr[index] = err
			c.mu.Unlock()
		}
	})
}

func copyBlob(ctx context.Context, b *image.Blob, w io.Writer) error {
	r, err := b.Open(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(w, r)
	return err
}

// tail keeps the first few kilobytes that a dying worker says: a Go crash names its cause first.
type tail struct{ buf bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	if room := 4096 - t.buf.Len(); room > 0 {
		t.buf.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (t *tail) String() string {
	line, _, _ := strings.Cut(strings.TrimSpace(t.buf.String()), "\n")
	if line == "" {
		return ""
	}
	return ": " + line
}

func (l *layerRequest) name() string {
	return (&image.Layer{Index: l.Index, DiffID: l.DiffID, Digest: l.Digest}).Name()
}
