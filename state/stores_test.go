package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/job"
	"github.com/seawall/seawall/notify"
)

func TestUsersTokensGrants(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		u := auth.User{ID: "user:alice", Name: "alice", Email: "a@example.org", Groups: []string{"dev"}, Password: "$argon2id$x", TOTP: []byte{1, 2}, TOTPLast: 7,
			HasTOTP: true, Created: f.time(), Failures: 2}
		f.ok(f.PutUser(ctx, u, true, f.by("root", "user.create", "alice")))
		f.want(f.PutUser(ctx, u, true, f.by("root", "user.create", "alice")), auth.ErrExists)
		if d := cmp.Diff(u, must(f.User(ctx, u.ID))(t)); d != "" {
			t.Error(d)
		}
		u.Failures = 0
		f.ok(f.PutUser(ctx, u, false, f.by("root", "user.update", "alice")))
		if d := cmp.Diff([]auth.User{u}, must(f.Users(ctx))(t)); d != "" {
			t.Error(d)
		}
		k := auth.Token{ID: "t1", Kind: auth.TokenSession, Hash: []byte{1}, Subject: u.ID, Created: f.time(), Expires: day(1), Narrow: []auth.Permission{{Action: auth.ImagePull}}}
		f.ok(f.PutToken(ctx, k, nil))
		short := auth.Token{ID: "t2", Kind: auth.TokenRegistry, Hash: []byte{2}, Subject: u.ID, Expires: day(2)}
		f.ok(f.PutToken(ctx, short, nil))
		f.ok(f.TouchTokens(ctx, map[string]time.Time{"t1": day(1), "gone": day(1)}))
		k.Used = day(1)
		if d := cmp.Diff(k, must(f.Token(ctx, k.Hash))(t)); d != "" {
			t.Error(d)
		}
		if got := must(f.Tokens(ctx, ""))(t); len(got) != 1 {
			t.Errorf("%d tokens listed", len(got))
		}
		if n := must(f.DropTokens(ctx, day(1).Add(1)))(t); n != 1 {
			t.Errorf("dropped %d", n)
		}
		g := must(f.PutGrant(ctx, auth.Grant{Subject: u.ID, Role: "owner", Scope: auth.Scope{Kind: auth.ScopeAll}}, f.by("root", "grant.create", "alice")))(t)
		if again := must(f.PutGrant(ctx, auth.Grant{Subject: u.ID, Role: "owner", Scope: auth.Scope{Kind: auth.ScopeAll}}, f.by("root", "grant.create", "alice")))(t); again.ID != g.ID {
			t.Error("the same grant twice")
		}
		if got := must(f.GrantsOf(ctx, []string{"group:dev", u.ID}))(t); len(got) != 1 || got[0] != g {
			t.Errorf("grants %v", got)
		}
		if got := must(f.GrantsOf(ctx, nil))(t); len(got) != 0 {
			t.Errorf("grants of nobody: %v", got)
		}
		f.ok(f.DeleteUser(ctx, u.ID, f.by("root", "user.delete", "alice")))
		f.want(f.DeleteUser(ctx, u.ID, f.by("root", "user.delete", "alice")), auth.ErrNotFound)
		_, err := f.Token(ctx, short.Hash)
		f.want(err, auth.ErrNotFound)
		if got := must(f.Grants(ctx))(t); len(got) != 0 {
			t.Errorf("grants of a user that is gone: %v", got)
		}
		// What was refused left no record.
		if got := must(f.Audit(ctx, audit.Query{Action: "user.create"}))(t); len(got) != 1 {
			t.Errorf("%d records of one creation", len(got))
		}
	})
}

func TestOutbox(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		var ids []string
		for i := range 5 {
			f.advance(time.Minute)
			e := f.by([]string{"alice", "bob"}[i%2], fmt.Sprint("act.", i), fmt.Sprint("team/app", i))
			e.Detail = map[string]string{"n": fmt.Sprint(i)}
			f.ok(f.Record(ctx, e, e)) // twice is once
			ids = append(ids, e.ID)
		}
		pending := must(f.Pending(ctx, 3))(t)
		if len(pending) != 3 || pending[0].ID != ids[0] || pending[0].Index != -1 || pending[2].Seq <= pending[1].Seq {
			t.Fatalf("pending: %+v", pending)
		}
		f.ok(f.Sequenced(ctx, map[string]int64{ids[0]: 0, ids[1]: 1, ids[2]: 2}))
		f.ok(f.Sequenced(ctx, map[string]int64{ids[0]: 9})) // a place is never changed
		if got := must(f.Pending(ctx, 10))(t); len(got) != 2 {
			t.Errorf("%d pending", len(got))
		}
		if got := must(f.Records(ctx, 1, 10))(t); len(got) != 2 || got[0].Index != 1 || got[0].Detail["n"] != "1" {
			t.Errorf("records %+v", got)
		}
		for q, want := range map[audit.Query]int{
			{}: 5, {Actor: "alice"}: 3, {Actor: "user:bob"}: 2, {Action: "act.1"}: 1, {Object: "team/*"}: 5, {Object: "team/app4"}: 1, {Object: "*"}: 5,
			{Object: "team"}: 0, {From: start.Add(3 * time.Minute)}: 3, {To: start.Add(3 * time.Minute)}: 2, {Limit: 2}: 2, {Before: 2}: 1,
		} {
			if got := must(f.Audit(ctx, q))(t); len(got) != want {
				t.Errorf("%+v finds %d, want %d", q, len(got), want)
			}
		}
		if n := must(f.DropRecords(ctx, 2, f.by("system", "audit.drop", "")))(t); n != 2 {
			t.Errorf("dropped %d", n)
		}
	})
}

func TestJobs(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		woken := 0
		f.OnJob(func() { woken++ })
		put := func(key string, priority int) int64 {
			return must(f.Enqueue(ctx, job.Job{Kind: "scan", Key: key, Priority: priority, MaxAttempts: 2, Payload: json.RawMessage(`{"x":1}`)}))(t)
		}
		lease := func(worker string) *job.Job {
			return must(f.Lease(ctx, []string{"scan"}, worker, f.time(), f.time().Add(time.Minute)))(t)
		}
		a, b := put("a", 5), put("b", 1)
		if again := put("a", 0); again != a || woken != 3 {
			t.Errorf("enqueued again as %d, woken %d times", again, woken)
		}
		if j := must(f.Lease(ctx, []string{"import"}, "w", f.time(), day(1)))(t); j != nil {
			t.Errorf("leased another kind: %+v", j)
		}
		j := lease("w1")
		if j == nil || j.ID != a || j.Attempts != 1 || j.State != job.Running || string(j.Payload) != `{"x":1}` {
			t.Fatalf("leased %+v, want %d, whose priority was raised", j, a)
		}
		put("a", 0) // while it runs; not to run beside
		if j = lease("w2"); j == nil || j.ID != b {
			t.Fatalf("leased %+v, want %d", j, b)
		}
		if j = lease("w3"); j != nil {
			t.Fatalf("leased %+v beside a job of the same key", j)
		}
		f.ok(f.Extend(ctx, a, "w1", f.time().Add(2*time.Minute), "halfway"))
		f.want(f.Extend(ctx, a, "w2", f.time(), ""), job.ErrLost)
		f.advance(90 * time.Second) // w2 is lost
		if j = lease("w3"); j == nil || j.ID != b || j.Attempts != 2 {
			t.Fatalf("leased %+v, want %d again", j, b)
		}
		f.want(f.Finish(ctx, b, "w2", "", f.time(), time.Time{}), job.ErrLost)
		f.ok(f.Finish(ctx, b, "w3", "", f.time(), time.Time{}))
		f.ok(f.Finish(ctx, a, "w1", "no", f.time(), f.time().Add(time.Second))) // another of its key waits
		if got := must(f.Jobs(ctx, job.Filter{Key: "a"}))(t); len(got) != 2 || got[1].State != job.Cancelled || got[0].State != job.Waiting {
			t.Errorf("jobs of a: %+v", got)
		}
		c := lease("w1")
		f.advance(2 * time.Minute)
		lease("w1")
		f.advance(2 * time.Minute)
		if j = lease("w1"); j != nil { // lost twice
			t.Errorf("leased %+v a third time", j)
		}
		put("d", 0)
		lease("w1")
		got := must(f.Jobs(ctx, job.Filter{State: job.Failed}))(t)
		if len(got) != 1 || got[0].ID != c.ID {
			t.Errorf("failed: %+v", got)
		}
		f.ok(f.Retry(ctx, c.ID, f.time(), f.by("alice", "job.retry", "a")))
		f.ok(f.Cancel(ctx, c.ID, f.by("alice", "job.cancel", "a")))
		f.want(f.Cancel(ctx, c.ID, f.by("alice", "job.cancel", "a")), job.ErrNone)
		counts := map[job.State]int{}
		for _, n := range must(f.JobCounts(ctx))(t) {
			counts[n.State] += n.Count
		}
		if d := cmp.Diff(map[job.State]int{job.Done: 1, job.Cancelled: 2, job.Running: 1}, counts); d != "" {
			t.Error(d)
		}
	})
}

// TestEveryJobRunsOnce has runners of two hubs share a queue.
func TestEveryJobRunsOnce(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		const jobs = 60
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var mu sync.Mutex
		ran := map[string]int{}
		done := make(chan struct{})
		handle := func(_ context.Context, j *job.Job, _ func(string)) error {
			mu.Lock()
			defer mu.Unlock()
			if ran[j.Key]++; ran[j.Key] == 1 && j.ID%7 == 0 {
				return errors.New("once more")
			}
			total := 0
			for _, n := range ran {
				total += n
			}
			if total == jobs+jobs/7 {
				close(done)
			}
			return nil
		}
		var ended sync.WaitGroup
		for range 2 {
			r := &job.Runner{Store: f.DB, Handlers: map[string]job.Handler{"scan": handle}, Pause: func(int) time.Duration { return 0 }, Poll: 20 * time.Millisecond, Clock: f.time}
			f.OnJob(r.Wake)
			ended.Go(func() { r.Run(ctx) })
		}
		for i := range jobs {
			must(f.Enqueue(ctx, job.Job{Kind: "scan", Key: fmt.Sprint(i)}))(t)
		}
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Error("jobs are left")
		}
		cancel()
		ended.Wait()
		if n := len(must(f.Jobs(t.Context(), job.Filter{State: job.Done, Limit: 1000}))(t)); n != jobs {
			t.Errorf("%d jobs done", n)
		}
	})
}

func TestNotify(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		target := must(f.PutTarget(ctx, notify.Target{Name: "ops", Form: notify.Webhook, URL: "https://x.example", Secret: []byte("s")}, f.by("root", "target.create", "ops")))(t)
		target.Name, target.Secret = "ops2", nil
		must(f.PutTarget(ctx, target, f.by("root", "target.update", "ops")))(t)
		if got := must(f.Targets(ctx))(t); len(got) != 1 || got[0].Name != "ops2" || string(got[0].Secret) != "s" || !got[0].HasSecret {
			t.Errorf("targets %+v", got)
		}
		rule := must(f.PutNotifyRule(ctx, notify.Rule{Name: "r", Target: target.ID, Digest: 5}, f.by("root", "notify-rule.create", "r")))(t)
		_, err := f.PutNotifyRule(ctx, notify.Rule{Target: 99}, f.by("root", "notify-rule.create", "r"))
		f.want(err, catalog.ErrNotFound)
		d := notify.Delivery{Rule: rule.ID, Target: target.ID, Events: []notify.Event{{ID: "1"}}, NotBefore: f.time().Add(time.Minute)}
		id := must(f.AddDelivery(ctx, d, true))(t)
		if again := must(f.AddDelivery(ctx, d, true))(t); again != id {
			t.Error("did not join")
		}
		if got := must(f.DueDeliveries(ctx, "w", f.time(), day(1), 10))(t); len(got) != 0 {
			t.Errorf("due too early: %+v", got)
		}
		f.advance(2 * time.Minute)
		got := must(f.DueDeliveries(ctx, "w", f.time(), f.time().Add(time.Minute), 10))(t)
		if len(got) != 1 || len(got[0].Events) != 2 {
			t.Fatalf("due: %+v", got)
		}
		if more := must(f.DueDeliveries(ctx, "v", f.time(), day(1), 10))(t); len(more) != 0 {
			t.Error("leased twice")
		}
		if other := must(f.AddDelivery(ctx, d, true))(t); other == id {
			t.Error("joined one that is being sent")
		}
		got[0].State, got[0].Attempts, got[0].Sent = "sent", 1, f.time()
		f.ok(f.PutDelivery(ctx, got[0]))
		if log := must(f.Deliveries(ctx, 0, 10))(t); len(log) != 2 || log[1].State != "sent" {
			t.Errorf("log: %+v", log)
		}
		f.ok(f.DeleteTarget(ctx, target.ID, f.by("root", "target.delete", "ops")))
		if rules := must(f.NotifyRules(ctx))(t); len(rules) != 0 {
			t.Errorf("rules of a target that is gone: %v", rules)
		}
	})
}

func TestSmallStores(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		for _, c := range []struct {
			holder     string
			now, until time.Time
			want       bool
		}{
			{"a", start, start.Add(time.Minute), true}, {"b", start, start.Add(time.Minute), false},
			{"a", start.Add(30 * time.Second), start.Add(2 * time.Minute), true}, {"b", start.Add(time.Minute), start.Add(3 * time.Minute), false},
			{"b", start.Add(2 * time.Minute), start.Add(3 * time.Minute), true}, {"b", start.Add(2 * time.Minute), start.Add(2 * time.Minute), false},
			{"a", start.Add(2 * time.Minute), start.Add(3 * time.Minute), true},
		} {
			if got := must(f.Lead(ctx, "sequencer", c.holder, c.now, c.until))(t); got != c.want {
				t.Errorf("%s at %s: %v", c.holder, c.now, got)
			}
		}
		_, err := f.Setting(ctx, "x")
		f.want(err, catalog.ErrNotFound)
		f.ok(f.PutSetting(ctx, "x", []byte(`{"a":1}`), audit.Entry{}))
		if got := must(f.Setting(ctx, "x"))(t); string(got) != `{"a":1}` {
			t.Errorf("setting %s", got)
		}
		f.want(f.PutSetting(ctx, "seal", nil, audit.Entry{}), catalog.ErrConflict)

		f.ok(f.PutCredential(ctx, Credential{Name: "m", User: "u", Secret: "s"}, f.by("root", "credential.create", "m")))
		if got := must(f.Credential(ctx, "m"))(t); got.Secret != "s" || got.User != "u" {
			t.Errorf("credential %+v", got)
		}
		if got := must(f.Credentials(ctx))(t); len(got) != 1 || got[0].Secret != "" {
			t.Errorf("credentials %+v", got)
		}
		f.ok(f.DeleteCredential(ctx, "m", f.by("root", "credential.delete", "m")))

		hash := []byte("h1")
		if a := must(f.Idempotent(ctx, "user:a", "k", hash))(t); a != nil {
			t.Errorf("a new request was answered: %+v", a)
		}
		_, err = f.Idempotent(ctx, "user:a", "k", hash)
		f.want(err, ErrUnderWay)
		f.ok(f.SaveAnswer(ctx, "user:a", "k", Answer{Status: 201, Body: []byte("b")}))
		if a := must(f.Idempotent(ctx, "user:a", "k", hash))(t); a == nil || a.Status != 201 || string(a.Body) != "b" {
			t.Errorf("repeated: %+v", a)
		}
		_, err = f.Idempotent(ctx, "user:a", "k", []byte("h2"))
		f.want(err, ErrReused)
		if a := must(f.Idempotent(ctx, "user:b", "k", hash))(t); a != nil {
			t.Error("answered with another's answer")
		}
		f.ok(f.ForgetAnswer(ctx, "user:b", "k"))
		f.advance(25 * time.Hour)
		if a := must(f.Idempotent(ctx, "user:a", "k", hash))(t); a != nil {
			t.Errorf("answered after a day: %+v", a)
		}
	})
}

func TestRules(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		b := must(f.PutRule(ctx, catalog.Rule{Order: 2, Name: "b", Pattern: "**", Mode: catalog.Enforce}, f.by("root", "rule.create", "b")))(t)
		a := must(f.PutRule(ctx, catalog.Rule{Order: 1, Name: "a", Pattern: "team/*", VerdictMaxAge: catalog.Duration(time.Hour), Due: &catalog.DueDays{High: 3}}, f.by("root", "rule.create", "a")))(t)
		if d := cmp.Diff([]catalog.Rule{a, b}, must(f.Rules(ctx))(t)); d != "" {
			t.Error(d)
		}
		f.ok(f.DeleteRule(ctx, a.ID, f.by("root", "rule.delete", "a")))
		_, err := f.PutRule(ctx, a, f.by("root", "rule.update", "a"))
		f.want(err, catalog.ErrNotFound)
	})
}

func TestEachInventory(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		for i := range 3 {
			f.push(f.image(app, i))
			f.push(f.image("other/app", i))
			f.decide(f.image(app, i))
			f.decide(f.image("other/app", i)) // shares the inventory
		}
		var seqs []int64
		f.ok(f.EachInventory(t.Context(), 0, func(seq int64, d string, load func() (finding.Inventory, error)) error {
			seqs = append(seqs, seq)
			if inv, err := load(); err != nil || inv.Packages[0].Name != "openssl" {
				t.Errorf("%s: %v", d, err)
			}
			return nil
		}))
		if len(seqs) != 3 || seqs[0] >= seqs[1] || seqs[1] >= seqs[2] {
			t.Errorf("places %v", seqs)
		}
		f.ok(f.PurgeManifest(t.Context(), app, digest(0)))
		must(f.Inventory(t.Context(), digest(0), "1"))(t) // the other repository has it
		f.ok(f.PurgeManifest(t.Context(), "other/app", digest(0)))
		_, err := f.Inventory(t.Context(), digest(0), "1")
		f.want(err, catalog.ErrNotFound)
	})
}
