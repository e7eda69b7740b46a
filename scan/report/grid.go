package report

import "strings"

// column is one column of a grid of text.
type column struct {
	head string
	// max bounds the width always, 0 for no bound; min is how far it may shrink when the terminal is narrow, 0 for
	// not at all.
	max, min int
	// drop: the column may go altogether when shrinking is not enough; the last such column goes first.
	drop bool
	// left cuts on the left, for paths.
	left bool
	// paint colours a cell after it has been padded.
	paint func(row int, text string) string
}

// grid lays out rows in columns. Cells are printable text: whoever fills it has seen to that.
type grid struct {
	columns []column
	rows    [][]string
}

const (
	indent = "  "
	gutter = "  "
)

// write appends the grid to b, header first, no line wider than width (0: as wide as it comes).
func (g *grid) write(b *strings.Builder, width int, dim func(string) string) {
	widths := g.widths(width)
	var heads []string
	for _, c := range g.columns {
		heads = append(heads, c.head)
	}
	b.WriteString(dim(g.line(heads, widths, nil)) + "\n")
	for i, row := range g.rows {
		b.WriteString(g.line(row, widths, func(col int, text string) string {
			if paint := g.columns[col].paint; paint != nil {
				return paint(i, text)
			}
			return text
		}) + "\n")
	}
}

func (g *grid) line(row []string, widths []int, paint func(int, string) string) string {
	last := len(row) - 1
	for last > 0 && (widths[last] == 0 || row[last] == "") {
		last--
	}
	var b strings.Builder
	b.WriteString(indent)
	for i := 0; i <= last; i++ {
		if widths[i] == 0 {
			continue
		}
		text := shorten(row[i], widths[i])
		if g.columns[i].left {
			text = shortenLeft(row[i], widths[i])
		}
		if i < last {
			text += strings.Repeat(" ", widths[i]-cells(text))
		}
		if paint != nil {
			text = paint(i, text)
		}
		b.WriteString(text)
		if i < last {
			b.WriteString(gutter)
		}
	}
	return b.String()
}

// widths gives every column its natural width, then shrinks and drops columns until a line fits. A column that is
// empty in every row gets 0.
func (g *grid) widths(width int) []int {
	w := make([]int, len(g.columns))
	for i, c := range g.columns {
		for _, row := range g.rows {
			w[i] = max(w[i], cells(row[i]))
		}
		if c.max > 0 {
			w[i] = min(w[i], c.max)
		}
		if w[i] > 0 {
			w[i] = max(w[i], cells(c.head))
		}
	}
	if width > 0 {
		g.shrink(w, width)
	}
	return w
}

// shrink narrows the columns that may be dropped, then drops them one by one from the right, and takes from the others
// only when that was not enough.
func (g *grid) shrink(w []int, width int) {
	natural := append([]int(nil), w...)
	for keep := len(w); ; keep-- {
		copy(w, natural)
		left := false
		for i, c := range g.columns {
			if c.drop && i >= keep {
				w[i] = 0
			}
			left = left || c.drop && i < keep
		}
		g.narrow(w, width, func(c column) bool { return c.drop })
		if total(w) <= width || !left {
			break
		}
	}
	g.narrow(w, width, func(column) bool { return true })
}

func (g *grid) narrow(w []int, width int, may func(column) bool) {
	for i := len(w) - 1; i >= 0; i-- {
		if c := g.columns[i]; may(c) && c.min > 0 && w[i] > c.min {
			w[i] = max(c.min, w[i]-max(0, total(w)-width))
		}
	}
}

func total(w []int) int {
	sum := len(indent)
	for _, n := range w {
		if n > 0 {
			sum += n + len(gutter)
		}
	}
	return sum - len(gutter)
}
