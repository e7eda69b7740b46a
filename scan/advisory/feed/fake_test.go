package feed

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/advisory/record"
)

// fakeDatabase compiles to JSON with a checksum before it.
type fakeDatabase struct{}

type fakeContent struct {
	Built   time.Time
	Sources []Source
	Records map[string]record.Record
	KEV     map[string]finding.KEV
	EPSS    map[string]finding.EPSS
}

func (c *fakeContent) Add(r record.Record) error {
	if r.ID == "refused" {
		return errors.New("the database does not want it")
	}
	c.Records[r.ID] = r
	return nil
}
func (c *fakeContent) AddKEV(cve string, k finding.KEV)   { c.KEV[cve] = k }
func (c *fakeContent) AddEPSS(cve string, e finding.EPSS) { c.EPSS[cve] = e }

func newContent() *fakeContent {
	return &fakeContent{Records: map[string]record.Record{}, KEV: map[string]finding.KEV{}, EPSS: map[string]finding.EPSS{}}
}

func (fakeDatabase) Build(_ context.Context, path string, builtAt time.Time, sources func() []Source, fill func(Sink) error) error {
	c := newContent()
	if err := fill(c); err != nil {
		return err
	}
	c.Built, c.Sources = builtAt, sources()
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(f, "%x\n", sum)
	// In two parts, so that a test that kills the process finds half a file.
	_, err1 := f.Write(body[:len(body)/2])
	_, err2 := f.Write(body[len(body)/2:])
	return errors.Join(err1, err2, f.Sync(), f.Close())
}

// Sign puts a note over the content's checksum behind the content.
func (fakeDatabase) Sign(path, key string) error {
	_, digest, _, err := readFake(path)
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(key)
	if err != nil {
		return err
	}
	signed, err := note.Sign(&note.Note{Text: digest + "\n"}, signer)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "\n%s", signed)
	return errors.Join(err, f.Close())
}

func (fakeDatabase) Verify(path string, trusted []string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var known []note.Verifier
	for _, key := range trusted {
		v, err := note.NewVerifier(key)
		if err != nil {
			return "", err
		}
		known = append(known, v)
	}
	parts := bytes.SplitN(data, []byte("\n"), 3)
	if len(parts) < 3 {
		return "", errors.New("it bears no signature")
	}
	n, err := note.Open(parts[2], note.VerifierList(known...))
	if err != nil {
		return "", err
	}
	if n.Text != "sha256:"+string(parts[0])+"\n" {
		return "", errors.New("the signature is over something else")
	}
	return n.Sigs[0].Name, nil
}

func (fakeDatabase) Inspect(path string) (Info, error) {
	c, digest, size, err := readFake(path)
	if err != nil {
		return Info{}, err
	}
	info := Info{Digest: digest, BuiltAt: c.Built, Schema: 1, Records: len(c.Records), Size: size, Sources: c.Sources}
	per := map[string]int{}
	for _, r := range c.Records {
		for _, a := range r.Affected {
			per[a.Ecosystem]++
		}
		if r.Modified.After(info.Newest) {
			info.Newest = r.Modified
		}
	}
	for name, n := range per {
		info.Ecosystems = append(info.Ecosystems, Count{Name: name, Records: n})
	}
	slices.SortFunc(info.Ecosystems, func(a, b Count) int { return strings.Compare(a.Name, b.Name) })
	return info, nil
}

func readFake(path string) (*fakeContent, string, int64, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, "", 0, err
	}
	sum, body, _ := bytes.Cut(data, []byte("\n"))
	body, _, _ = bytes.Cut(body, []byte("\n"))
	got := sha256.Sum256(body)
	if string(sum) != hex.EncodeToString(got[:]) {
		return nil, "", 0, errors.New("the database is damaged")
	}
	c := newContent()
	return c, "sha256:" + string(sum), int64(len(data)), json.Unmarshal(body, c)
}

// bucket is a server with the layout of OSV's bucket. Its files change under the test's hands.
type bucket struct {
	*httptest.Server
	mu       sync.Mutex
	files    map[string][]byte
	requests []string
	// answer, if set, may answer a request itself and say so.
	answer func(w http.ResponseWriter, r *http.Request) bool
}

func newBucket(t *testing.T) *bucket {
	b := &bucket{files: map[string][]byte{}}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	body, ok := b.files[strings.TrimPrefix(r.URL.Path, "/")]
	b.requests = append(b.requests, strings.TrimPrefix(r.URL.Path, "/"))
	answer := b.answer
	b.mu.Unlock()
	if answer != nil && answer(w, r) {
		return
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(body)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func (b *bucket) put(name string, body []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.files[name] = body
}

// asked returns the paths requested since the last call, sorted.
func (b *bucket) asked() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.requests
	b.requests = nil
	slices.Sort(out)
	return out
}

// putOSV serves an ecosystem's archive and its list of changes.
func (b *bucket) putOSV(ecosystem string, records ...string) {
	b.put(ecosystem+"/all.zip", archive(records...))
	b.mu.Lock()
	defer b.mu.Unlock()
	names := map[string]bool{}
	for name := range b.files {
		if eco, _, ok := strings.Cut(name, "/all.zip"); ok {
			names[eco] = true
		}
	}
	var list strings.Builder
	for name := range names {
		list.WriteString(name + "\n")
	}
	b.files["ecosystems.txt"] = []byte(list.String() + "Debian:12\nAndroid\n")
}

// putChanges serves records one by one with their list, newest first.
func (b *bucket) putChanges(ecosystem string, records ...string) {
	var list strings.Builder
	for _, r := range records {
		id, modified := idOf(r), modifiedOf(r)
		fmt.Fprintf(&list, "%s,%s\n", modified, id)
		b.put(ecosystem+"/"+id+".json", []byte(r))
	}
	b.put(ecosystem+"/modified_id.csv", []byte(list.String()))
}

func idOf(r string) string       { return fieldOf(r, "id") }
func modifiedOf(r string) string { return fieldOf(r, "modified") }

func fieldOf(r, name string) string {
	var m map[string]any
	if json.Unmarshal([]byte(r), &m) != nil {
		return "broken"
	}
	s, _ := m[name].(string)
	return s
}

// osvJSON is a record as the bucket has it.
func osvJSON(ecosystem, id string, day int) string {
	return fmt.Sprintf(`{"schema_version":"1.7.0","id":%q,"modified":"2026-01-%02dT00:00:00Z",
		"affected":[{"package":{"ecosystem":%q,"name":"p"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1"}]}]}]}`,
		id, day, ecosystem)
}

func manyJSON(ecosystem string, n int) []string {
	var out []string
	for i := range n {
		out = append(out, osvJSON(ecosystem, fmt.Sprintf("T-%s-%d", ecosystem, i), 1+i%20))
	}
	return out
}

func archive(records ...string) []byte {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i, r := range records {
		name := idOf(r)
		if name == "broken" {
			name = fmt.Sprintf("broken-%d", i)
		}
		w, err := z.Create(name + ".json")
		if err == nil {
			_, err = w.Write([]byte(r))
		}
		if err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// fixture is a configuration for an update from b into an empty directory.
func fixture(t *testing.T, b *bucket) Config {
	return Config{
		Dir: filepath.Join(t.TempDir(), "db"), Database: fakeDatabase{}, From: b.URL,
		Download: Download{Tries: 3, Pause: time.Millisecond},
		Now:      func() time.Time { return time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC) },
	}
}

func idsOf(t *testing.T, c Config) []string {
	t.Helper()
	content, _, _, err := readFake(paths(c.Dir).database())
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for id := range content.Records {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func mustUpdate(t *testing.T, c Config) Report {
	t.Helper()
	r, err := Update(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func stateOf(r Report, name string) string {
	for _, s := range r.Sources {
		if s.Name == name {
			return s.State
		}
	}
	return ""
}
