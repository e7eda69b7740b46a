package auth

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCovers(t *testing.T) {
	cluster := Scope{ScopeCluster, "east"}
	namespace := Scope{ScopeNamespace, "east/shop"}
	tests := []struct {
		outer, inner Scope
		want         bool
	}{
		{Everything, Repository("a/b"), true},
		{Everything, Everything, true},
		{Repository("**"), Everything, false},
		{Repository("team/**"), Repository("team/app"), true},
		{Repository("team/**"), Repository("team/app/x"), true},
		{Repository("team/**"), Repository("team"), true},
		{Repository("team/**"), Repository("teams/app"), false},
		{Repository("team/*"), Repository("team/app"), true},
		{Repository("team/*"), Repository("team/app/x"), false},
		{Repository("team/app"), Repository("team/app"), true},
		{Repository("team/app"), Repository("team/ap"), false},
		{Repository("**/app"), Repository("a/b/app"), true},
		{Repository(""), Repository("a"), false},
		{Repository("**"), Repository(""), false},
		{Repository("a["), Repository("a["), true}, // the same text, though it matches nothing
		{Repository("team/**"), Repository("team/x*"), true},
		{Repository("team/*"), Repository("team/**"), false},
		{Repository("*"), Repository("?"), false}, // not known, so no
		{Repository("t*/**"), Repository("team/**"), false},
		{cluster, cluster, true},
		{cluster, namespace, true},
		{namespace, cluster, false},
		{namespace, namespace, true},
		{namespace, Scope{ScopeNamespace, "east/shop2"}, false},
		{Scope{ScopeCluster, "eas"}, namespace, false},
		{Scope{ScopeCluster, ""}, Scope{ScopeCluster, ""}, false},
		{cluster, Repository("east"), false},
		{Scope{}, Repository("a"), false},
		{Scope{"other", "a"}, Scope{"other", "a"}, false},
	}
	for _, tt := range tests {
		if got := tt.outer.Covers(tt.inner); got != tt.want {
			t.Errorf("%v covers %v: %v", tt.outer, tt.inner, got)
		}
	}
}

func TestScopeCheck(t *testing.T) {
	good := []Scope{Everything, Repository("a"), Repository("team/**"), Repository("[ab]/x"), {ScopeCluster, "east"}, {ScopeNamespace, "east/shop"}}
	for _, s := range good {
		if err := s.Check(); err != nil {
			t.Errorf("%v: %v", s, err)
		}
	}
	bad := []Scope{
		{}, {ScopeAll, "x"}, Repository(""), Repository("a//b"), Repository("/a"), Repository("a/"), Repository("a[/b"),
		Repository(strings.Repeat("a", 600)), {ScopeCluster, ""}, {ScopeCluster, "a/b"}, {ScopeNamespace, "east"},
		{ScopeNamespace, "a/b/c"}, {ScopeNamespace, "/b"}, {"planet", "earth"},
	}
	for _, s := range bad {
		if err := s.Check(); err == nil {
			t.Errorf("%v is taken", s)
		}
	}
}

func TestMay(t *testing.T) {
	grants := []Grant{
		{Subject: "user:a", Role: RolePusher, Scope: Repository("team/**")},
		{Subject: "user:a", Role: RoleOwner, Scope: Repository("mine/*")},
		{Subject: "user:a", Role: "watch", Scope: Everything},
	}
	roles := map[string][]Action{"watch": {ImageList, JobRead}, RolePuller: {UserWrite}}
	tests := []struct {
		name string
		p    Principal
		a    Action
		s    Scope
		want bool
	}{
		{"granted", Principal{Grants: grants, Roles: roles}, ImagePush, Repository("team/app"), true},
		{"elsewhere", Principal{Grants: grants, Roles: roles}, ImagePush, Repository("other/app"), false},
		{"custom role", Principal{Grants: grants, Roles: roles}, JobRead, Everything, true},
		{"a hub-wide action for one repository", Principal{Grants: grants, Roles: roles}, JobRead, Repository("x"), true},
		{"owner of a repository is no owner", Principal{Grants: grants, Roles: roles}, UserWrite, Repository("mine/a"), false},
		{"owner of a repository", Principal{Grants: grants, Roles: roles}, ImageDelete, Repository("mine/a"), true},
		{"nobody", Principal{}, ImagePull, Repository("a"), false},
		{"a custom role cannot take a built-in name", Principal{Grants: []Grant{{Role: RolePuller, Scope: Everything}}, Roles: roles}, UserWrite, Everything, false},
		{"must change the password", Principal{Grants: grants, Must: "password"}, ImagePush, Repository("team/app"), false},
		{"narrow leaves out", Principal{Grants: grants, Narrow: []Permission{{ImagePull, Everything}}}, ImagePush, Repository("team/app"), false},
		{"narrow keeps", Principal{Grants: grants, Narrow: []Permission{{ImagePull, Everything}}}, ImagePull, Repository("team/app"), true},
		{"narrow gives nothing", Principal{Narrow: []Permission{{ImagePull, Everything}}}, ImagePull, Repository("team/app"), false},
		{"narrow to nothing", Principal{Grants: grants, Narrow: []Permission{}}, ImagePull, Repository("team/app"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.p.May(tt.a, tt.s); got != tt.want {
				t.Errorf("may %s on %s: %v", tt.a, tt.s, got)
			}
		})
	}
}

func TestMayAny(t *testing.T) {
	p := Principal{Grants: []Grant{{Role: RoleOwner, Scope: Repository("mine/*")}}}
	if !p.MayAny(ImageList) || p.MayAny(UserWrite) {
		t.Error("owner of some repositories: lists images there and writes no users")
	}
	p.Narrow = []Permission{{ImagePull, Everything}}
	if p.MayAny(ImageList) || !p.MayAny(ImagePull) {
		t.Error("a token's limit is not kept")
	}
	want := []Permission{{ImagePull, Repository("mine/*")}}
	if diff := cmp.Diff(want, p.Permissions()); diff != "" {
		t.Error(diff)
	}
}

// TestRolesDocumented holds docs/access.md against the code.
func TestRolesDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/access.md")
	if err != nil {
		t.Fatal(err)
	}
	if table := roleTable(); !strings.Contains(string(page), table) {
		t.Errorf("docs/access.md does not hold the table of roles:\n%s", table)
	}
}

func roleTable() string {
	var b strings.Builder
	b.WriteString("| action |")
	for _, name := range order {
		b.WriteString(" " + name + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat(":-:|", len(order)) + "\n")
	for _, a := range Actions {
		b.WriteString("| `" + string(a) + "`")
		if HubWide(a) {
			b.WriteString(" (hub-wide)")
		}
		b.WriteString(" |")
		for _, r := range Builtin() {
			p := Principal{Grants: []Grant{{Role: r.Name, Scope: Everything}}}
			mark := " "
			if p.May(a, Everything) {
				mark = "●"
			}
			b.WriteString(" " + mark + " |")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestBuiltinRoles(t *testing.T) {
	for _, r := range Builtin() {
		seen := map[Action]bool{}
		for _, a := range r.Actions {
			if seen[a] {
				t.Errorf("%s has %s twice", r.Name, a)
			}
			seen[a] = true
		}
		if r.Title == "" || !r.Builtin {
			t.Errorf("%s is not described", r.Name)
		}
	}
	for _, a := range builtin[RoleAuditor] {
		if !strings.HasSuffix(string(a), ".read") && a != ImageList {
			t.Errorf("the auditor may %s", a)
		}
	}
}
