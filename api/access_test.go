package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seawall/seawall/api"
	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

// *auth.Authority is what cmd gives.
var _ api.Auth = (*auth.Authority)(nil)

func problem(t *testing.T, body []byte) api.Problem {
	t.Helper()
	var p api.Problem
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatalf("no problem: %s", body)
	}
	return p
}

// TestNobodyMayNothing: without signing in everything but the open routes is 401; signed in without a grant 403 or 404.
func TestNobodyMayNothing(t *testing.T) {
	for _, o := range newHub().server().Operations() {
		path, body, _, header := fill(o)
		h := newHub()
		if w := ask(t, h.server(), auth.Principal{}, o.Method, path, body, header...); o.Action == "open" && w.Code == 401 || o.Action != "open" && w.Code != 401 {
			t.Errorf("%s %s of nobody: %d", o.Method, o.Path, w.Code)
		}
		if o.Action == "open" || o.Action == "signed-in" || o.Action == "pending" {
			continue
		}
		w := ask(t, h.server(), user("nil"), o.Method, path, body, header...)
		if w.Code != 403 && w.Code != 404 {
			t.Errorf("%s %s of a user without a grant: %d %s", o.Method, o.Path, w.Code, w.Body)
		}
		if len(h.records) > 0 {
			t.Errorf("%s %s: refused, and recorded as done: %v", o.Method, o.Path, h.records)
		}
	}
}

// TestEachRouteNeedsItsAction: with every action but the one that it needs, a route is refused.
func TestEachRouteNeedsItsAction(t *testing.T) {
	for _, o := range newHub().server().Operations() {
		if o.Action == "open" || o.Action == "signed-in" || o.Action == "pending" {
			continue
		}
		path, body, _, header := fill(o)
		p := user("most", auth.Grant{Role: "most", Scope: auth.Everything})
		for _, a := range auth.Actions {
			if string(a) != o.Action {
				p.Roles = map[string][]auth.Action{"most": append(p.Roles["most"], a)}
			}
		}
		w := ask(t, newHub().server(), p, o.Method, path, body, header...)
		if w.Code != 403 && !(w.Code == 404 && o.Action == "image.list") {
			t.Errorf("%s %s without %s: %d", o.Method, o.Path, o.Action, w.Code)
		}
	}
}

func TestWhoMustChangeThePasswordMayDoThatOnly(t *testing.T) {
	p := owner("olga")
	p.Must = "password"
	for _, o := range newHub().server().Operations() {
		path, body, status, header := fill(o)
		w := ask(t, newHub().server(), p, o.Method, path, body, header...)
		want := http.StatusForbidden
		if o.Action == "open" || o.Action == "pending" {
			want = status
		}
		if w.Code != want {
			t.Errorf("%s %s: %d, want %d", o.Method, o.Path, w.Code, want)
		}
	}
}

// TestListsShowWhatTheCallerMaySee: a reader of team/** never hears of other/app.
func TestListsShowWhatTheCallerMaySee(t *testing.T) {
	for _, path := range []string{
		"/repositories", "/images", "/images?repository=other/app", "/findings", "/findings?repository=other/app", "/advisories/CVE-2024-0001",
		"/reports/outdated", "/reports/outdated.csv", "/images?format=csv", "/overview", "/images?limit=1",
	} {
		w := ask(t, newHub().server(), teamReader(), "GET", path, "")
		if w.Code != 200 || strings.Contains(w.Body.String(), "other/app") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestUnseenIsAsAbsent(t *testing.T) {
	for _, path := range []string{"/repositories/other%2Fapp", "/repositories/other%2Fapp/images/" + digestB, "/findings/t3", "/trend?repository=other/app"} {
		seen := ask(t, newHub().server(), owner("olga"), "GET", path, "")
		unseen := ask(t, newHub().server(), teamReader(), "GET", path, "")
		if seen.Code != 200 || unseen.Code != 404 {
			t.Errorf("%s: %d for who may see it, %d for who may not", path, seen.Code, unseen.Code)
		}
	}
	gone := ask(t, newHub().server(), teamReader(), "GET", "/repositories/other%2Fgone", "")
	there := ask(t, newHub().server(), teamReader(), "GET", "/repositories/other%2Fapp", "")
	if problem(t, gone.Body.Bytes()).Detail != problem(t, there.Body.Bytes()).Detail {
		t.Error("the answers tell whether a repository exists")
	}
}

// TestPagesAreWholeForWhoSeesLittle follows cursors of one item each.
func TestPagesAreWholeForWhoSeesLittle(t *testing.T) {
	h := newHub()
	h.manifests = nil
	want := 0
	for i := range 90 {
		m := catalog.Manifest{Repository: "other/app", Digest: digest(i), Kind: catalog.KindImage}
		if i%30 == 7 {
			m.Repository = "team/app"
			want++
		}
		h.manifests = append(h.manifests, m)
	}
	got, cursor := 0, ""
	for range 100 {
		var l api.List[catalog.Manifest]
		w := ask(t, h.server(), teamReader(), "GET", "/images?limit=1&cursor="+cursor, "")
		if err := json.Unmarshal(w.Body.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		if len(l.Items) > 1 || l.Total != -1 {
			t.Fatalf("%d items of %d", len(l.Items), l.Total)
		}
		got += len(l.Items)
		if cursor = l.Next; cursor == "" {
			break
		}
	}
	if got != want {
		t.Errorf("%d images, want %d", got, want)
	}
}

func digest(i int) string {
	const hex = "0123456789abcdef"
	return "sha256:" + string(hex[i/16]) + string(hex[i%16]) + strings.Repeat("0", 62)
}

func TestOwnOverviewAddsUpWhatIsSeen(t *testing.T) {
	h := newHub()
	h.overviewFunc = func() (catalog.Overview, error) {
		t.Error("asked for the overview of everything")
		return catalog.Overview{}, nil
	}
	w := ask(t, h.server(), teamReader(), "GET", "/overview", "")
	var o catalog.Overview
	if err := json.Unmarshal(w.Body.Bytes(), &o); err != nil {
		t.Fatal(err)
	}
	if o.Repositories != 1 || o.Counts != (finding.Counts{Critical: 1}) || o.ByStatus[catalog.Rejected] != 1 {
		t.Errorf("%+v", o)
	}
}

func TestSecretsNeverLeave(t *testing.T) {
	for _, path := range []string{"/users", "/users/user:alice", "/notify/targets", "/notify/targets/1", "/tokens", "/users?format=csv"} {
		w := ask(t, newHub().server(), owner("olga"), "GET", path, "")
		for _, secret := range []string{"argon2id", "hush", "aHVzaA"} {
			if w.Code != 200 || strings.Contains(w.Body.String(), secret) {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
		}
	}
}

// TestFourEyes: who requested an exception may refuse it, and may not approve it.
func TestFourEyes(t *testing.T) {
	h := newHub()
	w := ask(t, h.server(), owner("alice"), "POST", "/exceptions/1/decision", `{"to":"approved"}`)
	if w.Code != 403 || problem(t, w.Body.Bytes()).Type != "four-eyes" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if len(h.records) != 1 || h.records[0].Outcome != "refused" || h.records[0].Actor.Name != "alice" {
		t.Errorf("the attempt is not recorded: %+v", h.records)
	}
	program := owner("robot")
	program.Kind, program.ID = audit.ActorService, "service:robot"
	if w := ask(t, h.server(), program, "POST", "/exceptions/1/decision", `{"to":"approved"}`); w.Code != 403 {
		t.Errorf("a program approves: %d %s", w.Code, w.Body)
	}
	if w := ask(t, h.server(), owner("olga"), "POST", "/exceptions/1/decision", `{"to":"approved"}`); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := ask(t, h.server(), owner("olga"), "POST", "/exceptions/1/decision", `{"to":"refused"}`); w.Code != 409 {
		t.Errorf("deciding again: %d", w.Code)
	}
}

// TestExceptionsOfAPatternNeedAllOfIt: a reviewer of team/app cannot except team/**.
func TestExceptionsOfAPatternNeedAllOfIt(t *testing.T) {
	p := user("rea", auth.Grant{Role: auth.RoleReviewer, Scope: auth.Repository("team/app")})
	body := `{"repositories":"%s","as":"accepted","id":"CVE-1","reason":"r","owner":"o","expires":"2026-04-01T00:00:00Z"}`
	for pattern, want := range map[string]int{"team/app": 201, "team/**": 404, "**": 404, "other/app": 404} {
		w := ask(t, newHub().server(), p, "POST", "/exceptions", strings.Replace(body, "%s", pattern, 1))
		if w.Code != want {
			t.Errorf("%s: %d, want %d: %s", pattern, w.Code, want, w.Body)
		}
	}
	if w := ask(t, newHub().server(), p, "POST", "/exceptions/1/decision", `{"to":"approved"}`); w.Code != 404 {
		t.Errorf("decided about team/*: %d", w.Code)
	}
}

func TestImportNeedsTheDestination(t *testing.T) {
	p := user("imp", auth.Grant{Role: auth.RoleOperator, Scope: auth.Repository("team/**")})
	for destination, want := range map[string]int{"team/app:1": 202, "other/app:1": 404, "team/../other/app": 422, "team/app@sha256:00": 422, "Team/app": 422, "hub.example:5000/team/app": 422} {
		w := ask(t, newHub().server(), p, "POST", "/imports", `{"source":"r.example/a:1","destination":"`+destination+`"}`)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", destination, w.Code, want)
		}
	}
}

func TestRateLimit(t *testing.T) {
	s := newHub().server(func(c *api.Config) {
		c.Allow = func(*http.Request) (time.Duration, bool) { return 1500 * time.Millisecond, false }
	})
	w := ask(t, s, owner("olga"), "GET", "/rules", "")
	if w.Code != 429 || w.Header().Get("Retry-After") != "2" {
		t.Errorf("%d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
}
