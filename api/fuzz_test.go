package api_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/seawall/seawall/api"
	"github.com/seawall/seawall/auth"
)

// FuzzBody sends foreign bytes to routes that read JSON: the answer is a good one or a problem of the client's.
func FuzzBody(f *testing.F) {
	for _, r := range requests {
		if r.body != "" {
			f.Add(r.body)
		}
	}
	f.Add(`{"name":"a","pattern":"a","trust":{"signers":[{"keyless":null,"notation":{}}],"attestations":[{}]},"mirror":{"tags":["["]}}`)
	f.Add(strings.Repeat(`{"a":`, 100))
	routes := [][2]string{{"POST", "/rules"}, {"POST", "/exceptions"}, {"PUT", imagePathA + "/override"}, {"PATCH", "/findings/t2"}, {"POST", "/notify/targets"},
		{"POST", "/notify/rules"}, {"POST", "/imports"}, {"POST", "/exceptions/1/decision"}, {"POST", "/credentials"}}
	f.Fuzz(func(t *testing.T, body string) {
		s := newHub().server()
		for _, r := range routes {
			w := ask(t, s, owner("olga"), r[0], r[1], body)
			if w.Code >= 500 {
				t.Fatalf("%v: %d %s", r, w.Code, w.Body)
			}
			if w.Code >= 400 && problem(t, w.Body.Bytes()).Status != w.Code {
				t.Fatalf("%v: %s", r, w.Body)
			}
		}
	})
}

// FuzzQuery sends foreign parameters to every listing.
func FuzzQuery(f *testing.F) {
	f.Add("limit=1&cursor=o1&search=%00")
	f.Add("before=9223372036854775807&from=2026-01-01&severity=high")
	f.Add("a;b&%zz")
	f.Fuzz(func(t *testing.T, query string) {
		s := newHub().server()
		for _, path := range []string{"/images", "/findings", "/audit", "/jobs", imagePathA + "/packages", "/reports/outdated", "/trend", "/events"} {
			r := httptest.NewRequest("GET", api.Prefix+path, nil)
			r.URL.RawQuery = query
			r.Method = "HEAD" // events end at once
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r.WithContext(auth.With(r.Context(), teamReader())))
			if w.Code >= 500 {
				t.Fatalf("%s?%s: %d %s", path, query, w.Code, w.Body)
			}
		}
	})
}

// FuzzCell: whatever stands in a cell, no spreadsheet takes it for a formula, and CSV readers get it back.
func FuzzCell(f *testing.F) {
	f.Add("=1+1")
	f.Add("\t=1")
	f.Fuzz(func(t *testing.T, text string) {
		cell := api.Cell(text)
		if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
			t.Fatalf("%q", cell)
		}
		var b strings.Builder
		w := csv.NewWriter(&b)
		w.Write([]string{cell, "x"})
		w.Flush()
		row, err := csv.NewReader(strings.NewReader(b.String())).Read()
		if err != nil || len(row) != 2 || row[0] != strings.ReplaceAll(cell, "\r\n", "\n") {
			t.Fatalf("%q became %q, %v", cell, row, err)
		}
	})
}

// FuzzPath: no path makes anything but an answer.
func FuzzPath(f *testing.F) {
	f.Add("/repositories/team%2Fapp/images/sha256:00/custody")
	f.Add("/rules/-1")
	f.Add("/users/%2e%2e")
	f.Fuzz(func(t *testing.T, path string) {
		u, err := url.Parse(api.Prefix + "/" + strings.TrimPrefix(path, "/"))
		if err != nil || u.Host != "" {
			return
		}
		r := httptest.NewRequest("HEAD", "/", nil)
		r.URL, r.RequestURI = u, u.RequestURI()
		w := httptest.NewRecorder()
		newHub().server().ServeHTTP(w, r.WithContext(auth.With(r.Context(), owner("olga"))))
		if w.Code >= 500 && w.Code != 503 {
			var p api.Problem
			json.Unmarshal(w.Body.Bytes(), &p)
			t.Fatalf("%s: %d %+v", path, w.Code, p)
		}
	})
}
