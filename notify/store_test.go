package notify_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/notify"
	"github.com/seawall/seawall/state"
)

// TestWithState: with the hub's own store, what is told arrives, digests gather, and failures wait.
func TestWithState(t *testing.T) {
	ctx := t.Context()
	db, err := state.Open(ctx, state.Config{DSN: "sqlite:" + filepath.Join(t.TempDir(), "hub.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var hits atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if hits.Add(1) == 1 {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer s.Close()
	by := audit.New(time.Now(), audit.System("test"), "notify.target.create", audit.Object{Kind: "target", Name: "hook"})
	target, err := db.PutTarget(ctx, notify.Target{Name: "hook", Form: notify.Webhook, URL: s.URL, Secret: []byte("key")}, by)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []notify.Rule{{Name: "at once", Target: target.ID}, {Name: "hourly", Target: target.ID, Digest: 60}} {
		if _, err := db.PutNotifyRule(ctx, r, audit.New(time.Now(), audit.System("test"), "notify.rule.create", audit.Object{Kind: "notify-rule", Name: r.Name})); err != nil {
			t.Fatal(err)
		}
	}
	var ahead atomic.Int64
	n, err := notify.New(notify.Config{Store: db, AllowPrivate: true, Poll: 5 * time.Millisecond, Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"1", "2"} {
		if err := n.Tell(ctx, notify.Event{ID: id, Kind: "scan.failed", Title: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	run, stop := context.WithCancel(ctx)
	ended := make(chan error)
	go func() { ended <- n.Run(run) }()
	defer func() { stop(); <-ended }()

	await(t, db, map[string]int{notify.Sent: 1, notify.Waiting: 2})
	ahead.Add(int64(2 * time.Minute))
	await(t, db, map[string]int{notify.Sent: 2, notify.Waiting: 1})
	ahead.Add(int64(time.Hour))
	for _, d := range await(t, db, map[string]int{notify.Sent: 3}) {
		if want := map[bool]int{true: 2, false: 1}[d.Rule == 2]; len(d.Events) != want {
			t.Errorf("delivery of rule %d has %d events", d.Rule, len(d.Events))
		}
	}
}

// await returns the deliveries when so many are in each state.
func await(t *testing.T, db *state.DB, want map[string]int) []notify.Delivery {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		list, err := db.Deliveries(t.Context(), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		got, settled := map[string]int{}, true
		for _, d := range list {
			got[d.State]++
			settled = settled && (d.State != notify.Waiting || d.Attempts > 0 || d.NotBefore.After(time.Now().Add(time.Minute)))
		}
		same := len(got) == len(want)
		for k, v := range want {
			same = same && got[k] == v
		}
		switch {
		case same && settled:
			return list
		case time.Now().After(deadline):
			t.Fatalf("states %v, want %v: %+v", got, want, list)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
