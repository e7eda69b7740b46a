package verify

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"regexp"

	"github.com/seawall/seawall/audit"
)

// progressEvery is after how many records progress is told and the context is asked.
const progressEvery = 4096

// checkRecords holds every record against its leaf.
func (v *verifier) checkRecords(ctx context.Context) error {
	f, _, err := v.open(LeavesFile)
	if err != nil {
		return err
	}
	defer f.Close()
	in, err := v.lines()
	if err != nil {
		return err
	}
	defer in.close()
	leaves := bufio.NewReaderSize(f, 64<<10)
	open := &intents{byID: map[string]Intent{}}
	var leaf [HashSize]byte
	for i := v.manifest.From; i < v.manifest.To; i++ {
		if n := i - v.manifest.From; n%progressEvery == 0 {
			v.progress(n)
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if _, err := io.ReadFull(leaves, leaf[:]); err != nil {
			return reading(LeavesFile, err)
		}
		index, record, err := in.next()
		if errors.Is(err, io.EOF) {
			return problem(Missing, i, "", "record %d is missing: the records end before it, %d are missing", i, v.manifest.To-i)
		}
		if err != nil {
			return at(err, i)
		}
		if commit := audit.Commit(record); commit != leaf {
			return v.diagnose(ctx, f, in, i, leaf, commit, bytes.Clone(record))
		}
		if index != i {
			return problem(Altered, i, idOf(record), "record %d%s was altered: its line says that it is record %d", i, named(idOf(record)), index)
		}
		v.seen(i, record, open)
	}
	v.progress(v.manifest.To - v.manifest.From)
	v.report.OpenIntents, v.report.Open = open.list(), int64(len(open.byID))+open.untracked
	return v.checkEnd(in)
}

// at names the place where a file turned out to be damaged.
func at(err error, index int64) error {
	var p *Problem
	if errors.As(err, &p) && p.Index < 0 {
		return problem(p.Kind, index, "", "record %d: %s", index, p.Message)
	}
	return err
}

// checkEnd: after the last record there is nothing.
func (v *verifier) checkEnd(in *lines) error {
	_, record, err := in.next()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return at(err, v.manifest.To)
	}
	return problem(Added, v.manifest.To, idOf(record), "a record%s follows the last one, number %d", named(idOf(record)), v.manifest.To-1)
}

// diagnose finds out why the record at place i is not the one that the log has there.
func (v *verifier) diagnose(ctx context.Context, leaves *os.File, in *lines, i int64, leaf, commit [HashSize]byte, record []byte) error {
	id := idOf(record)
	place, err := v.placeOf(ctx, leaves, commit)
	if err != nil {
		return err
	}
	later, err := comesLater(ctx, in, leaf)
	if err != nil {
		return err
	}
	switch {
	case place < 0 && later:
		return problem(Added, i, id, "a record that the log does not know%s stands at the place of record %d", named(id), i)
	case place < 0:
		return problem(Altered, i, id, "record %d%s was altered: it is not the one that the log committed to", i, named(id))
	case later:
		return problem(Reordered, i, id, "record %d was moved: in its place stands record %d%s", i, place, named(id))
	case place == i+1:
		return problem(Missing, i, "", "record %d is missing: record %d%s follows the one before it", i, place, named(id))
	case place > i:
		return problem(Missing, i, "", "records %d to %d are missing: record %d%s follows the one before them", i, place-1, place, named(id))
	}
	return problem(Missing, i, "", "record %d is missing: in its place stands record %d%s again", i, place, named(id))
}

// placeOf returns the index of the leaf that is a commitment, -1 if there is none.
func (v *verifier) placeOf(ctx context.Context, leaves *os.File, commit [HashSize]byte) (int64, error) {
	r := bufio.NewReaderSize(io.NewSectionReader(leaves, 0, (v.manifest.To-v.manifest.From)*HashSize), 1<<20)
	var leaf [HashSize]byte
	for i := v.manifest.From; i < v.manifest.To; i++ {
		if i%progressEvery == 0 && ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if _, err := io.ReadFull(r, leaf[:]); err != nil {
			return 0, reading(LeavesFile, err)
		}
		if leaf == commit {
			return i, nil
		}
	}
	return -1, nil
}

// comesLater reports whether one of the following records is that of a leaf. Damaged lines end the search.
func comesLater(ctx context.Context, in *lines, leaf [HashSize]byte) (bool, error) {
	for n := 0; ; n++ {
		if n%progressEvery == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		_, record, err := in.next()
		var p *Problem
		switch {
		case errors.Is(err, io.EOF) || errors.As(err, &p):
			return false, nil
		case err != nil:
			return false, err
		case audit.Commit(record) == leaf:
			return true, nil
		}
	}
}

// seen takes note of what the report tells about records that hold.
func (v *verifier) seen(i int64, record []byte, open *intents) {
	first, last := i == v.manifest.From, i == v.manifest.To-1
	intent, outcome := bytes.Contains(record, []byte(`"outcome":"intent"`)), bytes.Contains(record, []byte(`"act":"`))
	if !first && !last && !intent && !outcome {
		return // most are: no need to parse them
	}
	var e audit.Entry
	if json.Unmarshal(record, &e) != nil {
		return
	}
	if first {
		v.report.First = e.Time
	}
	if last {
		v.report.Last = e.Time
	}
	open.note(i, e)
}

var safeID = regexp.MustCompile(`^[0-9A-Za-z_.-]{1,64}$`)

// idOf returns the id that a record tells, "" where it is not fit to be shown.
func idOf(record []byte) string {
	var e struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(record, &e) != nil || !safeID.MatchString(e.ID) {
		return ""
	}
	return e.ID
}
