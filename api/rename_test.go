package api_test

import (
	"testing"
)

// A sign-in provider's user keeps the id and may get another name: it stays the same person.
func TestFourEyesAfterARename(t *testing.T) {
	h := newHub()
	body := `{"repositories":"team/app","as":"accepted","id":"CVE-1","reason":"r","owner":"o","expires":"2026-04-01T00:00:00Z"}`
	alice := owner("alice")
	w := ask(t, h.server(), alice, "POST", "/exceptions", body)
	if w.Code != 201 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	at := w.Header().Get("Location")[len("/api/v1"):]
	alice.Name = "alice-again"
	if w := ask(t, h.server(), alice, "POST", at+"/decision", `{"to":"approved"}`); w.Code != 403 {
		t.Errorf("approved her own: %d %s", w.Code, w.Body)
	}
	namesake := owner("alice")
	namesake.ID = "user:other"
	if w := ask(t, h.server(), namesake, "POST", at+"/decision", `{"to":"approved"}`); w.Code != 200 {
		t.Errorf("a namesake: %d %s", w.Code, w.Body)
	}
}
