package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/seawall/seawall/scan"
)

// meter shows how long work comes along: a bar on a terminal, a plain line a second otherwise.
type meter struct {
	mu     sync.Mutex
	out    io.Writer
	bar    *progressbar.ProgressBar
	last   time.Time
	layers map[int]scan.Progress
}

// newMeter returns nil, which shows nothing, when the user wants quiet.
func newMeter(out io.Writer, quiet bool) *meter {
	if quiet {
		return nil
	}
	m := &meter{out: out, layers: map[int]scan.Progress{}, last: time.Now()}
	if isTerminal(out) {
		m.bar = progressbar.NewOptions64(-1, progressbar.OptionSetWriter(out), progressbar.OptionShowBytes(true),
			progressbar.OptionSetWidth(24), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(65*time.Millisecond),
			progressbar.OptionSetDescription("starting"))
	}
	return m
}

// layer is scan.Options.Progress.
func (m *meter) layer(p scan.Progress) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.layers[p.Layer] = p
	var done, total int64
	var finished int
	for _, l := range m.layers {
		done, total = done+l.Done, total+l.Total
		if l.State == scan.LayerDone || l.State == scan.LayerCached {
			finished++
		}
	}
	m.show(fmt.Sprintf("layer %d/%d", finished, p.Layers), done, total)
}

// bytes reports a transfer: total is 0 when unknown.
func (m *meter) bytes(what string, done, total int64) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.show(what, done, total)
}

func (m *meter) show(what string, done, total int64) {
	if m.bar != nil {
		m.bar.Describe(what)
		m.bar.ChangeMax64(max(total, done, 1))
		m.bar.Set64(done)
		return
	}
	if time.Since(m.last) < time.Second {
		return
	}
	m.last = time.Now()
	fmt.Fprintf(m.out, "%s, %d MiB\n", what, done>>20)
}

// finish removes the bar.
func (m *meter) finish() {
	if m != nil && m.bar != nil {
		m.bar.Finish()
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// width of the terminal in columns, 0 when w is none.
func width(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return columns
}

// color: the terminal shows colours and the user has not asked for none (no-color.org).
func color(t terminal) bool {
	if v, ok := t.env("NO_COLOR"); ok && v != "" {
		return false
	}
	if v, _ := t.env("TERM"); v == "dumb" {
		return false
	}
	return isTerminal(t.out)
}
