package state

import (
	"testing"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/job"
)

// TestLeaseOrder: by priority, then by time; passing by what is not due, what runs already and what no handler takes;
// what a lost worker left comes first.
func TestLeaseOrder(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		put := func(kind, key string, priority int, in time.Duration) {
			t.Helper()
			must(f.Enqueue(t.Context(), job.Job{Kind: kind, Key: key, Priority: priority, RunAt: f.time().Add(in), By: audit.System("test")}))(t)
		}
		take := func(want string) {
			t.Helper()
			j := must(f.Lease(t.Context(), []string{"scan", "match"}, "w", f.time(), f.time().Add(time.Minute)))(t)
			got := ""
			if j != nil {
				got = j.Kind + " " + j.Key
			}
			if got != want {
				t.Errorf("leased %q, want %q", got, want)
			}
		}
		put("scan", "a", 1, 0)
		take("scan a")
		put("scan", "a", 0, 0)         // runs already
		put("other", "b", 0, 0)        // nobody takes it
		put("scan", "c", 0, time.Hour) // later
		put("scan", "d", 7, -time.Second)
		put("scan", "e", 2, 0)
		put("match", "f", 2, -time.Minute)
		take("match f")
		take("scan e")
		take("scan d")
		take("")
		f.advance(2 * time.Minute)
		take("scan a") // the workers of all four are lost
		take("match f")
		take("scan e")
		take("scan d")
	})
}
