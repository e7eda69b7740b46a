package translog

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seawall/seawall/audit/verify"
)

func openWitness(t *testing.T, logs ...string) (*WitnessKey, string) {
	t.Helper()
	key, err := OpenWitnessKey(t.Context(), File(filepath.Join(t.TempDir(), "key")), nil, "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWitness(key, t.TempDir(), logs)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/witness/add-checkpoint", w)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return key, server.URL + "/witness"
}

func TestWitnessedExports(t *testing.T) {
	logKey := testKey(t)
	key, url := openWitness(t, logKey.Public())
	l, s := filled(t, 300, func(c *Config) { c.Key = logKey; c.Witnesses = []RemoteWitness{{URL: url, Key: key.Public()}} })
	for round := range 3 {
		s.add(77)
		await(t, "more records", func() bool { return s.waiting() == 0 })
		dir := filepath.Join(t.TempDir(), "export")
		if err := l.ExportDir(t.Context(), All, dir); err != nil {
			t.Fatal(err)
		}
		report, err := verify.Dir(t.Context(), dir, verify.Options{Key: l.Public(), Witnesses: []string{key.Public()}, MinWitnesses: 1})
		if err != nil || len(report.Cosigned) != 1 || report.Cosigned[0].Time.IsZero() {
			t.Errorf("round %d: %+v, %v", round, report, err)
		}
	}
	await(t, "the status", func() bool { return l.Status().Copies[0].Size == 300+3*77 })
}

func TestAWitnessThatIsAwayHoldsUpNothing(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	key, err := OpenWitnessKey(t.Context(), File(filepath.Join(t.TempDir(), "key")), nil, "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	l, _ := filled(t, 10, func(c *Config) { c.Witnesses = []RemoteWitness{{URL: server.URL, Key: key.Public()}} })
	await(t, "the status", func() bool { return l.Status().Copies[0].Error != "" })
	dir := filepath.Join(t.TempDir(), "export")
	if err := l.ExportDir(t.Context(), All, dir); err != nil {
		t.Fatal(err)
	}
	if _, err := verify.Dir(t.Context(), dir, verify.Options{Key: l.Public()}); err != nil {
		t.Error(err)
	}
}

func TestAWitnessRefuses(t *testing.T) {
	key := testKey(t)
	l, s := filled(t, 40, func(c *Config) { c.Key = key })
	first, _, _ := l.Checkpoint()
	s.add(20)
	await(t, "more", func() bool { return s.waiting() == 0 })
	second, _, _ := l.Checkpoint()
	other, _ := filled(t, 40, func(c *Config) { c.Key = key }) // the same key signs another history
	forked, _, _ := other.Checkpoint()
	foreign, _ := filled(t, 1)
	unsigned, _, _ := foreign.Checkpoint() // of the same name, by another key
	hashes, err := l.consistency(40, 60)
	if err != nil {
		t.Fatal(err)
	}
	var good strings.Builder
	for _, h := range hashes {
		good.WriteString(b64(h) + "\n")
	}
	_, url := openWitness(t, key.Public())
	for _, step := range []struct {
		name, body string
		want       int
		text       string
	}{
		{"garbage", "hello", 400, ""},
		{"no size", "old x\n\n" + string(first), 400, ""},
		{"a negative size", "old -1\n\n" + string(first), 400, ""},
		{"an odd size", "old 007\n\n" + string(first), 400, ""},
		{"another log", "old 0\n\n" + strings.Replace(string(first), "hub.example", "x.example", 1), 404, ""},
		{"another key", "old 0\n\n" + string(unsigned), 403, ""},
		{"altered", "old 0\n\n" + strings.Replace(string(first), "\n40\n", "\n41\n", 1), 403, ""},
		{"the first", "old 0\n\n" + string(first), 200, "— witness.example "},
		{"the first again", "old 40\n\n" + string(first), 200, "— witness.example "},
		{"another of the same size", "old 40\n\n" + string(forked), 409, "40\n"},
		{"from nothing", "old 0\n\n" + string(second), 409, "40\n"},
		{"without a proof", "old 40\n\n" + string(second), 422, ""},
		{"a wrong proof", "old 40\n" + b64(make([]byte, 32)) + "\n\n" + string(second), 422, ""},
		{"a short hash", "old 40\nAAAA\n\n" + string(second), 400, ""},
		{"a long proof", "old 40\n" + strings.Repeat(b64(make([]byte, 32))+"\n", 64) + "\n" + string(second), 400, ""},
		{"the second", "old 40\n" + good.String() + "\n" + string(second), 200, "— witness.example "},
		{"back to the first", "old 60\n\n" + string(first), 400, ""},
		{"too long", strings.Repeat("a", maxSubmission+1), 413, ""},
	} {
		answer, err := http.Post(url+"/add-checkpoint", "text/plain", strings.NewReader(step.body))
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if _, err := copyAll(&b, answer); err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != step.want || !strings.Contains(b.String(), step.text) {
			t.Errorf("%s: %d %q, want %d", step.name, answer.StatusCode, b.String(), step.want)
		}
	}
	answer, err := http.Get(url + "/add-checkpoint")
	if err != nil || answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %v, %v", answer.Status, err)
	}
	answer.Body.Close()
}

func FuzzSubmission(f *testing.F) {
	f.Add([]byte("old 40\n" + b64(make([]byte, 32)) + "\n\nhub.example/audit\n40\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		old, hashes, _, err := parseSubmission(body)
		if err == nil && (old < 0 || len(hashes) > maxProof) {
			t.Errorf("%d, %d hashes", old, len(hashes))
		}
	})
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func copyAll(w io.Writer, answer *http.Response) (int64, error) {
	defer answer.Body.Close()
	return io.Copy(w, answer.Body)
}
