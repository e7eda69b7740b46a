package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// result is all runs of one command. Times are in milliseconds, memory in MiB.
type result struct {
	Case    string    `json:"case,omitempty"`
	Name    string    `json:"name"`
	Command string    `json:"command"`
	Wall    []float64 `json:"wallMs"`
	CPU     []float64 `json:"cpuMs"`
	Tree    float64   `json:"treeMiB,omitempty"`
	Largest float64   `json:"largestProcessMiB"`
}

func (r *result) add(s sample, timed bool) {
	r.Tree = max(r.Tree, mebibytes(s.tree))
	r.Largest = max(r.Largest, mebibytes(s.largest))
	if timed {
		r.Wall = append(r.Wall, milliseconds(s.wall))
		r.CPU = append(r.CPU, milliseconds(s.cpu))
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

func median[T cmp.Ordered](values []T) T {
	var zero T
	if len(values) == 0 {
		return zero
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// printTable writes one line per command. Its ratios are to the first command: of the medians, and of the minima,
// which a busy machine disturbs least.
func printTable(out io.Writer, title string, results []result) error {
	if title != "" {
		fmt.Fprintf(out, "\n%s\n", title)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\twall ms min\tmedian\tmax\tCPU ms\tpeak MiB tree\tone process\tratio of minima\tof medians\t\n")
	first := results[0]
	for _, r := range results {
		if len(r.Wall) == 0 {
			continue
		}
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.1f\t%.0f\t%.0f\t%.0f\t%.2f\t%.2f\t\n", r.Name,
			slices.Min(r.Wall), median(r.Wall), slices.Max(r.Wall), median(r.CPU), r.Tree, r.Largest,
			slices.Min(r.Wall)/slices.Min(first.Wall), median(r.Wall)/median(first.Wall))
	}
	return w.Flush()
}
