package feed

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/seawall/seawall/finding"
)

const maxEPSS = 1 << 30 // bytes of the unpacked file; it has about 10 MiB

// ReadEPSS reads FIRST's daily EPSS file (first.org/epss/data_stats), gzip or plain: a comment with the date of the
// scores, a header, then "cve,epss,percentile".
func ReadEPSS(r io.Reader, sink Sink) (t Tally, err error) {
	buffered := bufio.NewReader(r)
	r = buffered
	if magic, _ := buffered.Peek(2); string(magic) == "\x1f\x8b" {
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return t, fmt.Errorf("reading the EPSS scores: %w", err)
		}
		r = z
	}
	limited := &io.LimitedReader{R: r, N: maxEPSS}
	lines := bufio.NewScanner(limited)
	for header := false; lines.Scan(); {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "#"):
			t.Newest = epssDate(line)
		case !header:
			if header = strings.HasPrefix(line, "cve,epss,percentile"); !header {
				return t, fmt.Errorf("reading the EPSS scores: the header is %.60q, not cve,epss,percentile", line)
			}
		default:
			t.epss(sink, line)
		}
	}
	switch {
	case lines.Err() != nil:
		return t, fmt.Errorf("reading the EPSS scores: %w", lines.Err())
	case limited.N <= 0:
		return t, fmt.Errorf("reading the EPSS scores: more than %d MiB", maxEPSS>>20)
	case t.Records == 0:
		return t, errors.New("reading the EPSS scores: there are none")
	}
	return t, t.verdict()
}

func (t *Tally) epss(sink Sink, line string) {
	f := strings.Split(line, ",")
	if len(f) < 3 {
		t.reject(f[0], errors.New("it has fewer than three fields"))
		return
	}
	score, err1 := strconv.ParseFloat(f[1], 64)
	percentile, err2 := strconv.ParseFloat(f[2], 64)
	// Written so that it also refuses what is no number.
	if err1 != nil || err2 != nil || !(score >= 0 && score <= 1) || !(percentile >= 0 && percentile <= 1) || !strings.HasPrefix(f[0], "CVE-") {
		t.reject(f[0], fmt.Errorf("%.40q is no score of a CVE", line))
		return
	}
	sink.AddEPSS(strings.Clone(f[0]), finding.EPSS{Score: score, Percentile: percentile})
	t.Records++
}

// epssDate finds "score_date:2025-01-01T00:00:00+0000" in the comment; zero where there is none.
func epssDate(line string) time.Time {
	_, rest, _ := strings.Cut(line, "score_date:")
	if len(rest) < len(time.DateOnly) {
		return time.Time{}
	}
	d, _ := time.Parse(time.DateOnly, rest[:len(time.DateOnly)])
	return d
}
