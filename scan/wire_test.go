package scan

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFrames(t *testing.T) {
	var b bytes.Buffer
	want := []frame{{Kind: frameStart, Index: 3}, {Kind: frameLayer, Index: 3, DiffID: "sha256:x", Size: 9}, {Kind: frameFailed, Error: "no"}}
	payloads := []string{"", "payload", ""}
	for i, f := range want {
		if err := writeFrame(&b, f, []byte(payloads[i])); err != nil {
			t.Fatal(err)
		}
	}
	whole := b.Bytes()
	r := bytes.NewReader(whole)
	for i := range want {
		got, payload, err := readFrame(r)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[i], got); diff != "" || string(payload) != payloads[i] {
			t.Errorf("frame %d: %s, payload %q", i, diff, payload)
		}
	}
	if _, _, err := readFrame(r); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	for cut := 1; cut < 8; cut++ {
		if _, _, err := readFrame(bytes.NewReader(whole[:cut])); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut after %d bytes: %v", cut, err)
		}
	}
}

func FuzzReadFrame(f *testing.F) {
	var b bytes.Buffer
	if err := writeFrame(&b, frame{Kind: frameLayer, DiffID: "sha256:x"}, []byte("payload")); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte{0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, '{'})
	f.Fuzz(func(t *testing.T, b []byte) {
		for r := bytes.NewReader(b); ; {
			if _, _, err := readFrame(r); err != nil {
				return
			}
		}
	})
}

func TestJobs(t *testing.T) {
	if jobs(0) < 2 {
		t.Errorf("%d layers at once by default: they are meant to be read in parallel", jobs(0))
	}
	if got := jobs(1); got != 1 {
		t.Errorf("asked for 1, got %d", got)
	}
	if got := jobs(1 << 20); got != maxJobs {
		t.Errorf("asked for a million, got %d", got)
	}
}
