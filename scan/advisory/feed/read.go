package feed

import (
	"context"
	"fmt"
	"os"
)

// read hands every source to the sink, in order, and notes what was found.
func (u *update) read(ctx context.Context, sink Sink) error {
	for i := range u.inputs {
		in := &u.inputs[i]
		if p := u.cfg.Download.Progress; p != nil {
			p("reading "+in.Name, int64(i), int64(len(u.inputs)))
		}
		t, err := u.readOne(ctx, in, sink)
		r := u.byName[in.Name]
		r.Bad, r.Complaints = t.Bad, t.Complaints
		if err != nil {
			return fmt.Errorf("source %s: %w", in.Name, err)
		}
		in.Records, in.Newest = t.Records, t.Newest
		if in.Kind == osvZip && in.Delta == "" && !t.Newest.After(in.Full) {
			in.Cursor, in.AtCursor = t.Newest, t.newestIDs
		}
	}
	return nil
}

func (u *update) readOne(ctx context.Context, in *input, sink Sink) (t Tally, err error) {
	path := u.paths.source(in.Path)
	switch in.Kind {
	case osvZip:
		return u.readArchive(ctx, in, path, sink)
	case osvLines:
		return ReadOSVLines(ctx, path, sink)
	}
	f, err := os.Open(path)
	if err != nil {
		return t, err
	}
	defer f.Close()
	switch in.Kind {
	case alpineSecDB:
		return ReadSecDB(f, sink)
	case debianTracker:
		return ReadDebianTracker(f, sink)
	case kevList:
		return ReadKEV(f, sink)
	case epssList:
		return ReadEPSS(f, sink)
	}
	return t, fmt.Errorf("unknown kind %q", in.Kind)
}

// readArchive reads an archive and the records that have changed since, which stand in its place.
func (u *update) readArchive(ctx context.Context, in *input, path string, sink Sink) (Tally, error) {
	changed, err := readDelta(u.paths, *in)
	if err != nil {
		return Tally{}, err
	}
	skip := make(map[string]bool, len(changed))
	for id := range changed {
		skip[id] = true
	}
	t, err := ReadOSVZip(ctx, path, skip, sink)
	if err != nil || in.Delta == "" {
		return t, err
	}
	d, err := ReadOSVLines(ctx, u.paths.source(in.Delta), sink)
	t.Records += d.Records
	t.Bad += d.Bad
	t.Complaints = append(t.Complaints, d.Complaints...)
	if d.Newest.After(t.Newest) {
		t.Newest = d.Newest
	}
	return t, err
}
