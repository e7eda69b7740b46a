package feed

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seawall/seawall/scan/advisory/feed/fetch"
	"github.com/seawall/seawall/scan/advisory/version"
)

// Limits of what is fetched, in bytes.
const (
	maxArchive = 8 << 30
	maxSmall   = 1 << 20
	maxList    = 1 << 30 // Debian's tracker has about 100 MiB
	maxDelta   = 256 << 20
)

// refreshAfter is how long changed records are added one by one before the whole archive is fetched again, which
// also shows what has vanished.
const refreshAfter = 7 * 24 * time.Hour

// mirror is a server with the layout of OSV's bucket (google.github.io/osv.dev/data).
type mirror struct {
	base  string
	files *fetch.Client
	paths paths
	cfg   *Config
}

// ecosystems reads ecosystems.txt: a name a line. Releases ("Debian:12") are part of their ecosystem's archive.
func (m *mirror) ecosystems(ctx context.Context) ([]string, error) {
	if m.cfg.Ecosystems != nil {
		return m.cfg.Ecosystems, nil
	}
	data, err := m.files.Bytes(ctx, m.base+"ecosystems.txt", maxSmall)
	if err != nil {
		return nil, err
	}
	var out []string
	for line := range strings.Lines(string(data)) {
		name := strings.TrimSpace(line)
		if name != "" && !strings.ContainsAny(name, ":/\\") && version.Supported(name) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%secosystems.txt names no ecosystem that is known", m.base)
	}
	slices.Sort(out)
	return out, nil
}

// osv brings one ecosystem's records up to date.
func (m *mirror) osv(ctx context.Context, ecosystem string, have input) (input, state, error) {
	whole := !m.present(have) || have.URL != m.archiveURL(ecosystem) || have.Cursor.IsZero() || m.cfg.now().Sub(have.Full) > refreshAfter
	if !whole {
		rows, err := m.changes(ctx, ecosystem, have)
		switch {
		case errors.Is(err, fetch.ErrNotFound): // a mirror of the archives alone
		case err != nil:
			return have, failed, err
		case len(rows) == 0:
			have.Fetched = m.cfg.now()
			return have, unchanged, nil
		case len(rows) <= m.cfg.incrementalLimit() && have.Changed+len(rows) <= 10*m.cfg.incrementalLimit():
			got, err := m.fetchChanges(ctx, ecosystem, have, rows)
			if err == nil || !errors.Is(err, fetch.ErrNotFound) {
				return got, incremental, err
			}
			// A record has vanished since the list was written: only the archive says what is left.
		}
	}
	return m.archive(ctx, ecosystem, have)
}

func (m *mirror) present(have input) bool {
	st, err := os.Stat(m.paths.source(have.Path))
	return err == nil && have.Path != "" && st.Size() == have.Size
}

func (m *mirror) archive(ctx context.Context, ecosystem string, have input) (input, state, error) {
	name := filepath.Join("osv", url.PathEscape(ecosystem)+".zip")
	in := input{Name: "osv/" + ecosystem, Kind: osvZip, URL: m.archiveURL(ecosystem), Path: name}
	return m.file(ctx, in, have, maxArchive)
}

func (m *mirror) archiveURL(ecosystem string) string {
	return m.base + url.PathEscape(ecosystem) + "/all.zip"
}

// file fetches one file unless it is still what have describes.
func (m *mirror) file(ctx context.Context, in, have input, limit int64) (input, state, error) {
	validator := have.Validator
	if have.URL != in.URL || have.Path != in.Path || !m.present(have) {
		validator = fetch.Validator{}
	}
	got, err := m.files.File(ctx, in.URL, m.paths.source(in.Path), limit, validator)
	if err != nil {
		return have, failed, err
	}
	now := m.cfg.now()
	if got.NotModified {
		have.Fetched, have.Full = now, now
		return have, unchanged, nil
	}
	in.Fetched, in.Full, in.Validator, in.Size, in.SHA256 = now, now, got.Validator, got.Size, got.SHA256
	in.Records, in.Newest = have.Records, have.Newest // of the last build, until it is read
	return in, fetched, nil
}

// change is one line of modified_id.csv.
type change struct {
	at time.Time
	id string
}

// changes reads the ecosystem's list of changes, newest first, up to what is known.
func (m *mirror) changes(ctx context.Context, ecosystem string, have input) ([]change, error) {
	body, err := m.files.Stream(ctx, m.base+url.PathEscape(ecosystem)+"/modified_id.csv")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return readChanges(body, have, 10*m.cfg.incrementalLimit())
}

// readChanges stops at the first line that is older than the cursor, or after limit lines.
func readChanges(r io.Reader, have input, limit int) ([]change, error) {
	var out []change
	known := map[string]bool{}
	for _, id := range have.AtCursor {
		known[id] = true
	}
	lines := bufio.NewScanner(r)
	for lines.Scan() && len(out) < limit {
		when, id, _ := strings.Cut(strings.TrimSpace(lines.Text()), ",")
		at, err := time.Parse(time.RFC3339, when)
		if err != nil || id == "" {
			return nil, fmt.Errorf("reading the list of changes: %.80q is not a time and an id", lines.Text())
		}
		if at.Before(have.Cursor) {
			break
		}
		id = id[strings.LastIndexByte(id, '/')+1:]
		if at.Equal(have.Cursor) && known[id] {
			continue
		}
		out = append(out, change{at, id})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading the list of changes: %w", err)
	}
	return out, nil
}

// fetchChanges adds the changed records to the ecosystem's delta, as a new file: the manifest still knows the old one.
func (m *mirror) fetchChanges(ctx context.Context, ecosystem string, have input, rows []change) (input, error) {
	records := make([][]byte, len(rows))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for i, row := range rows {
		g.Go(func() error {
			data, err := m.files.Bytes(gctx, m.base+url.PathEscape(ecosystem)+"/"+url.PathEscape(row.id)+".json", maxRecord)
			if err != nil {
				return err
			}
			var line bytes.Buffer
			if err := json.Compact(&line, data); err != nil {
				return fmt.Errorf("changed record %.80s: %w", row.id, err)
			}
			records[i] = line.Bytes()
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return have, err
	}
	return m.appendDelta(ecosystem, have, rows, records)
}

func (m *mirror) appendDelta(ecosystem string, have input, rows []change, records [][]byte) (input, error) {
	delta, err := readDelta(m.paths, have)
	if err != nil {
		return have, err
	}
	got := have
	got.Fetched = m.cfg.now()
	for i, row := range rows {
		delta[row.id] = records[i]
		if row.at.After(got.Cursor) {
			got.Cursor, got.AtCursor = row.at, nil
		}
	}
	for _, row := range rows {
		if row.at.Equal(got.Cursor) {
			got.AtCursor = append(got.AtCursor, row.id)
		}
	}
	got.Delta = filepath.Join("osv", fmt.Sprintf("%s.%d.jsonl", url.PathEscape(ecosystem), got.Cursor.UnixNano()))
	got.Changed = len(delta)
	return got, writeDelta(m.paths.source(got.Delta), delta)
}

func writeDelta(path string, delta map[string][]byte) error {
	ids := make([]string, 0, len(delta))
	for id := range delta {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var out bytes.Buffer
	for _, id := range ids {
		out.Write(delta[id])
		out.WriteByte('\n')
	}
	if out.Len() > maxDelta {
		return fmt.Errorf("the changed records have more than %d MiB", maxDelta>>20)
	}
	return writeFile(path, out.Bytes())
}

// readDelta returns the changed records by id.
func readDelta(p paths, in input) (map[string][]byte, error) {
	out := map[string][]byte{}
	if in.Delta == "" {
		return out, nil
	}
	f, err := os.Open(p.source(in.Delta))
	if err != nil {
		return nil, fmt.Errorf("reading the changed records: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxDelta))
	if err != nil {
		return nil, fmt.Errorf("reading the changed records: %w", err)
	}
	for line := range bytes.Lines(data) {
		var r struct{ ID string }
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("reading the changed records: %w", err)
		}
		out[r.ID] = bytes.TrimSpace(line)
	}
	return out, nil
}
