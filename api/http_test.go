package api_test

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/api"
	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

// TestBodiesAreStrict: what is wrong is named by field.
func TestBodiesAreStrict(t *testing.T) {
	for name, c := range map[string]struct {
		path, body string
		status     int
		fields     []string
	}{
		"unknown field":    {"/grants", `{"subject":"user:bob","rolle":"reader"}`, 400, []string{"rolle"}},
		"wrong type":       {"/rules", `{"name":7,"pattern":"a"}`, 400, []string{"name"}},
		"wrong type below": {"/rules", `{"name":"a","pattern":"a","due":{"high":"soon"}}`, 400, []string{"due.high"}},
		"not JSON":         {"/rules", `{"name":`, 400, []string{""}},
		"two values":       {"/rules", `{"name":"a","pattern":"a"} {}`, 400, []string{""}},
		"array":            {"/rules", `[]`, 400, []string{""}},
		"missing":          {"/rules", `{}`, 422, []string{"name", "pattern"}},
		"bad values": {"/rules", `{"name":"a","pattern":"a[","mode":"maybe","quota":-1,"retention":{},"trust":{"signers":[{"name":"x"}]}}`, 422,
			[]string{"pattern", "mode", "quota", "retention", "trust.signers[0]"}},
		"bad duration":  {"/rules", `{"name":"a","pattern":"a","verdictMaxAge":"-3h"}`, 400, []string{""}},
		"exception":     {"/exceptions", `{"repositories":"team/app","as":"open","reason":" ","owner":"o","expires":"2020-01-01T00:00:00Z"}`, 422, []string{"as", "reason", "expires"}},
		"nothing named": {"/exceptions", `{"repositories":"team/app","as":"accepted","reason":"r","owner":"o","expires":"2026-04-01T00:00:00Z"}`, 422, []string{"id"}},
		"two years":     {"/exceptions", `{"repositories":"team/app","as":"accepted","id":"CVE-1","reason":"r","owner":"o","expires":"2028-04-01T00:00:00Z"}`, 422, []string{"expires"}},
		"target":        {"/notify/targets", `{"name":"x","form":"slack","url":"http://u:p@chat.example"}`, 422, []string{"url", "url"}},
	} {
		h := newHub()
		w := ask(t, h.server(), owner("olga"), "POST", c.path, c.body)
		fields := []string{}
		for _, f := range problem(t, w.Body.Bytes()).Errors {
			fields = append(fields, f.Field)
		}
		if diff := cmp.Diff(c.fields, fields); w.Code != c.status || diff != "" {
			t.Errorf("%s: %d %s\n%s", name, w.Code, w.Body, diff)
		}
		if len(h.records) > 0 {
			t.Errorf("%s: recorded %v", name, h.records)
		}
	}
}

func TestBodiesAreBounded(t *testing.T) {
	s := newHub().server(func(c *api.Config) { c.Limits.Body, c.Limits.Report = 100, 100 })
	for _, path := range []string{"/rules", imagePathA + "/reports"} {
		body := `{"name":"` + strings.Repeat("x", 200) + `"}`
		if w := ask(t, s, owner("olga"), "POST", path, body); w.Code != 413 {
			t.Errorf("%s: %d", path, w.Code)
		}
		if w := ask(t, s, owner("olga"), "POST", path, body, "Idempotency-Key", "k"); w.Code != 413 {
			t.Errorf("%s with a key: %d", path, w.Code)
		}
	}
	w := ask(t, s, owner("olga"), "POST", "/rules", `{}`, "Content-Type", "text/plain")
	if w.Code != 415 {
		t.Errorf("a form is taken for JSON: %d", w.Code)
	}
}

const imagePathA = "/repositories/team%2Fapp/images/" + digestA

func TestUnknownParametersAreRefused(t *testing.T) {
	for path, field := range map[string]string{
		"/images?statsu=rejected": "statsu", "/images?status=bad": "status", "/images?limit=0": "limit", "/images?limit=1001": "limit",
		"/findings?severity=worst": "severity", "/audit?from=yesterday": "from", "/images?search=a&search=b": "search",
		"/images?untagged=perhaps": "untagged", "/rules/effective": "repository", "/who-can?action=fly": "action", "/events?topics=gossip": "topics",
	} {
		w := ask(t, newHub().server(), owner("olga"), "GET", path, "")
		p := problem(t, w.Body.Bytes())
		if w.Code != 400 || len(p.Errors) == 0 || p.Errors[0].Field != field {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestWrongPathAndMethod(t *testing.T) {
	s := newHub().server()
	if w := ask(t, s, owner("olga"), "GET", "/nothing", ""); w.Code != 404 || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %s", w.Code, w.Header())
	}
	if w := ask(t, s, owner("olga"), "POST", "/overview", ""); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("%d %s", w.Code, w.Header())
	}
	if w := ask(t, s, owner("olga"), "HEAD", "/rules/1", ""); w.Code != 200 || w.Body.Len() > 0 || w.Header().Get("ETag") == "" {
		t.Errorf("HEAD: %d %q", w.Code, w.Body)
	}
}

func TestConditionalRequests(t *testing.T) {
	h := newHub()
	s := h.server()
	tag := ask(t, s, owner("olga"), "GET", "/rules/1", "").Header().Get("ETag")
	if w := ask(t, s, owner("olga"), "GET", "/rules/1", "", "If-None-Match", tag); w.Code != 304 || w.Body.Len() > 0 {
		t.Errorf("read again: %d", w.Code)
	}
	change := `{"name":"team","pattern":"team/**"}`
	for _, c := range []struct {
		header string
		want   int
	}{{"", 428}, {`"0123"`, 412}, {tag, 200}, {tag, 412}} {
		header := []string{}
		if c.header != "" {
			header = []string{"If-Match", c.header}
		}
		if w := ask(t, s, owner("olga"), "PUT", "/rules/1", change, header...); w.Code != c.want {
			t.Errorf("If-Match %q: %d, want %d", c.header, w.Code, c.want)
		}
	}
	if len(h.records) != 1 || h.records[0].Action != "rule.update" {
		t.Errorf("records: %+v", h.records)
	}
	if h.rules[0].ID != 1 || h.rules[0].Pattern != "team/**" {
		t.Errorf("%+v", h.rules[0])
	}
}

func TestListed(t *testing.T) {
	for header, want := range map[string]bool{
		`"abc"`: true, `W/"abc"`: true, `"abc-gzip"`: true, `"x", "abc"`: true, `*`: true, `"x"`: false, ``: false, `"abcd"`: false,
	} {
		if got := api.Listed(header, "abc"); got != want {
			t.Errorf("%s: %v", header, got)
		}
	}
}

func TestLargeAnswersAreCompressed(t *testing.T) {
	h := newHub()
	for i := range 200 {
		h.rules = append(h.rules, catalog.Rule{ID: int64(i + 2), Name: fmt.Sprint("rule ", i), Pattern: "x/**"})
	}
	plain := ask(t, h.server(), owner("olga"), "GET", "/rules", "")
	small := ask(t, h.server(), owner("olga"), "GET", "/rules", "", "Accept-Encoding", "br, gzip;q=0.5")
	if small.Header().Get("Content-Encoding") != "gzip" || small.Body.Len() > plain.Body.Len()/3 || plain.Header().Get("Vary") != "Accept-Encoding" {
		t.Errorf("%v, %d of %d bytes", small.Header(), small.Body.Len(), plain.Body.Len())
	}
	z, err := gzip.NewReader(small.Body)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil || string(b) != plain.Body.String() {
		t.Errorf("not the same: %v", err)
	}
	if w := ask(t, h.server(), owner("olga"), "GET", "/rules", "", "Accept-Encoding", "gzip; q=0"); w.Header().Get("Content-Encoding") != "" {
		t.Error("compressed for who refuses it")
	}
}

func TestIdempotency(t *testing.T) {
	t.Run("kept by the state", func(t *testing.T) { testIdempotency(t, func(*api.Config) {}) })
	t.Run("kept here", func(t *testing.T) { testIdempotency(t, func(c *api.Config) { c.Answers = nil }) })
}

func testIdempotency(t *testing.T, change func(*api.Config)) {
	h := newHub()
	s := h.server(change)
	rule := `{"name":"new","pattern":"new/**"}`
	first := ask(t, s, owner("olga"), "POST", "/rules", rule, "Idempotency-Key", "k1")
	again := ask(t, s, owner("olga"), "POST", "/rules", rule, "Idempotency-Key", "k1")
	if first.Code != 201 || again.Code != 201 || first.Body.String() != again.Body.String() || first.Header().Get("ETag") != again.Header().Get("ETag") ||
		first.Header().Get("Location") != again.Header().Get("Location") {
		t.Errorf("%d %s %v\n%d %s %v", first.Code, first.Body, first.Header(), again.Code, again.Body, again.Header())
	}
	if len(h.rules) != 2 || len(h.records) != 1 {
		t.Errorf("%d rules, %d records", len(h.rules), len(h.records))
	}
	if w := ask(t, s, owner("olga"), "POST", "/rules", `{"name":"other","pattern":"b"}`, "Idempotency-Key", "k1"); w.Code != 422 || problem(t, w.Body.Bytes()).Type != "key-reused" {
		t.Errorf("another request: %d %s", w.Code, w.Body)
	}
	if w := ask(t, s, owner("otto"), "POST", "/rules", rule, "Idempotency-Key", "k1"); w.Code != 201 || len(h.rules) != 3 {
		t.Errorf("another principal: %d", w.Code)
	}
	if w := ask(t, s, owner("olga"), "POST", "/rules", `{}`, "Idempotency-Key", "k2"); w.Code != 422 {
		t.Errorf("%d", w.Code)
	}
	if w := ask(t, s, owner("olga"), "POST", "/rules", rule, "Idempotency-Key", "k2"); w.Code != 201 {
		t.Errorf("a failed request cannot be tried again: %d %s", w.Code, w.Body)
	}
	if w := ask(t, s, owner("olga"), "POST", "/rules", rule, "Idempotency-Key", "a b"); w.Code != 400 {
		t.Errorf("a key with a space: %d", w.Code)
	}
}

// TestShownOnceIsNotKept: the answer with a token is neither stored nor repeated.
func TestShownOnceIsNotKept(t *testing.T) {
	for _, path := range []string{"/tokens", "/services/service:ci/secrets"} {
		h := newHub()
		s := h.server()
		in := `{"title":"t","expires":"2026-04-01T00:00:00Z"}`
		first := ask(t, s, owner("olga"), "POST", path, in, "Idempotency-Key", "k")
		again := ask(t, s, owner("olga"), "POST", path, in, "Idempotency-Key", "k")
		if first.Code != 201 || again.Code != 409 || problem(t, again.Body.Bytes()).Type != "shown-once" {
			t.Errorf("%d, %d %s", first.Code, again.Code, again.Body)
		}
		for _, k := range h.answers {
			if len(k.answer.Body) > 0 {
				t.Errorf("kept: %s", k.answer.Body)
			}
		}
	}
}

func TestCSVIsGuarded(t *testing.T) {
	w := ask(t, newHub().server(), owner("olga"), "GET", "/findings?format=csv", "")
	rows, err := csv.NewReader(w.Body).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 4 || rows[1][3] != "'=cmd()" {
		t.Errorf("%q", rows)
	}
	for in, want := range map[any]string{"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@a": "'@a", "\tx": "'\tx", "\r=1": "'\r=1", "＝1": "'＝1", "a=1": "a=1", "": "", -5: "-5", true: "true"} {
		if got := api.Cell(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestExportsFollowAllPages(t *testing.T) {
	h := newHub()
	h.manifests = nil
	for i := range 256 {
		h.manifests = append(h.manifests, catalog.Manifest{Repository: "team/app", Digest: digest(i)})
	}
	for limit, want := range map[int]int{0: 256, 256: 256} {
		s := h.server(func(c *api.Config) { c.Limits.Rows = limit })
		rows, err := csv.NewReader(ask(t, s, owner("olga"), "GET", "/images?format=csv", "").Body).ReadAll()
		if err != nil || len(rows)-1 != want {
			t.Errorf("%d rows, %v", len(rows)-1, err)
		}
	}
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("an export that is too long ends like a whole one")
		}
	}()
	ask(t, h.server(func(c *api.Config) { c.Limits.Rows = 255 }), owner("olga"), "GET", "/images?format=csv", "")
}

// The file holds what the hub signs with: running the hub is not enough.
func TestBackupNeedsTheKeys(t *testing.T) {
	h := newHub()
	operator := user("otto", auth.Grant{Role: auth.RoleOperator, Scope: auth.Everything})
	if w := ask(t, h.server(), operator, "GET", "/backup", ""); w.Code != 403 || len(h.records) != 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestBackupTellsFailures(t *testing.T) {
	h := newHub()
	h.backup = func(io.Writer) error { return errors.New("disk: /secret/path") }
	w := ask(t, h.server(), owner("olga"), "GET", "/backup", "")
	if w.Code != 500 || strings.Contains(w.Body.String(), "/secret") || w.Header().Get("Content-Disposition") != "" {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
	if n := len(h.records); n != 2 || h.records[0].Outcome != audit.Intent || h.records[1].Outcome != audit.Failed || h.records[1].Act != h.records[0].ID {
		t.Errorf("%+v", h.records)
	}
	h.backup = func(w io.Writer) error {
		io.WriteString(w, "half")
		return errors.New("disk full")
	}
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("half a backup ends like a whole one")
		}
	}()
	ask(t, h.server(), owner("olga"), "GET", "/backup", "")
}

func TestActsOutsideHaveIntentAndOutcome(t *testing.T) {
	h := newHub()
	h.rotate = func() error { return fmt.Errorf("vault: %w", api.ErrUnavailable) }
	w := ask(t, h.server(), owner("olga"), "POST", "/keys/rotate", "")
	if w.Code != 503 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if len(h.records) != 2 || h.records[0].Outcome != audit.Intent || h.records[1].Outcome != audit.Failed || h.records[1].Reason == "" {
		t.Errorf("%+v", h.records)
	}
}

// TestRecordsAreComplete: what changes something leaves records that name actor, action and object.
func TestRecordsAreComplete(t *testing.T) {
	for _, o := range newHub().server().Operations() {
		path, body, _, header := fill(o)
		if o.Method == "GET" {
			continue
		}
		h := newHub()
		ask(t, h.server(), owner("olga"), o.Method, path, body, header...)
		for _, e := range h.records {
			if e.Actor.ID != "user:olga" || e.Actor.Address != "192.0.2.9" || e.Action == "" || e.Object.Kind == "" || e.Object.Name == "" || e.Outcome == "" {
				t.Errorf("%s %s: %+v", o.Method, o.Path, e)
			}
			if strings.Contains(fmt.Sprint(e), "hush") {
				t.Errorf("%s %s: a secret in a record", o.Method, o.Path)
			}
		}
	}
}

// TestSecretsStayWhereTheyBelong: a stored secret is not sent to another host.
func TestSecretsStayWhereTheyBelong(t *testing.T) {
	for url, want := range map[string]int{"https://chat.example/other": 200, "https://evil.example/": 422, "http://chat.example/hook": 422} {
		w := ask(t, newHub().server(), owner("olga"), "PUT", "/notify/targets/1", `{"name":"chat","form":"webhook","url":"`+url+`"}`)
		if w.Code != want {
			t.Errorf("%s: %d %s", url, w.Code, w.Body)
		}
	}
}

func TestRulesAreCheckedByWhoReadsThem(t *testing.T) {
	h := newHub()
	s := h.server(func(c *api.Config) {
		c.CheckRule = func(r *catalog.Rule) error { return fmt.Errorf("gate: line 3: %w", api.ErrInvalid) }
	})
	w := ask(t, s, owner("olga"), "POST", "/rules", `{"name":"a","pattern":"a","gate":"max: {"}`)
	if w.Code != 422 || len(h.records) > 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestUserWhoCannotBeGrantedIsTakenBack(t *testing.T) {
	h := newHub()
	h.grant = func(auth.Grant) error { return auth.ErrRefused }
	w := ask(t, h.server(), owner("olga"), "POST", "/users", `{"name":"carol","roles":["owner"]}`)
	if diff := cmp.Diff([]string{"user:carol"}, h.gone); w.Code != 403 || diff != "" {
		t.Errorf("%d %s", w.Code, diff)
	}
}

func TestSignIn(t *testing.T) {
	h := newHub()
	w := ask(t, h.server(), auth.Principal{}, "POST", "/session", `{"name":"alice","password":"p"}`)
	var s api.Session
	if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	if !s.SignedIn || s.CSRF != "csrf-of-s3cret" || len(w.Result().Cookies()) != 1 || len(s.Permissions) == 0 {
		t.Errorf("%+v %v", s, w.Result().Cookies())
	}
	for err, want := range map[error]struct {
		status int
		typ    string
	}{
		auth.ErrCode: {401, "totp-required"}, auth.ErrWrong: {401, "wrong-credentials"}, &auth.Paused{For: 5 * time.Second}: {429, "about:blank"}, auth.ErrBusy: {503, "about:blank"},
	} {
		h.signIn = func(string, string, string) error { return err }
		w := ask(t, h.server(), auth.Principal{}, "POST", "/session", `{"name":"alice","password":"p"}`)
		if p := problem(t, w.Body.Bytes()); w.Code != want.status || p.Type != want.typ {
			t.Errorf("%v: %d %s", err, w.Code, w.Body)
		}
	}
}

func TestErrorsOfTheHubStayInTheLog(t *testing.T) {
	p, _ := api.ProblemOf(errors.New("pq: password authentication failed for user x"))
	if p.Status != 500 || strings.Contains(p.Detail, "pq") {
		t.Errorf("%+v", p)
	}
	for err, want := range map[error]int{
		catalog.ErrNotFound: 404, catalog.ErrConflict: 409, catalog.ErrCursor: 400, auth.ErrLast: 409, auth.ErrExists: 409, auth.ErrInvalid: 422,
		fmt.Errorf("%w: %w", auth.ErrRefused, auth.ErrMust): 403, context.DeadlineExceeded: 503, api.ErrUpstream: 502, fmt.Errorf("reading: %w", catalog.ErrNotFound): 404,
	} {
		if p, _ := api.ProblemOf(err); p.Status != want {
			t.Errorf("%v: %d, want %d", err, p.Status, want)
		}
	}
}

func TestCustody(t *testing.T) {
	h := newHub()
	push := audit.New(now.Add(-2*time.Hour), audit.Actor{Kind: audit.ActorUser, ID: "user:alice", Name: "alice", Address: "192.0.2.1"}, "image.push", audit.Object{Kind: "image", Name: "team/app@" + digestA})
	h.note(push)
	s := h.server()
	ask(t, s, owner("olga"), "PUT", imagePathA+"/override", `{"status":"released","reason":"checked by hand"}`)
	w := ask(t, s, owner("olga"), "GET", imagePathA+"/custody", "")
	var c api.Custody
	if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil {
		t.Fatal(err)
	}
	kinds, by := []string{}, map[string]api.CustodyStep{}
	for _, step := range c.Steps {
		kinds = append(kinds, step.Kind)
		by[step.Kind] = step
	}
	want := []string{"built", "pushed", "scanned", "decided", "signed", "attested", "released", "admitted", "running"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
	if a := by["pushed"].Audit; a == nil || a.ID != push.ID || a.Seq != 1 || a.Index != 0 || by["pushed"].From != "192.0.2.1" {
		t.Errorf("pushed: %+v", by["pushed"])
	}
	if r := by["released"]; r.Audit == nil || r.By != "olga" || r.Note != "checked by hand" {
		t.Errorf("released: %+v", r)
	}
	if by["scanned"].Detail["analyser"] != "1" || by["decided"].Detail["database"] != "sha256:db" || by["built"].By == "" {
		t.Errorf("%+v", c.Steps)
	}
	if r := by["running"]; r.Known || r.Note != "no source connected" {
		t.Errorf("running: %+v", r)
	}
}

func TestOutdated(t *testing.T) {
	scan := func(base string, fixable int) *catalog.Evaluation {
		return &catalog.Evaluation{Scanned: now, BaseName: "debian:12", BaseDigest: base, Fixable: fixable}
	}
	images := []catalog.Manifest{
		{Repository: "a", Digest: "old", Platform: "linux/amd64", Created: now.AddDate(0, 0, -10), Scan: scan("sha256:1", 0)},
		{Repository: "b", Digest: "new", Platform: "linux/amd64", Created: now.AddDate(0, 0, -1), Scan: scan("sha256:2", 0)},
		{Repository: "c", Digest: "arm", Platform: "linux/arm64", Created: now.AddDate(0, 0, -9), Scan: scan("sha256:1", 0)},
		{Repository: "d", Digest: "bad", Created: now.AddDate(-1, 0, 0), Scan: &catalog.Evaluation{Scanned: now, Fixable: 3, EndOfLife: "2025-01-01", Distro: "Old Linux 1"}},
		{Repository: "e", Digest: "unknown", Created: now},
	}
	got := map[string][]string{}
	for _, o := range api.OutdatedOf(images, 90*24*time.Hour, now) {
		for _, r := range o.Reasons {
			got[o.Repository] = append(got[o.Repository], r.Kind)
		}
	}
	want := map[string][]string{"a": {api.BaseBehind}, "d": {api.TooOld, api.FixAvailable, api.EndOfLife}, "e": {api.NeverScanned}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestImageFindingsStandBesideOthers(t *testing.T) {
	w := ask(t, newHub().server(), owner("olga"), "GET", imagePathA+"/findings", "")
	var f api.ImageFindings
	if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Items) != 2 || f.Items[0].Tracked == nil || f.Items[0].Tracked.Due.IsZero() || f.Items[1].Tracked != nil || len(f.Imported) != 1 || f.Imported[0].Source != "trivy" {
		t.Errorf("%+v", f)
	}
	for query, want := range map[string]int{"?severity=high": 1, "?search=ghsa-aaaa": 1, "?suppressed=true": 2, "?suppressed=false": 1, "?search=zlib": 0} {
		w := ask(t, newHub().server(), owner("olga"), "GET", imagePathA+"/findings"+query, "")
		if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil || len(f.Items) != want || f.Total != want {
			t.Errorf("%s: %d of %d, %v", query, len(f.Items), f.Total, err)
		}
	}
}

func TestImagesWithoutResultAreToldFromAbsentOnes(t *testing.T) {
	for path, typ := range map[string]string{"/repositories/other%2Fapp/images/" + digestB: "not-evaluated", "/repositories/other%2Fapp/images/sha256:00": "about:blank"} {
		w := ask(t, newHub().server(), owner("olga"), "GET", path+"/findings", "")
		if w.Code != 404 || problem(t, w.Body.Bytes()).Type != typ {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestPartsHavePages(t *testing.T) {
	s := newHub().server()
	var l api.List[finding.Package]
	w := ask(t, s, owner("olga"), "GET", imagePathA+"/packages?limit=1", "")
	if err := json.Unmarshal(w.Body.Bytes(), &l); err != nil || len(l.Items) != 1 || l.Total != 2 || l.Next == "" {
		t.Fatalf("%+v %v", l, err)
	}
	w = ask(t, s, owner("olga"), "GET", imagePathA+"/packages?limit=1&cursor="+l.Next, "")
	l = api.List[finding.Package]{}
	if err := json.Unmarshal(w.Body.Bytes(), &l); err != nil || len(l.Items) != 1 || l.Items[0].Name != "zlib1g" || l.Next != "" {
		t.Errorf("%+v %v", l, err)
	}
	for _, cursor := range []string{"x", "o-1", "oo", "o99999999999999999999"} {
		if w := ask(t, s, owner("olga"), "GET", imagePathA+"/packages?cursor="+cursor, ""); w.Code != 400 {
			t.Errorf("cursor %s: %d", cursor, w.Code)
		}
	}
}

func TestFront(t *testing.T) {
	var log strings.Builder
	front := api.Front{Log: logTo(&log), Quiet: []string{"/healthz"}, StyleSource: "'nonce-x'"}
	h := front.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/panic":
			panic("secret detail")
		case "/late":
			io.WriteString(w, "half")
			panic("late")
		}
		fmt.Fprint(w, auth.RequestID(r.Context()))
	}))
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("X-Request-Id", "forged\nline")
		h.ServeHTTP(w, r)
		return w
	}
	w := get("/x")
	if id := w.Header().Get("X-Request-Id"); len(id) != 32 || w.Body.String() != id {
		t.Errorf("request id %q, %q", id, w.Body)
	}
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'self'", "script-src 'self';", "style-src 'self' 'nonce-x'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy %s lacks %s", policy, want)
		}
	}
	if w.Header().Get("Strict-Transport-Security") != "" {
		t.Error("HSTS without TLS")
	}
	if w := get("/panic"); w.Code != 500 || strings.Contains(w.Body.String(), "secret detail") || problem(t, w.Body.Bytes()).Request == "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "secret detail") || !strings.Contains(log.String(), "status=500") || strings.Contains(log.String(), "forged") {
		t.Errorf("log: %s", log.String())
	}
	log.Reset()
	if get("/healthz"); log.Len() > 0 {
		t.Errorf("log: %s", log.String())
	}
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("a late panic leaves half an answer")
		}
	}()
	get("/late")
}
