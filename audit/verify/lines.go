package verify

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
)

var partName = regexp.MustCompile(`^[0-9]{12}\.jsonl$`)

// maxParts bounds how many files the records may lie in.
const maxParts = 1 << 20

// lines reads the records of all parts, one after the other.
type lines struct {
	v     *verifier
	parts []string
	file  *os.File
	scan  *bufio.Scanner
	name  string
	line  int // in the part, from 1
}

// lines lists the parts in the order of their names.
func (v *verifier) lines() (*lines, error) {
	info, err := v.root.Lstat(RecordsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return &lines{v: v}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the export: %w", err)
	}
	if !info.IsDir() {
		return nil, damaged("%s is not a directory", RecordsDir)
	}
	d, err := v.root.Open(RecordsDir)
	if err != nil {
		return nil, fmt.Errorf("opening the export: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(maxParts + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("listing %s: %w", RecordsDir, err)
	}
	if len(names) > maxParts {
		return nil, damaged("%s holds more than %d files", RecordsDir, maxParts)
	}
	slices.Sort(names)
	for _, n := range names {
		if !partName.MatchString(n) {
			return nil, damaged("%s/%.80q does not belong to an export", RecordsDir, n)
		}
	}
	return &lines{v: v, parts: names}, nil
}

// next returns the next record and the index that its line tells. The bytes are valid until the next call. At the end it
// returns io.EOF.
func (l *lines) next() (index int64, record []byte, err error) {
	for {
		if l.scan == nil {
			if err := l.openNext(); err != nil {
				return 0, nil, err
			}
		}
		if l.scan.Scan() {
			l.line++
			return l.parse(l.scan.Bytes())
		}
		err := l.scan.Err()
		l.close()
		if errors.Is(err, bufio.ErrTooLong) {
			return 0, nil, damaged("%s: line %d has more than %d bytes", l.name, l.line+1, MaxLine)
		}
		if err != nil {
			return 0, nil, fmt.Errorf("reading %s: %w", l.name, err)
		}
	}
}

func (l *lines) openNext() error {
	if len(l.parts) == 0 {
		return io.EOF
	}
	l.name, l.line = RecordsDir+"/"+l.parts[0], 0
	l.parts = l.parts[1:]
	f, _, err := l.v.open(l.name)
	if err != nil {
		return err
	}
	l.file, l.scan = f, bufio.NewScanner(f)
	l.scan.Buffer(make([]byte, 64<<10), MaxLine)
	return nil
}

func (l *lines) close() {
	if l.file != nil {
		l.file.Close()
	}
	l.file, l.scan = nil, nil
}

func (l *lines) parse(text []byte) (int64, []byte, error) {
	index, record, ok := splitLine(text)
	if !ok {
		return 0, nil, damaged("%s: line %d is malformed", l.name, l.line)
	}
	return index, record, nil
}

var (
	lineStart  = []byte(`{"index":`)
	lineMiddle = []byte(`,"record":`)
)

// splitLine returns the index and the record's bytes of a line. What was written by an export is taken apart without
// parsing it; that it is the right record, its commitment tells.
func splitLine(text []byte) (int64, []byte, bool) {
	if rest, ok := bytes.CutPrefix(text, lineStart); ok && text[len(text)-1] == '}' {
		number, record, ok := bytes.Cut(rest, lineMiddle)
		if index, err := strconv.ParseInt(string(number), 10, 64); ok && err == nil && len(record) > 1 {
			return index, record[:len(record)-1], true
		}
	}
	var line Line
	if err := json.Unmarshal(text, &line); err != nil || len(line.Record) == 0 {
		return 0, nil, false
	}
	return line.Index, line.Record, true
}
