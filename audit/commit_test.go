package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

func sample() Entry {
	e := New(time.Date(2026, 11, 20, 8, 0, 0, 123456789, time.FixedZone("", 3600)), Actor{Kind: ActorUser, ID: "user:alice", Address: "192.0.2.1"},
		"image.push", Object{Kind: "image", Name: "team/app@sha256:00"})
	e.Detail = map[string]string{"b": "2", "a": "<1>"}
	return e
}

func canonical(t *testing.T, e Entry) []byte {
	t.Helper()
	b, err := e.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCanonicalForm pins the bytes: a log that exists must verify for ever.
func TestCanonicalForm(t *testing.T) {
	e := sample()
	e.ID = "00112233445566778899aabbccddeeff"
	const want = `{"id":"00112233445566778899aabbccddeeff","time":"2026-11-20T07:00:00.123456Z","actor":{"kind":"user","id":"user:alice","address":"192.0.2.1"},` +
		`"action":"image.push","object":{"kind":"image","name":"team/app@sha256:00"},"outcome":"done","detail":{"a":"\u003c1\u003e","b":"2"}}`
	if got := string(canonical(t, e)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	const commitment = "2d15bf2a"
	if got := fmt.Sprintf("%x", Commit([]byte("record")))[:8]; got != commitment {
		t.Errorf("commitment %s, want %s", got, commitment)
	}
}

func TestCanonicalFormSurvivesStorage(t *testing.T) {
	many := sample()
	for i := range 200 {
		many.Detail[fmt.Sprint("fact", i)] = "x"
	}
	for name, e := range map[string]Entry{
		"plain":     sample(),
		"bad UTF-8": func() Entry { e := sample(); e.Reason = "a\xffb\x00c"; e.Detail["\xfe"] = "\xfd"; return e }(),
		"long":      func() Entry { e := sample(); e.Object.Name = strings.Repeat("ü", 1<<20); return e }(),
		"many":      many,
		"year":      func() Entry { e := sample(); e.Time = time.Unix(math.MaxInt32*1000, 0); return e }(),
		"nothing":   {},
	} {
		first := canonical(t, e)
		if len(first) > 1<<19 {
			t.Errorf("%s: %d bytes", name, len(first))
		}
		var again Entry
		if err := json.Unmarshal(first, &again); err != nil {
			t.Fatal(err)
		}
		if second := canonical(t, again); !bytes.Equal(first, second) {
			t.Errorf("%s: read again:\n%.300s\n%.300s", name, first, second)
		}
	}
}

func TestCommitmentDependsOnEverything(t *testing.T) {
	base := sample()
	seen := map[[32]byte]int{Commit(canonical(t, base)): -1}
	for i, change := range []func(*Entry){
		func(e *Entry) { e.ID = NewID() }, func(e *Entry) { e.Time = e.Time.Add(time.Microsecond) }, func(e *Entry) { e.Act = "x" },
		func(e *Entry) { e.Actor.Kind = ActorService }, func(e *Entry) { e.Actor.ID = "user:bob" }, func(e *Entry) { e.Actor.Via = "x" },
		func(e *Entry) { e.Actor.Address = "" }, func(e *Entry) { e.Action = "image.delete" }, func(e *Entry) { e.Object.Name = "x" },
		func(e *Entry) { e.Outcome = Failed }, func(e *Entry) { e.Reason = "x" }, func(e *Entry) { e.Detail = nil }, func(e *Entry) { e.Request = "x" },
		func(e *Entry) { e.Object.Name = strings.Repeat("a", 5000) }, func(e *Entry) { e.Object.Name = strings.Repeat("a", 4999) + "b" },
	} {
		e := base
		change(&e)
		c := Commit(canonical(t, e))
		if other, ok := seen[c]; ok {
			t.Errorf("changes %d and %d have the same commitment", i, other)
		}
		seen[c] = i
	}
}
