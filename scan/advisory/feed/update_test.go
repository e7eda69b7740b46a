package feed

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const kevJSON = `{"title":"t","count":1,"dateReleased":"2026-01-02T00:00:00Z","vulnerabilities":[
	{"cveID":"CVE-2026-1","dateAdded":"2026-01-02","dueDate":"2026-01-23","knownRansomwareCampaignUse":"Known"}]}`

func TestUpdateFromMirror(t *testing.T) {
	b := newBucket(t)
	b.putOSV("npm", osvJSON("npm", "N-1", 1), osvJSON("npm", "N-2", 2))
	b.putOSV("Debian", osvJSON("Debian:12", "D-1", 1))
	b.put("kev/known_exploited_vulnerabilities.json", []byte(kevJSON))
	c := fixture(t, b)
	r := mustUpdate(t, c)
	if diff := cmp.Diff([]string{"D-1", "N-1", "N-2"}, idsOf(t, c)); diff != "" {
		t.Error(diff)
	}
	got := map[string]string{}
	for _, s := range r.Sources {
		got[s.Name] = s.State
	}
	want := map[string]string{"osv/npm": "fetched", "osv/Debian": "fetched", "kev": "fetched", "debian": "absent", "epss": "absent"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if r.Downloaded == 0 || r.Database.Records != 3 || len(r.Database.Sources) != 3 {
		t.Errorf("report: %+v", r)
	}
	b.asked()
	r = mustUpdate(t, c)
	if !r.UpToDate || stateOf(r, "osv/npm") != "unchanged" || stateOf(r, "kev") != "unchanged" {
		t.Errorf("second update: %+v", r)
	}
}

func TestUpdateIncremental(t *testing.T) {
	b := newBucket(t)
	b.putOSV("npm", osvJSON("npm", "N-1", 1), osvJSON("npm", "N-2", 2), osvJSON("npm", "N-3", 2))
	c := fixture(t, b)
	c.IncrementalLimit = 2
	mustUpdate(t, c)

	b.putChanges("npm", osvJSON("npm", "N-4", 4), osvJSON("npm", "N-1", 3), osvJSON("npm", "N-2", 2), osvJSON("npm", "N-3", 2))
	b.asked()
	r := mustUpdate(t, c)
	if s := stateOf(r, "osv/npm"); s != "incremental" {
		t.Errorf("two changes: %s", s)
	}
	for _, path := range b.asked() {
		if strings.HasSuffix(path, ".zip") || strings.HasSuffix(path, "N-2.json") {
			t.Errorf("asked for %s", path)
		}
	}
	if diff := cmp.Diff([]string{"N-1", "N-2", "N-3", "N-4"}, idsOf(t, c)); diff != "" {
		t.Error(diff)
	}
	content, _, _, _ := readFake(paths(c.Dir).database())
	if day := content.Records["N-1"].Modified.Day(); day != 3 {
		t.Errorf("N-1 is the one of day %d, not the changed one", day)
	}
	if r := mustUpdate(t, c); !r.UpToDate {
		t.Errorf("nothing changed: %+v", r.Sources)
	}

	// More changes than the limit: the archive.
	all := []string{osvJSON("npm", "N-5", 5), osvJSON("npm", "N-6", 5), osvJSON("npm", "N-7", 5), osvJSON("npm", "N-4", 4)}
	b.putChanges("npm", all...)
	b.putOSV("npm", append(all, osvJSON("npm", "N-1", 3), osvJSON("npm", "N-2", 2), osvJSON("npm", "N-3", 2))...)
	if s := stateOf(mustUpdate(t, c), "osv/npm"); s != "fetched" {
		t.Errorf("three changes over a limit of two: %s", s)
	}
	if got := idsOf(t, c); len(got) != 7 {
		t.Errorf("records: %v", got)
	}
	if left, _ := filepath.Glob(filepath.Join(c.Dir, "sources", "osv", "*.jsonl")); left != nil {
		t.Errorf("old changes are left: %v", left)
	}
}

func TestVanishedRecordNeedsArchive(t *testing.T) {
	b := newBucket(t)
	b.putOSV("npm", manyJSON("npm", 20)...)
	c := fixture(t, b)
	mustUpdate(t, c)
	b.put("npm/modified_id.csv", []byte("2026-01-30T00:00:00Z,GONE-1\n"))
	if s := stateOf(mustUpdate(t, c), "osv/npm"); s != "unchanged" {
		t.Errorf("the archive is the same: %s", s)
	}
}

func TestArchiveIsFetchedAnewAfterAWeek(t *testing.T) {
	b := newBucket(t)
	b.putOSV("npm", manyJSON("npm", 20)...)
	b.put("npm/modified_id.csv", nil)
	c := fixture(t, b)
	mustUpdate(t, c)
	b.putOSV("npm", manyJSON("npm", 19)...)
	if !mustUpdate(t, c).UpToDate {
		t.Error("no change is listed, but something was fetched")
	}
	later := c.now().Add(refreshAfter + time.Hour)
	c.Now = func() time.Time { return later }
	if s := stateOf(mustUpdate(t, c), "osv/npm"); s != "fetched" {
		t.Errorf("after a week: %s", s)
	}
}

func TestShrinkIsRefused(t *testing.T) {
	b := newBucket(t)
	b.putOSV("npm", manyJSON("npm", 100)...)
	b.putOSV("PyPI", manyJSON("PyPI", 100)...)
	c := fixture(t, b)
	mustUpdate(t, c)
	b.putOSV("npm", manyJSON("npm", 90)...)
	mustUpdate(t, c) // a tenth is not more than a tenth
	b.putOSV("npm", manyJSON("npm", 80)...)
	before := idsOf(t, c)
	for range 2 { // again and again, also when nothing changes any more
		_, err := Update(context.Background(), c)
		var shrunk *ShrinkError
		if !errors.As(err, &shrunk) || !strings.Contains(err.Error(), "npm had 90 records and now has 80") {
			t.Fatalf("got %v", err)
		}
		if diff := cmp.Diff(before, idsOf(t, c)); diff != "" {
			t.Error("the database in use has changed", diff)
		}
	}
	c.AcceptShrink = true
	mustUpdate(t, c)
	if got := len(idsOf(t, c)); got != 180 {
		t.Errorf("%d records", got)
	}
}

// TestShrinkWithoutDatabase: where the database cannot be read, the counts of the last build still stand.
func TestShrinkWithoutDatabase(t *testing.T) {
	b := newBucket(t)
	b.putOSV("npm", manyJSON("npm", 100)...)
	c := fixture(t, b)
	mustUpdate(t, c)
	if err := os.WriteFile(DatabasePath(c.Dir), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.putOSV("npm", manyJSON("npm", 80)...)
	var shrunk *ShrinkError
	for range 2 {
		if _, err := Update(context.Background(), c); !errors.As(err, &shrunk) {
			t.Fatalf("got %v", err)
		}
	}
	b.putOSV("npm", manyJSON("npm", 100)...)
	mustUpdate(t, c)
}

func TestFailingSources(t *testing.T) {
	broken := make([]string, 10)
	for i := range broken {
		broken[i] = `{"id":`
	}
	for name, spoil := range map[string]func(b *bucket){
		"no archive":     func(b *bucket) { b.put("npm/all.zip", []byte("<html>an error page</html>")) },
		"broken records": func(b *bucket) { b.put("npm/all.zip", archive(append(manyJSON("npm", 100), broken...)...)) },
		"empty archive":  func(b *bucket) { b.put("npm/all.zip", archive()) },
		"no list": func(b *bucket) {
			b.mu.Lock()
			defer b.mu.Unlock()
			delete(b.files, "ecosystems.txt")
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBucket(t)
			b.putOSV("npm", manyJSON("npm", 100)...)
			c := fixture(t, b)
			mustUpdate(t, c)
			spoil(b)
			if _, err := Update(context.Background(), c); err == nil {
				t.Error("no error")
			}
			if got := len(idsOf(t, c)); got != 100 {
				t.Errorf("%d records are left in use", got)
			}
		})
	}
}

func TestBadRecordsAreNamed(t *testing.T) {
	b := newBucket(t)
	records := append(manyJSON("npm", 300), `{"id":"BAD-1","modified":"yesterday"}`, osvJSON("npm", "refused", 1), `{"schema_version":"2.0","id":"BAD-2"}`)
	b.putOSV("npm", records...)
	r := mustUpdate(t, fixture(t, b))
	var s SourceReport
	for _, x := range r.Sources {
		if x.Name == "osv/npm" {
			s = x
		}
	}
	all := strings.Join(s.Complaints, "\n")
	if s.Records != 300 || s.Bad != 3 || !strings.Contains(all, "BAD-1: ") || !strings.Contains(all, "BAD-2: ") || !strings.Contains(all, "refused: ") {
		t.Errorf("%+v", s)
	}
}

func TestLastCopyServesWhereTheServerFails(t *testing.T) {
	b := newBucket(t)
	b.putOSV("npm", manyJSON("npm", 10)...)
	b.putOSV("PyPI", manyJSON("PyPI", 10)...)
	c := fixture(t, b)
	mustUpdate(t, c)
	b.putOSV("PyPI", manyJSON("PyPI", 11)...)
	b.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/npm/") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	}
	r := mustUpdate(t, c)
	if stateOf(r, "osv/npm") != "failed" || stateOf(r, "osv/PyPI") != "fetched" || len(idsOf(t, c)) != 21 {
		t.Errorf("%+v", r.Sources)
	}
}

func TestUpdateFromDirectory(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"npm/all.zip":    string(archive(osvJSON("npm", "N-1", 1))),
		"osv/PyPI.jsonl": strings.ReplaceAll(osvJSON("PyPI", "P-1", 1), "\n", "") + "\n\n",
		"kev/known_exploited_vulnerabilities.json": kevJSON,
		"epss/a.csv.gz":                "#model_version:v1,score_date:2026-01-01T00:00:00+0000\ncve,epss,percentile\nCVE-2025-1,0.1,0.2\n",
		"epss/b.csv.gz":                "#model_version:v1,score_date:2026-01-02T00:00:00+0000\ncve,epss,percentile\nCVE-2026-1,0.5,0.9\n",
		"alpine-secdb/v3.20/main.yaml": secdbYAML,
		"debian/tracker.json":          trackerJSON,
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := fixture(t, newBucket(t))
	c.From = dir
	r := mustUpdate(t, c)
	content, _, _, err := readFake(paths(c.Dir).database())
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Sources) != 6 || content.KEV["CVE-2026-1"].Due != "2026-01-23" || content.EPSS["CVE-2026-1"].Score != 0.5 || len(content.EPSS) != 1 {
		t.Errorf("%+v", r.Sources)
	}
	for _, id := range []string{"N-1", "P-1", "ALPINE-CVE-2019-1", "DEBIAN-CVE-2026-1"} {
		if _, ok := content.Records[id]; !ok {
			t.Errorf("no %s", id)
		}
	}
	if r := mustUpdate(t, c); !r.UpToDate {
		t.Errorf("nothing changed: %+v", r.Sources)
	}
	status, err := Status(c.Dir, fakeDatabase{}, nil)
	if err != nil || status.Records != len(content.Records) || len(status.Downloads) != 6 || status.Age(c.now()) != 0 {
		t.Errorf("%v: %+v", err, status)
	}
}

func TestNoDatabase(t *testing.T) {
	if _, err := Status(t.TempDir(), fakeDatabase{}, nil); !errors.Is(err, ErrNoDatabase) {
		t.Errorf("got %v", err)
	}
}

func TestTwoUpdatesAtOnce(t *testing.T) {
	b := newBucket(t)
	b.putOSV("npm", manyJSON("npm", 10)...)
	c := fixture(t, b)
	release, err := paths(c.Dir).acquire()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Update(context.Background(), c); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v", err)
	}
	release()
	mustUpdate(t, c)
}

func TestCancelledUpdate(t *testing.T) {
	b := newBucket(t)
	b.putOSV("npm", manyJSON("npm", 10)...)
	c := fixture(t, b)
	mustUpdate(t, c)
	ctx, cancel := context.WithCancel(context.Background())
	b.answer = func(http.ResponseWriter, *http.Request) bool { cancel(); return false }
	if _, err := Update(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

const (
	childDir  = "SEAWALL_TEST_UPDATE_DIR"
	childFrom = "SEAWALL_TEST_UPDATE_FROM"
)

// TestMain lets TestKilledUpdate start this program again as a process that updates a directory.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		_, err := Update(context.Background(), Config{
			Dir: dir, From: os.Getenv(childFrom), Database: fakeDatabase{}, AcceptShrink: true,
			Download: Download{Tries: 2, Pause: time.Millisecond},
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestKilledUpdate kills updates at random moments and wants a whole database after each, and that the next update
// works.
func TestKilledUpdate(t *testing.T) {
	b := newBucket(t)
	b.putOSV("npm", manyJSON("npm", 2000)...)
	c := fixture(t, b)
	mustUpdate(t, c)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	start := func() *exec.Cmd {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), childDir+"="+c.Dir, childFrom+"="+b.URL)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	random := rand.New(rand.NewPCG(5, 6))
	killed := 0
	b.putOSV("npm", manyJSON("npm", 1950)...) // so that the measured update has something to do
	began := time.Now()
	if err := start().Wait(); err != nil {
		t.Fatal(err)
	}
	whole := time.Since(began)
	rounds := 0
	for ; killed < 20 && rounds < 100; rounds++ {
		b.putOSV("npm", manyJSON("npm", 1900+rounds)...)
		cmd := start()
		time.Sleep(time.Duration(random.Int64N(int64(whole))))
		_ = cmd.Process.Kill()
		if cmd.Wait() != nil {
			killed++
		}
		info, err := fakeDatabase{}.Inspect(DatabasePath(c.Dir))
		if err != nil || info.Records < 1900 {
			t.Fatalf("round %d: %v, %d records", rounds, err, info.Records)
		}
	}
	t.Logf("%d of %d updates were killed before their end", killed, rounds)
	c.AcceptShrink = true
	mustUpdate(t, c)
	if got := len(idsOf(t, c)); got != 1899+rounds {
		t.Errorf("%d records after the last update", got)
	}
	left, _ := filepath.Glob(filepath.Join(c.Dir, ".*"))
	if left != nil {
		t.Errorf("left behind: %v", left)
	}
}
