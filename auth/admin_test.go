package auth

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// keeper makes "bob" somebody who keeps users, and may see images of the team, and no more.
func (h *house) keeper() context.Context {
	h.t.Helper()
	h.user("bob")
	h.store.roles["keeper"] = Role{Name: "keeper", Actions: []Action{UserRead, UserWrite}}
	h.grant("user:bob", "keeper", Everything)
	h.grant("user:bob", RoleReader, Repository("team/**"))
	return h.as("bob")
}

func TestNoEscalation(t *testing.T) {
	h := newHouse(t)
	h.grant("group:chiefs", RoleOwner, Everything)
	h.grant("user:alice", RolePusher, Repository("team/**"))
	h.user("carol")
	h.store.services["service:ci"] = Service{ID: "service:ci", Name: "ci"}
	h.grant("service:ci", RolePusher, Everything)
	bob := h.keeper()
	rootToken, _ := h.token("root")
	soon := h.clock.now().Add(time.Hour)
	no := false
	chiefs := []string{"chiefs"}
	refusedActs := map[string]func() error{
		"owner for oneself": func() error {
			_, err := h.PutGrant(bob, Grant{Subject: "user:bob", Role: RoleOwner, Scope: Everything})
			return err
		},
		"owner of the team": func() error {
			_, err := h.PutGrant(bob, Grant{Subject: "user:bob", Role: RoleOwner, Scope: Repository("team/**")})
			return err
		},
		"reader elsewhere": func() error {
			_, err := h.PutGrant(bob, Grant{Subject: "user:bob", Role: RoleReader, Scope: Repository("**")})
			return err
		},
		"a stronger role": func() error {
			return h.PutRole(bob, Role{Name: "keeper", Actions: []Action{UserRead, UserWrite, KeyRotate}})
		},
		"a new role":      func() error { return h.PutRole(bob, Role{Name: "other", Actions: []Action{KeyRotate}}) },
		"root's password": func() error { return h.ResetPassword(bob, "user:root", "a fine new password") },
		"the pusher's":    func() error { return h.ResetPassword(bob, "user:alice", "a fine new password") },
		"root's codes":    func() error { return h.ResetTOTP(bob, "user:root") },
		"disable root":    func() error { _, err := h.UpdateUser(bob, "user:root", UserChange{Disabled: &no}); return err },
		"delete root":     func() error { return h.DeleteUser(bob, "user:root") },
		"root's token":    func() error { return h.Revoke(bob, rootToken.ID) },
		"root's grant":    func() error { return h.DeleteGrant(bob, h.store.grants[0].ID) },
		"join the chiefs": func() error { _, err := h.UpdateUser(bob, "user:bob", UserChange{Groups: &chiefs}); return err },
		"carol a chief":   func() error { _, err := h.UpdateUser(bob, "user:carol", UserChange{Groups: &chiefs}); return err },
		"a new chief": func() error {
			_, err := h.CreateUser(bob, NewUser{Name: "dave", Password: rightPassword, Groups: chiefs})
			return err
		},
		"a secret of a service": func() error {
			_, _, err := h.NewServiceSecret(bob, "service:ci", TokenRequest{Title: "x", Expires: soon})
			return err
		},
		"a workload": func() error {
			return h.PutIssuer(bob, Issuer{ID: "x", URL: "https://issuer.example", Audience: "hub", Subject: "{sub}",
				Claims: map[string]string{"sub": "me"}, Grants: []Grant{{Role: RoleOwner, Scope: Everything}}})
		},
	}
	for name, act := range refusedActs {
		if err := act(); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.PutGrant(bob, Grant{Subject: "user:carol", Role: RoleReader, Scope: Repository("team/app")}); err != nil {
		t.Errorf("what bob holds: %v", err)
	}
	if err := h.ResetPassword(bob, "user:carol", "a fine new password"); err != nil {
		t.Errorf("carol's password: %v", err)
	}
}

func TestAdministrationNeedsPermission(t *testing.T) {
	h := newHouse(t)
	alice, nobody := h.as("alice"), context.Background()
	acts := map[string]func(context.Context) error{
		"users":          func(c context.Context) error { _, err := h.Users(c); return err },
		"user":           func(c context.Context) error { _, err := h.User(c, "user:root"); return err },
		"create user":    func(c context.Context) error { _, err := h.CreateUser(c, NewUser{}); return err },
		"update user":    func(c context.Context) error { _, err := h.UpdateUser(c, "user:alice", UserChange{}); return err },
		"delete user":    func(c context.Context) error { return h.DeleteUser(c, "user:alice") },
		"reset password": func(c context.Context) error { return h.ResetPassword(c, "user:alice", rightPassword) },
		"reset codes":    func(c context.Context) error { return h.ResetTOTP(c, "user:alice") },
		"services":       func(c context.Context) error { _, err := h.Services(c); return err },
		"create service": func(c context.Context) error { _, err := h.CreateService(c, "ci", ""); return err },
		"update service": func(c context.Context) error { _, err := h.UpdateService(c, "service:ci", ServiceChange{}); return err },
		"delete service": func(c context.Context) error { return h.DeleteService(c, "service:ci") },
		"secrets":        func(c context.Context) error { _, err := h.ServiceSecrets(c, "service:ci"); return err },
		"new secret": func(c context.Context) error {
			_, _, err := h.NewServiceSecret(c, "service:ci", TokenRequest{})
			return err
		},
		"put role":        func(c context.Context) error { return h.PutRole(c, Role{}) },
		"delete role":     func(c context.Context) error { return h.DeleteRole(c, "x") },
		"grants":          func(c context.Context) error { _, err := h.Grants(c); return err },
		"put grant":       func(c context.Context) error { _, err := h.PutGrant(c, Grant{}); return err },
		"delete grant":    func(c context.Context) error { return h.DeleteGrant(c, 1) },
		"issuers":         func(c context.Context) error { _, err := h.Issuers(c); return err },
		"put issuer":      func(c context.Context) error { return h.PutIssuer(c, Issuer{}) },
		"delete issuer":   func(c context.Context) error { return h.DeleteIssuer(c, "x") },
		"who can":         func(c context.Context) error { _, err := h.WhoCan(c, ImagePull, Everything); return err },
		"others sessions": func(c context.Context) error { _, err := h.Sessions(c, "user:root"); return err },
		"all sessions":    func(c context.Context) error { _, err := h.Sessions(c, ""); return err },
	}
	for name, act := range acts {
		if err := act(alice); !errors.Is(err, ErrRefused) {
			t.Errorf("%s by alice: %v", name, err)
		}
		if err := act(nobody); !errors.Is(err, ErrSignedOut) {
			t.Errorf("%s by nobody: %v", name, err)
		}
	}
	if _, err := h.Roles(nobody); !errors.Is(err, ErrSignedOut) {
		t.Error(err)
	}
	if err := h.Revoke(nobody, "x"); !errors.Is(err, ErrSignedOut) {
		t.Error(err)
	}
	if tok, _ := h.token("root"); !errors.Is(h.Revoke(alice, tok.ID), ErrNotFound) {
		t.Error("alice finds a token of root")
	}
}

func TestLastOwner(t *testing.T) {
	h := newHouse(t)
	root := h.as("root")
	yes := true
	last := h.store.grants[0].ID
	acts := map[string]func() error{
		"grant":   func() error { return h.DeleteGrant(root, last) },
		"disable": func() error { _, err := h.UpdateUser(root, "user:root", UserChange{Disabled: &yes}); return err },
		"delete":  func() error { return h.DeleteUser(root, "user:root") },
	}
	for name, act := range acts {
		if err := act(); !errors.Is(err, ErrLast) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A group's owner counts, until it leaves the group.
	h.grant("group:chiefs", RoleOwner, Everything)
	chiefs, none := []string{"chiefs"}, []string{}
	if _, err := h.UpdateUser(h.as("root"), "user:alice", UserChange{Groups: &chiefs}); err != nil {
		t.Fatal(err)
	}
	if err := h.DeleteUser(h.as("alice"), "user:root"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.UpdateUser(h.as("alice"), "user:alice", UserChange{Groups: &none}); !errors.Is(err, ErrLast) {
		t.Errorf("the last chief leaves: %v", err)
	}
}

func TestTokenRules(t *testing.T) {
	h := newHouse(t)
	ctx, now := h.as("alice"), h.clock.now()
	bad := map[string]TokenRequest{
		"no title":       {Expires: now.Add(time.Hour)},
		"no end":         {Title: "x"},
		"over":           {Title: "x", Expires: now},
		"too long":       {Title: "x", Expires: now.Add(maxLife + time.Hour)},
		"nothing":        {Title: "x", Expires: now.Add(time.Hour), Narrow: []Permission{}},
		"no such action": {Title: "x", Expires: now.Add(time.Hour), Narrow: []Permission{{"image.fly", Everything}}},
		"no such scope":  {Title: "x", Expires: now.Add(time.Hour), Narrow: []Permission{{ImagePull, Scope{}}}},
	}
	for name, r := range bad {
		if _, _, err := h.NewAPIToken(ctx, r); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, secret := h.token("alice")
	p, _, err := h.authenticate(ctx, secret, somewhere)
	if err != nil {
		t.Fatal(err)
	}
	with := With(context.Background(), p)
	if _, _, err := h.NewAPIToken(with, TokenRequest{Title: "x", Expires: now.Add(time.Hour)}); !errors.Is(err, ErrRefused) {
		t.Errorf("a token makes a token: %v", err)
	}
	if err := h.ChangePassword(with, rightPassword, "a fine new password"); !errors.Is(err, ErrRefused) {
		t.Errorf("a token changes the password: %v", err)
	}
	if _, err := h.EnrolTOTP(with, rightPassword); !errors.Is(err, ErrRefused) {
		t.Errorf("a token enrols: %v", err)
	}
	h.flush(ctx)
	if all, err := h.Tokens(ctx); err != nil || len(all) != 1 || all[0].Used.IsZero() || all[0].Used.Second() != 0 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestGrantRules(t *testing.T) {
	h := newHouse(t)
	root := h.as("root")
	bad := map[string]struct {
		g    Grant
		want error
	}{
		"no subject":         {Grant{Role: RoleReader, Scope: Everything}, ErrInvalid},
		"odd subject":        {Grant{Subject: "cat:tom", Role: RoleReader, Scope: Everything}, ErrInvalid},
		"no such user":       {Grant{Subject: "user:x", Role: RoleReader, Scope: Everything}, ErrNotFound},
		"no such service":    {Grant{Subject: "service:x", Role: RoleReader, Scope: Everything}, ErrNotFound},
		"no such role":       {Grant{Subject: "user:alice", Role: "x", Scope: Everything}, ErrInvalid},
		"no such scope":      {Grant{Subject: "user:alice", Role: RoleReader, Scope: Scope{}}, ErrInvalid},
		"everybody pushes":   {Grant{Subject: Anonymous, Role: RolePusher, Scope: Everything}, ErrInvalid},
		"a second time":      {Grant{Subject: "user:root", Role: RoleOwner, Scope: Everything}, ErrExists},
		"group with no name": {Grant{Subject: "group:", Role: RoleReader, Scope: Everything}, ErrInvalid},
	}
	for name, tt := range bad {
		if _, err := h.PutGrant(root, tt.g); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	g, err := h.PutGrant(root, Grant{Subject: "user:alice", Role: RoleReader, Scope: Repository("a/*")})
	if err != nil || g.ID == 0 {
		t.Fatal(err)
	}
	if e := h.store.last(); e.Action != "grant.create" || e.Actor.ID != "user:root" || e.Detail["scope"] != "repository:a/*" {
		t.Errorf("recorded: %+v", e)
	}
	// What was granted holds at once, for tokens that are known too.
	_, secret := h.token("alice")
	may := func() bool {
		p, _, err := h.authenticate(context.Background(), secret, somewhere)
		return err == nil && p.May(ImageList, Repository("a/x"))
	}
	if !may() {
		t.Error("the grant does not hold")
	}
	if err := h.DeleteGrant(h.as("root"), g.ID); err != nil || may() {
		t.Errorf("the grant holds on: %v", err)
	}
}

func TestCustomRole(t *testing.T) {
	h := newHouse(t)
	root := h.as("root")
	for _, r := range []Role{{Name: "owner", Actions: []Action{ImagePull}}, {Name: "X", Actions: []Action{ImagePull}}, {Name: "x"}, {Name: "x", Actions: []Action{"y"}}} {
		if err := h.PutRole(root, r); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	if err := h.PutRole(root, Role{Name: "watch", Actions: []Action{JobRead, ImageList, JobRead}, Builtin: true}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Role{Name: "watch", Actions: []Action{ImageList, JobRead}}, h.store.roles["watch"]); diff != "" {
		t.Error(diff)
	}
	if _, err := h.PutGrant(root, Grant{Subject: "user:alice", Role: "watch", Scope: Everything}); err != nil {
		t.Fatal(err)
	}
	if p := From(h.as("alice")); !p.May(JobRead, Everything) || p.May(JobWrite, Everything) {
		t.Errorf("%+v", p)
	}
	if err := h.DeleteRole(h.as("root"), RoleReader); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if err := h.DeleteRole(h.as("root"), "watch"); err != nil {
		t.Fatal(err)
	}
	if p := From(h.as("alice")); p.May(JobRead, Everything) {
		t.Error("the role holds on")
	}
}

func TestWhoCan(t *testing.T) {
	h := newHouse(t)
	h.store.services["service:ci"] = Service{ID: "service:ci", Name: "ci", Disabled: true}
	u := h.store.users["user:alice"]
	u.Groups = []string{"dev"}
	h.store.users["user:alice"] = u
	h.grant("group:dev", RolePusher, Repository("team/**"))
	h.grant("service:ci", RolePusher, Repository("team/app"))
	h.grant("user:alice", RoleReader, Everything)
	h.store.issuers = []Issuer{{ID: "forge", Grants: []Grant{{Role: RolePusher, Scope: Repository("team/*")}}}}
	got, err := h.WhoCan(h.as("root"), ImagePush, Repository("team/app"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Holder{
		{Subject: "group:dev", Name: "dev", Role: RolePusher, Scope: Repository("team/**")},
		{Subject: "issuer:forge", Name: "forge", Role: RolePusher, Scope: Repository("team/*")},
		{Subject: "service:ci", Name: "ci", Role: RolePusher, Scope: Repository("team/app"), Disabled: true},
		{Subject: "user:alice", Name: "alice", Role: RolePusher, Scope: Repository("team/**"), Via: "group:dev"},
		{Subject: "user:root", Name: "root", Role: RoleOwner, Scope: Everything},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got, _ = h.WhoCan(h.as("root"), ImagePush, Everything)
	if len(got) != 1 {
		t.Errorf("on everything: %+v", got)
	}
}

func TestUsers(t *testing.T) {
	h := newHouse(t)
	root := h.as("root")
	for _, n := range []NewUser{
		{Name: "", Password: rightPassword}, {Name: "Dave", Password: rightPassword}, {Name: "da ve", Password: rightPassword},
		{Name: "dave/x", Password: rightPassword}, {Name: "dave", Password: "short"}, {Name: "dave", Password: rightPassword, Email: "x"},
		{Name: "dave", Password: rightPassword, Groups: []string{""}},
	} {
		if _, err := h.CreateUser(root, n); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", n, err)
		}
	}
	n := NewUser{Name: "dave", Password: rightPassword, Email: "dave@hub.example", Groups: []string{"b", "a", "b"}}
	u, err := h.CreateUser(root, n)
	if err != nil || u.ID != "user:dave" || !u.MustChangePassword || !cmp.Equal(u.Groups, []string{"a", "b"}) {
		t.Fatalf("%+v, %v", u, err)
	}
	if _, err := h.CreateUser(root, n); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	if self, err := h.User(h.as("dave"), "user:dave"); err != nil || self.Name != "dave" {
		t.Errorf("oneself: %v", err)
	}
	if err := h.DeleteUser(root, "user:dave"); err != nil {
		t.Error(err)
	}
	if err := h.DeleteUser(root, "user:dave"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

// A token that leaked, and that is limited, cannot sign its owner out everywhere.
func TestLimitedTokensRevokeThemselves(t *testing.T) {
	h := newHouse(t)
	limited, secret := h.token("alice", Permission{ImagePull, Everything})
	other, _ := h.token("alice")
	p, _, err := h.authenticate(t.Context(), secret, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx := With(t.Context(), p)
	if err := h.Revoke(ctx, other.ID); !errors.Is(err, ErrRefused) {
		t.Errorf("another token: %v", err)
	}
	if err := h.Revoke(ctx, limited.ID); err != nil {
		t.Errorf("itself: %v", err)
	}
}
