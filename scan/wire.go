package scan

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/seawall/seawall/internal/sandbox"
	"github.com/seawall/seawall/scan/image"
)

// Parent and worker talk over the worker's standard streams: one request as JSON on its input, then frames on its
// output. A frame is two big-endian 32-bit lengths, a JSON header and an opaque payload. The parent trusts neither:
// lengths are bounded, and a payload is decoded as JSON into plain values.
const (
	maxHeader  = 1 << 20   // bytes of one frame's header
	maxPayload = 512 << 20 // bytes of one layer's result
)

// request tells the worker what to read. It comes from the parent, so it is trusted.
type request struct {
	Scanned scanned        `json:"scanned"`
	Limits  image.Limits   `json:"limits"`
	Sandbox sandbox.Config `json:"sandbox"`
	Confine bool           `json:"confine"`
	Jobs    int            `json:"jobs"`
	Layers  []layerRequest `json:"layers"`
	RootDir string         `json:"rootDir,omitempty"`
}

// layerRequest is one layer: a section of a file that the worker inherited, or a pipe that the parent fills once the
// worker has asked for it.
type layerRequest struct {
	Index  int    `json:"index"`
	FD     int    `json:"fd"`
	Stream bool   `json:"stream,omitempty"`
	Offset int64  `json:"offset,omitempty"`
	Length int64  `json:"length,omitempty"`
	DiffID string `json:"diffId,omitempty"`
	Digest string `json:"digest,omitempty"`
	// Trusted: the bytes were verified before to have DiffID.
	Trusted bool `json:"trusted,omitempty"`
}

// Kinds of frames.
const (
	frameReady    = "ready"    // the sandbox is in force; Report tells how far
	frameStart    = "start"    // the worker begins with layer Index: a stream may flow
	frameProgress = "progress" // Done bytes of layer Index have been read
	frameLayer    = "layer"    // layer Index is analysed: the payload is its inventory.Layer
	frameFailed   = "failed"   // layer Index could not be read: Error says why
)

type frame struct {
	Kind   string          `json:"kind"`
	Index  int             `json:"index,omitempty"`
	Done   int64           `json:"done,omitempty"`
	DiffID string          `json:"diffId,omitempty"` // computed over the bytes that were read
	Digest string          `json:"digest,omitempty"` // computed, "" where the blob was not hashed
	Size   int64           `json:"size,omitempty"`   // uncompressed
	Error  string          `json:"error,omitempty"`
	Report *sandbox.Report `json:"report,omitempty"`
	// Skipped are parts of a directory that were not entered, as "path: reason".
	Skipped []string `json:"skipped,omitempty"`
}

func writeFrame(w io.Writer, f frame, payload []byte) error {
	header, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("encoding a %s frame: %w", f.Kind, err)
	}
	buf := make([]byte, 8, 8+len(header))
	binary.BigEndian.PutUint32(buf, uint32(len(header)))
	binary.BigEndian.PutUint32(buf[4:], uint32(len(payload)))
	if _, err := w.Write(append(buf, header...)); err != nil {
		return err
	}
	_, err = w.Write(payload)
	return err
}

// readFrame returns io.EOF at a clean end and io.ErrUnexpectedEOF when the worker died in the middle.
func readFrame(r io.Reader) (frame, []byte, error) {
	var lengths [8]byte
	if _, err := io.ReadFull(r, lengths[:]); err != nil {
		return frame{}, nil, err
	}
	header, payload := binary.BigEndian.Uint32(lengths[:]), binary.BigEndian.Uint32(lengths[4:])
	if header > maxHeader || payload > maxPayload {
		return frame{}, nil, fmt.Errorf("a frame of %d and %d bytes: over the limit", header, payload)
	}
	head, err := readN(r, header)
	if err != nil {
		return frame{}, nil, err
	}
	var f frame
	if err := json.Unmarshal(head, &f); err != nil {
		return frame{}, nil, fmt.Errorf("decoding a frame: %w", err)
	}
	body, err := readN(r, payload)
	return f, body, err
}

// readN reads n bytes without trusting n for one large allocation up front.
func readN(r io.Reader, n uint32) ([]byte, error) {
	const step = 1 << 20
	buf := make([]byte, 0, min(n, step))
	for uint32(len(buf)) < n {
		grow := min(n-uint32(len(buf)), step)
		start := len(buf)
		buf = append(buf, make([]byte, grow)...)
		if _, err := io.ReadFull(r, buf[start:]); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return buf, nil
}
