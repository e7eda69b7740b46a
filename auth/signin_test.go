package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seawall/seawall/audit"
)

func TestSignIn(t *testing.T) {
	h, ctx := newHouse(t), context.Background()
	c, p, err := h.SignIn(ctx, " Alice ", rightPassword, "", somewhere, agent)
	if err != nil {
		t.Fatal(err)
	}
	if c.Name != "__Host-seawall" || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("the cookie is not safe: %+v", c)
	}
	if p.ID != "user:alice" || p.Via == "" || p.Address != somewhere || p.Token != TokenSession {
		t.Errorf("signed in as %+v", p)
	}
	for _, tt := range []struct{ name, password string }{
		{"alice", "wrong"}, {"alice", ""}, {"nobody", rightPassword}, {"", ""}, {"al\x00ice", "x"}, {"../alice", "x"},
	} {
		if _, _, err := h.SignIn(ctx, tt.name, tt.password, "", somewhere, agent); !errors.Is(err, ErrWrong) {
			t.Errorf("%q, %q: %v", tt.name, tt.password, err)
		}
		if e := h.store.last(); e.Action != "signin" || e.Outcome != audit.Refused || e.Actor.Address != somewhere {
			t.Errorf("%q, %q is recorded as %+v", tt.name, tt.password, e)
		}
	}
	for id, tok := range h.store.tokens {
		if strings.Contains(fmt.Sprint(tok), c.Value) {
			t.Errorf("token %s is stored in clear", id)
		}
	}
}

func TestNamesOfNobodyAreNotRecorded(t *testing.T) {
	h := newHouse(t)
	h.SignIn(context.Background(), "my-secret-password", "", "", somewhere, agent)
	if e := h.store.last(); e.Object.Name != "(unknown)" || strings.Contains(fmt.Sprint(e), "my-secret-password") {
		t.Errorf("recorded: %+v", e)
	}
}

func TestLockOut(t *testing.T) {
	for _, name := range []string{"alice", "nobody"} {
		t.Run(name, func(t *testing.T) {
			h, ctx := newHouse(t), context.Background()
			try := func(n int, password string) error {
				_, _, err := h.SignIn(ctx, name, password, "", fmt.Sprintf("198.51.100.%d", n), agent)
				return err
			}
			for i := range freeFailures {
				if err := try(i, "wrong"); !errors.Is(err, ErrWrong) {
					t.Fatalf("attempt %d: %v", i, err)
				}
			}
			var paused *Paused
			if err := try(50, rightPassword); !errors.As(err, &paused) || paused.For != firstPause {
				t.Fatalf("not locked out: %v", err)
			}
			// Attempts during the pause do not make it longer.
			for i := range 5 {
				try(60+i, "wrong")
			}
			h.clock.add(firstPause)
			if err := try(51, "wrong"); !errors.Is(err, ErrWrong) {
				t.Fatalf("after the pause: %v", err)
			}
			if err := try(52, "wrong"); !errors.As(err, &paused) || paused.For != 2*firstPause {
				t.Errorf("the pause does not grow: %v", err)
			}
			h.clock.add(2 * firstPause)
			want := error(nil)
			if name == "nobody" {
				want = ErrWrong
			}
			if err := try(53, rightPassword); !errors.Is(err, want) {
				t.Errorf("the right password after the pause: %v", err)
			}
		})
	}
}

// TestLockOutFromOutside: who keeps a user locked out does not keep out the user, from where it signs in.
func TestLockOutFromOutside(t *testing.T) {
	h, ctx := newHouse(t), context.Background()
	h.as("root") // from somewhere
	for i := range 40 {
		h.SignIn(ctx, "root", "wrong", "", fmt.Sprintf("198.51.100.%d", i), agent)
	}
	var paused *Paused
	if _, _, err := h.SignIn(ctx, "root", rightPassword, "", "203.0.113.1", agent); !errors.As(err, &paused) {
		t.Fatalf("not locked out: %v", err)
	}
	for _, address := range []string{somewhere, "127.0.0.1", "::1"} {
		if _, _, err := h.SignIn(ctx, "root", rightPassword, "", address, agent); err != nil {
			t.Errorf("from %s: %v", address, err)
		}
		for i := range 10 {
			h.SignIn(ctx, "root", "wrong", "", fmt.Sprintf("198.51.100.%d", 100+i), agent)
		}
	}
	if pause(1000) != lastPause || pause(0) != 0 {
		t.Errorf("pauses: %s, %s", pause(1000), pause(0))
	}
}

func TestAddressLimit(t *testing.T) {
	h, ctx := newHouse(t), context.Background()
	try := func(name, address string) error {
		_, _, err := h.SignIn(ctx, name, "wrong", "", address, agent)
		return err
	}
	for i := range addressFailures {
		if err := try(fmt.Sprint("user", i), fmt.Sprintf("2001:db8::%d", i)); !errors.Is(err, ErrWrong) {
			t.Fatalf("attempt %d: %v", i, err)
		}
	}
	before := len(h.store.records)
	for range 10 {
		var paused *Paused
		if err := try("other", "2001:db8::ffff"); !errors.As(err, &paused) || paused.For > addressRefill {
			t.Fatalf("not limited: %v", err)
		}
	}
	if n := len(h.store.records) - before; n != 1 {
		t.Errorf("%d records of one flood", n)
	}
	if err := try("other", "2001:db8:0:1::1"); !errors.Is(err, ErrWrong) {
		t.Errorf("another network: %v", err)
	}
	h.clock.add(addressRefill)
	if err := try("other", "2001:db8::1"); !errors.Is(err, ErrWrong) {
		t.Errorf("after a while: %v", err)
	}
}

func TestGuardIsBounded(t *testing.T) {
	g, now := newGuard(), time.Now()
	for i := range 30_000 {
		g.charge(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), now)
		g.strangers.change(fmt.Sprint(i), func(s stranger) stranger { return s.failed(now) })
		g.befriend(fmt.Sprint(i), somewhere)
	}
	for _, n := range []int{len(g.addresses.items), len(g.strangers.items), len(g.friends.items)} {
		if n != 10_000 {
			t.Errorf("%d entries", n)
		}
	}
}

func TestDisabledUser(t *testing.T) {
	h := newHouse(t)
	_, secret := h.token("alice")
	session := h.session("alice")
	if got := h.send("GET", "/", bearer(secret)).Body.String(); got != "user:alice" {
		t.Fatal(got)
	}
	yes := true
	if _, err := h.UpdateUser(h.as("root"), "user:alice", UserChange{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	if w := h.send("GET", "/", bearer(secret)); w.Code != http.StatusUnauthorized {
		t.Errorf("the token of a disabled user: %d", w.Code)
	}
	if got := h.send("GET", "/", cookie(session)).Body.String(); got != Anonymous {
		t.Errorf("the session of a disabled user is %s", got)
	}
	if _, _, err := h.SignIn(context.Background(), "alice", rightPassword, "", somewhere, agent); !errors.Is(err, ErrWrong) {
		t.Errorf("a disabled user signs in: %v", err)
	}
	if w := h.send("GET", "/v2/", basic("alice", rightPassword)); w.Code != http.StatusUnauthorized {
		t.Errorf("a disabled user at the registry: %d", w.Code)
	}
}

// TestRevokedElsewhere: what another hub revokes is refused here within seconds.
func TestRevokedElsewhere(t *testing.T) {
	h := newHouse(t)
	tok, secret := h.token("alice")
	if w := h.send("GET", "/", bearer(secret)); w.Code != http.StatusOK {
		t.Fatal(w.Code)
	}
	h.store.DeleteToken(context.Background(), tok.ID, audit.Entry{})
	h.clock.add(fresh)
	if w := h.send("GET", "/", bearer(secret)); w.Code != http.StatusUnauthorized {
		t.Errorf("a revoked token: %d", w.Code)
	}
}

func TestRehash(t *testing.T) {
	h := newHouse(t)
	old := h.store.users["user:alice"].Password
	h.hasher.cost = Hash{128, 2, 1}
	h.as("alice")
	got := h.store.users["user:alice"].Password
	if got == old || !strings.Contains(got, "$m=128,t=2,p=1$") {
		t.Errorf("the hash is still %s", got)
	}
	h.as("alice")
}

func TestStoreFails(t *testing.T) {
	h := newHouse(t)
	_, secret := h.token("alice")
	h.principals.forget()
	h.store.fail = errors.New("disk of hub-7 is full")
	for _, change := range []func(*http.Request){bearer(secret), basic("alice", rightPassword), header("X", "")} {
		w := h.send("GET", "/v2/", change)
		if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "hub-7") {
			t.Errorf("answer %d: %s", w.Code, w.Body)
		}
	}
}

func TestChangePassword(t *testing.T) {
	h := newHouse(t)
	mine, other := h.as("alice"), h.session("alice")
	_, secret := h.token("alice")
	next := "when the moon is full"
	for _, tt := range []struct {
		old, new string
		want     error
	}{{"wrong", next, ErrWrong}, {rightPassword, "short", ErrInvalid}, {rightPassword, rightPassword, ErrInvalid}, {rightPassword, next, nil}} {
		if err := h.ChangePassword(mine, tt.old, tt.new); !errors.Is(err, tt.want) {
			t.Errorf("%q to %q: %v", tt.old, tt.new, err)
		}
	}
	if got := h.send("GET", "/", cookie(other)).Body.String(); got != Anonymous {
		t.Errorf("the other session is %s", got)
	}
	if w := h.send("GET", "/", bearer(secret)); w.Code != http.StatusOK {
		t.Errorf("an API token ends with the password: %d", w.Code)
	}
	if all, err := h.Sessions(mine, "user:alice"); len(all) != 1 || err != nil {
		t.Errorf("%d sessions, %v", len(all), err)
	}
	if _, _, err := h.SignIn(context.Background(), "alice", next, "", somewhere, agent); err != nil {
		t.Error(err)
	}
}

func TestMustChangePassword(t *testing.T) {
	h := newHouse(t)
	root := h.as("root")
	if err := h.ResetPassword(root, "user:alice", "take this one first"); err != nil {
		t.Fatal(err)
	}
	h.grant("user:alice", RoleOwner, Everything)
	_, p, err := h.SignIn(context.Background(), "alice", "take this one first", "", somewhere, agent)
	if err != nil || p.Must != "password" {
		t.Fatalf("must %q, %v", p.Must, err)
	}
	ctx := With(context.Background(), p)
	if _, err := h.Users(ctx); !errors.Is(err, ErrRefused) {
		t.Errorf("users before the password is changed: %v", err)
	}
	if _, _, err := h.NewAPIToken(ctx, TokenRequest{Title: "x", Expires: h.clock.now().Add(time.Hour)}); !errors.Is(err, ErrRefused) {
		t.Errorf("a token before the password is changed: %v", err)
	}
	w := h.send("GET", "/v2/", basic("alice", "take this one first"))
	if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "changed in the console") {
		t.Errorf("the registry says %d %s", w.Code, w.Body)
	}
	if err := h.ChangePassword(ctx, "take this one first", rightPassword); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Users(h.as("alice")); err != nil {
		t.Error(err)
	}
}

func TestBootstrap(t *testing.T) {
	m := newMemory()
	a, err := New(Config{Store: m, Hash: cheap})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	first, err := a.Bootstrap(ctx)
	if err != nil || first == "" {
		t.Fatalf("%q, %v", first, err)
	}
	// A start that was cut off between user and grant is made up for.
	m.grants = nil
	password, err := a.Bootstrap(ctx)
	if err != nil || password == "" {
		t.Fatalf("after a cut: %q, %v", password, err)
	}
	c, p, err := a.SignIn(ctx, "admin", password, "", "127.0.0.1", agent)
	if err != nil || p.Must != "password" || c.Name != "seawall" || c.Secure {
		t.Fatalf("%+v, %+v, %v", c, p, err)
	}
	if again, err := a.Bootstrap(ctx); again != "" || err != nil {
		t.Errorf("a second time: %q, %v", again, err)
	}
	if err := a.ChangePassword(With(ctx, p), password, rightPassword); err != nil {
		t.Fatal(err)
	}
	for _, e := range m.records {
		if strings.Contains(fmt.Sprint(e), password) {
			t.Errorf("the password is in the record %+v", e)
		}
	}
}

func TestRecover(t *testing.T) {
	h := newHouse(t)
	_, secret := h.token("alice")
	u := h.store.users["user:alice"]
	u.Disabled, u.HasTOTP, u.TOTP, u.LockedUntil = true, true, []byte("x"), h.clock.now().Add(time.Hour)
	h.store.users["user:alice"] = u
	password, err := h.Recover(context.Background(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	_, p, err := h.SignIn(context.Background(), "alice", password, "", "203.0.113.9", agent)
	if err != nil || !p.holds(UserWrite, Everything) || p.Must != "password" {
		t.Errorf("%+v, %v", p, err)
	}
	if w := h.send("GET", "/", bearer(secret)); w.Code != http.StatusUnauthorized {
		t.Errorf("old tokens: %d", w.Code)
	}
}

// TestGuessesAtOnce: many guesses sent at once are no more guesses than sent one by one.
func TestGuessesAtOnce(t *testing.T) {
	for name, address := range map[string]func(int) string{
		"one address":    func(int) string { return "198.51.100.1" },
		"many addresses": func(i int) string { return fmt.Sprintf("198.51.%d.%d", i, i) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			var wg sync.WaitGroup
			var looked atomic.Int64
			for i := range 100 {
				wg.Go(func() {
					_, _, err := h.SignIn(context.Background(), "alice", "wrong", "", address(i), agent)
					if errors.Is(err, ErrWrong) {
						looked.Add(1)
					}
				})
			}
			wg.Wait()
			if n := looked.Load(); n != freeFailures {
				t.Errorf("%d guesses were looked at", n)
			}
		})
	}
}

// TestFriendsOwnFailures: an address that a user signed in from is not kept out by others, but by itself.
func TestFriendsOwnFailures(t *testing.T) {
	h := newHouse(t)
	h.as("alice")
	try := func(address, password string) error {
		_, _, err := h.SignIn(context.Background(), "alice", password, "", address, agent)
		return err
	}
	for range freeFailures {
		try(somewhere, "wrong")
	}
	var paused *Paused
	if err := try(somewhere, rightPassword); !errors.As(err, &paused) {
		t.Errorf("a friend guesses on: %v", err)
	}
	if err := try("203.0.113.1", rightPassword); err != nil {
		t.Errorf("elsewhere: %v", err)
	}
	h.clock.add(firstPause)
	if err := try(somewhere, rightPassword); err != nil {
		t.Errorf("after the pause: %v", err)
	}
}

func TestMissingCodeIsRecorded(t *testing.T) {
	h := newHouse(t)
	h.enrol("alice")
	for range addressFailures + 5 { // it is no failure of the address
		if _, _, err := h.SignIn(context.Background(), "alice", rightPassword, "", somewhere, agent); !errors.Is(err, ErrCode) {
			t.Fatal(err)
		}
	}
	if e := h.store.last(); e.Outcome != audit.Refused || e.Object.Name != "alice" || !strings.Contains(e.Reason, "code is missing") {
		t.Errorf("recorded: %+v", e)
	}
}

// TestRun: a start recalls where users sign in from, and an end notes the last uses of tokens.
func TestRun(t *testing.T) {
	h := newHouse(t)
	tok, secret := h.token("alice")
	h.send("GET", "/", bearer(secret))
	again, err := New(h.cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	again.Run(ctx)
	if !again.guard.knows("user:alice", somewhere) || again.guard.knows("user:alice", "203.0.113.1") {
		t.Error("the addresses of open sessions are not known")
	}
	h.Run(ctx)
	if h.store.tokens[tok.ID].Used.IsZero() {
		t.Error("the last use is not noted")
	}
	h.clock.add(48 * time.Hour)
	h.dropExpired(context.Background())
	if len(h.store.tokens) != 0 {
		t.Errorf("%d expired tokens are kept", len(h.store.tokens))
	}
}
