package api_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seawall/seawall/api"
	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/job"
	"github.com/seawall/seawall/notify"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	digestA = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	digestB = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// hub is everything that a Server stands on, in memory. A function field, where set, takes the place of the rest.
type hub struct {
	catalogFake
	usersFake
	jobsFake
	notifyFake
	authFake
	actionsFake
	records  []audit.Entry
	settings map[string][]byte
	answers  map[string]kept
}

type kept struct {
	hash   []byte
	answer *api.Answer
}

func newHub() *hub {
	h := &hub{settings: map[string][]byte{}, answers: map[string]kept{}}
	h.catalogFake.hub, h.usersFake.hub, h.jobsFake.hub, h.notifyFake.hub = h, h, h, h
	h.catalogFake.fill()
	return h
}

func (h *hub) note(e ...audit.Entry) { h.records = append(h.records, e...) }

func (h *hub) server(change ...func(*api.Config)) *api.Server {
	c := api.Config{
		Catalog: &h.catalogFake, Auth: &h.authFake, Users: &h.usersFake, Jobs: &h.jobsFake, Notify: &h.notifyFake,
		Audit: h, AuditLog: h, Settings: h, Actions: &h.actionsFake, Answers: h, Credentials: h, Clock: func() time.Time { return now },
		Providers: []api.Provider{{ID: "corp", Title: "Corp", URL: "/signin/oidc/corp"}},
	}
	for _, f := range change {
		f(&c)
	}
	return api.New(c)
}

func (h *hub) Audit(_ context.Context, q audit.Query) ([]audit.Stored, error) {
	all := []audit.Stored{}
	for i := len(h.records) - 1; i >= 0; i-- {
		s := audit.Stored{Entry: h.records[i], Seq: int64(i + 1), Index: int64(i)}
		if (q.Object == "" || q.Object == s.Object.Name) && (q.Before == 0 || s.Seq < q.Before) && len(all) < max(q.Limit, 1) {
			all = append(all, s)
		}
	}
	return all, nil
}

func (h *hub) Checkpoint(context.Context) (api.Checkpoint, error) {
	return api.Checkpoint{Origin: "hub.example", Size: 3, Root: "AAAA", Note: "hub.example\n3\n", Key: "hub+1+A", Pending: 1}, nil
}

func (h *hub) Export(_ context.Context, w io.Writer) error {
	_, err := io.WriteString(w, "tar")
	return err
}

func (h *hub) Setting(_ context.Context, key string) ([]byte, error) {
	if v, ok := h.settings[key]; ok {
		return v, nil
	}
	return nil, catalog.ErrNotFound
}

func (h *hub) PutSetting(_ context.Context, key string, value []byte, by audit.Entry) error {
	h.settings[key] = value
	h.note(by)
	return nil
}

func (h *hub) Credentials(context.Context) ([]api.Credential, error) {
	return []api.Credential{{Name: "hub", User: "robot"}}, nil
}

func (h *hub) PutCredential(_ context.Context, _ api.Credential, _ string, by audit.Entry) error {
	h.note(by)
	return nil
}

func (h *hub) DeleteCredential(_ context.Context, _ string, by audit.Entry) error {
	h.note(by)
	return nil
}

func (h *hub) Idempotent(_ context.Context, principal, key string, hash []byte) (*api.Answer, error) {
	k, ok := h.answers[principal+" "+key]
	switch {
	case !ok:
		h.answers[principal+" "+key] = kept{hash: hash}
		return nil, nil
	case !slices.Equal(k.hash, hash):
		return nil, api.ErrReused
	case k.answer == nil:
		return nil, api.ErrUnderWay
	}
	return k.answer, nil
}

func (h *hub) SaveAnswer(_ context.Context, principal, key string, a api.Answer) error {
	h.answers[principal+" "+key] = kept{h.answers[principal+" "+key].hash, &a}
	return nil
}

func (h *hub) ForgetAnswer(_ context.Context, principal, key string) error {
	delete(h.answers, principal+" "+key)
	return nil
}

// catalogFake keeps two repositories, of which one has an image with everything.
type catalogFake struct {
	catalog.Store // what is not overridden is not called
	hub           *hub
	manifests     []catalog.Manifest
	tracked       []catalog.Tracked
	exceptions    []catalog.Exception
	rules         []catalog.Rule
	result        finding.Result
	overviewFunc  func() (catalog.Overview, error)
	pages         int // calls of Manifests
}

func (f *catalogFake) fill() {
	layer := &finding.LayerRef{Index: 0, DiffID: "sha256:l0", CreatedBy: "RUN apt-get install", Base: true}
	pkg := finding.Package{Name: "libssl3", Version: "3.0.11", Type: "deb", Ecosystem: "Debian:12", SourceName: "openssl", Layer: layer, Licenses: []string{"Apache-2.0"}}
	vulnerability := finding.Finding{ID: "CVE-2024-0001", Aliases: []string{"GHSA-aaaa-bbbb-cccc"}, Advisories: []string{"DEBIAN-CVE-2024-0001"}, Title: "=cmd()",
		Package: pkg, Fixed: "3.0.12", State: finding.StateFixed, Severity: finding.SeverityCritical, Layer: layer,
		KEV: &finding.KEV{Added: "2024-01-01"}, EPSS: &finding.EPSS{Score: 0.5, Percentile: 0.9}, Published: now}
	quiet := finding.Finding{ID: "CVE-2024-0002", Advisories: []string{"CVE-2024-0002"}, Package: pkg, State: finding.StateUnfixed, Severity: finding.SeverityLow,
		Suppressed: &finding.Suppression{Source: finding.SourceVEX, ID: "CVE-2024-0002"}}
	f.result = finding.Result{
		Tool: "seawall test", ScannedAt: now, Findings: []finding.Finding{vulnerability, quiet},
		Inventory: finding.Inventory{
			Image:    finding.Image{Ref: "team/app:1", ID: digestA, IDKind: finding.IDManifest, Layers: []finding.Layer{{LayerRef: *layer, Size: 10}}},
			Distro:   finding.Distro{ID: "debian", VersionID: "12"},
			Analyser: "1", Packages: []finding.Package{pkg, {Name: "zlib1g", Version: "1.2", Type: "deb"}},
			Executables: []finding.Executable{{Path: "bin/sh", SHA256: "00", Size: 1, Mode: 0o755}},
			Secrets:     []finding.Secret{{Rule: "aws-access-key", Title: "AWS key", Severity: finding.SeverityHigh, Masked: "AKIA…", Layer: layer}},
			Checks:      []finding.Check{{ID: "SW-IMG-001", Title: "Runs as root", Severity: finding.SeverityMedium, Detail: "d", Fix: "f"}},
			Gaps:        []finding.Gap{{Kind: finding.GapTooLarge, Detail: "d"}}, Scanned: finding.Scanned{Packages: true},
		},
		Coverage: []finding.Coverage{{Ecosystem: "Debian:12", Packages: 2, Records: 10}},
		Database: finding.Database{Digest: "sha256:db", BuiltAt: now, Records: 10},
		Upgrades: []finding.Upgrade{{Kind: "package", Package: "openssl", From: "3.0.11", To: "3.0.12"}},
		Verdict:  &finding.Verdict{Decision: finding.Fail, Policy: "default", DecidedAt: now, Reasons: []finding.Reason{{Decision: finding.Fail, Rule: "max.critical", Message: "m"}}},
	}
	scan := &catalog.Evaluation{Scanned: now.Add(-time.Hour), Matched: now.Add(-time.Minute), Analyser: "1", Database: f.result.Database,
		Decision: finding.Fail, Counts: finding.Counts{Critical: 1}, Packages: 2, Fixable: 1, Signers: []string{"release"}, Attestations: []string{"provenance"},
		BaseName: "debian:12", BaseDigest: "sha256:old", Distro: "Debian GNU/Linux 12"}
	f.manifests = []catalog.Manifest{
		{Repository: "team/app", Digest: digestA, Kind: catalog.KindImage, MediaType: "application/vnd.oci.image.manifest.v1+json", Size: 10, Tags: []string{"1"},
			Pushed: now.Add(-2 * time.Hour), PushedBy: "alice", PushedFrom: "192.0.2.1", Status: catalog.Rejected, Scan: scan, Created: now.AddDate(0, -6, 0),
			Reasons: []catalog.Reason{{Source: "gate", Message: "m"}}},
		{Repository: "other/app", Digest: digestB, Kind: catalog.KindImage, MediaType: "application/vnd.oci.image.manifest.v1+json", Size: 10, Tags: []string{"1"},
			Pushed: now.Add(-time.Hour), PushedBy: "bob", Status: catalog.Received},
	}
	f.tracked = []catalog.Tracked{
		{Key: vulnerability.Key("team/app"), Repository: "team/app", Type: "vulnerability", ID: "CVE-2024-0001", Package: "libssl3", Severity: finding.SeverityCritical,
			State: catalog.Open, FirstSeen: now, LastSeen: now, Due: now.AddDate(0, 0, 7), Digests: []string{digestA}, Source: "seawall", Title: "=cmd()"},
		{Key: "t2", Repository: "team/app", Type: "vulnerability", ID: "CVE-2024-0009", State: catalog.Open, FirstSeen: now, LastSeen: now, Digests: []string{digestA}, Source: "trivy"},
		{Key: "t3", Repository: "other/app", Type: "vulnerability", ID: "CVE-2024-0001", State: catalog.Open, FirstSeen: now, LastSeen: now, Digests: []string{digestB}, Source: "seawall"},
	}
	f.exceptions = []catalog.Exception{{ID: 1, Repositories: "team/*", As: catalog.Accepted, State: catalog.Requested, RequestedBy: "alice", RequestedAt: now,
		Suppression: finding.Suppression{Source: finding.SourceHub, ID: "CVE-2024-0001", Reason: "r", Owner: "o", Expires: now.AddDate(0, 1, 0)}}}
	f.rules = []catalog.Rule{{ID: 1, Order: 1, Name: "team", Pattern: "team/*", Mode: catalog.Enforce, VerdictMaxAge: catalog.Duration(24 * time.Hour)}}
}

func (f *catalogFake) Repositories(_ context.Context, search, _, cursor string, limit int) (catalog.Page[catalog.Repository], error) {
	all := []catalog.Repository{{Name: "other/app", Created: now, Images: 1, Tags: 1, Counts: finding.Counts{High: 2}, ByStatus: map[catalog.Status]int{catalog.Received: 1}},
		{Name: "team/app", Created: now, Images: 1, Tags: 1, Counts: finding.Counts{Critical: 1}, ByStatus: map[catalog.Status]int{catalog.Rejected: 1}}}
	all = slices.DeleteFunc(all, func(r catalog.Repository) bool { return !strings.Contains(r.Name, search) || r.Name <= cursor })
	p := catalog.Page[catalog.Repository]{Items: all, Total: 2}
	if len(all) > limit {
		p.Items, p.Next = all[:limit], all[limit-1].Name
	}
	return p, nil
}

func (f *catalogFake) Repository(_ context.Context, name string) (catalog.Repository, error) {
	p, _ := f.Repositories(context.Background(), name, "", "", 10)
	if len(p.Items) == 0 {
		return catalog.Repository{}, catalog.ErrNotFound
	}
	return p.Items[0], nil
}

func (f *catalogFake) Manifests(_ context.Context, q catalog.Images) (catalog.Page[catalog.Manifest], error) {
	f.pages++
	all := slices.DeleteFunc(slices.Clone(f.manifests), func(m catalog.Manifest) bool {
		return q.Repository != "" && m.Repository != q.Repository || m.Digest <= q.Cursor
	})
	slices.SortFunc(all, func(a, b catalog.Manifest) int { return strings.Compare(a.Digest, b.Digest) })
	p := catalog.Page[catalog.Manifest]{Items: all, Total: len(all)}
	if q.Limit > 0 && len(all) > q.Limit {
		p.Items, p.Next = all[:q.Limit], all[q.Limit-1].Digest
	}
	return p, nil
}

func (f *catalogFake) at(repository, digest string) *catalog.Manifest {
	for i := range f.manifests {
		if m := &f.manifests[i]; m.Repository == repository && m.Digest == digest {
			return m
		}
	}
	return nil
}

func (f *catalogFake) Manifest(_ context.Context, repository, digest string) (catalog.Manifest, error) {
	if m := f.at(repository, digest); m != nil {
		return *m, nil
	}
	return catalog.Manifest{}, catalog.ErrNotFound
}

func (f *catalogFake) Tags(_ context.Context, repository, after string, _ int) ([]catalog.Tag, error) {
	return []catalog.Tag{{Repository: repository, Name: "1", Digest: digestA, Updated: now}}, nil
}

func (f *catalogFake) Overview(context.Context, time.Time) (catalog.Overview, error) {
	if f.overviewFunc != nil {
		return f.overviewFunc()
	}
	return catalog.Overview{Repositories: 2, Images: 2}, nil
}

func (f *catalogFake) Trend(_ context.Context, repository string, days int) ([]catalog.TrendPoint, error) {
	return []catalog.TrendPoint{{Day: "2026-02-28", New: 1}, {Day: "2026-03-01", Counts: finding.Counts{High: 1}}}, nil
}

func (f *catalogFake) PutOverride(_ context.Context, repository, digest string, o *catalog.Override, by audit.Entry) error {
	f.hub.note(by)
	f.at(repository, digest).Override = o
	return nil
}

func (f *catalogFake) Result(_ context.Context, repository, digest string) (finding.Result, error) {
	if digest != digestA {
		return finding.Result{}, catalog.ErrNotFound
	}
	return f.result, nil
}

func (f *catalogFake) Findings(_ context.Context, q catalog.Findings, _ time.Time) (catalog.Page[catalog.Tracked], error) {
	all := slices.DeleteFunc(slices.Clone(f.tracked), func(t catalog.Tracked) bool {
		return q.Repository != "" && t.Repository != q.Repository || q.Digest != "" && !slices.Contains(t.Digests, q.Digest) || q.ID != "" && t.ID != q.ID
	})
	return catalog.Page[catalog.Tracked]{Items: all, Total: len(all)}, nil
}

func (f *catalogFake) Finding(_ context.Context, key string) (catalog.Tracked, error) {
	for _, t := range f.tracked {
		if t.Key == key {
			return t, nil
		}
	}
	return catalog.Tracked{}, catalog.ErrNotFound
}

func (f *catalogFake) PutFinding(_ context.Context, key, owner string, due time.Time, by audit.Entry) error {
	f.hub.note(by)
	for i := range f.tracked {
		if f.tracked[i].Key == key {
			f.tracked[i].Owner, f.tracked[i].Due = owner, due
		}
	}
	return nil
}

func (f *catalogFake) PutImported(_ context.Context, _, _, _ string, _ []catalog.Tracked, by audit.Entry) error {
	f.hub.note(by)
	return nil
}

func (f *catalogFake) Rules(context.Context) ([]catalog.Rule, error) {
	return slices.Clone(f.rules), nil
}

func (f *catalogFake) PutRule(_ context.Context, r catalog.Rule, by audit.Entry) (catalog.Rule, error) {
	f.hub.note(by)
	if r.ID == 0 {
		r.ID = int64(len(f.rules) + 1)
		f.rules = append(f.rules, r)
		return r, nil
	}
	f.rules[r.ID-1] = r
	return r, nil
}

func (f *catalogFake) DeleteRule(_ context.Context, _ int64, by audit.Entry) error {
	f.hub.note(by)
	return nil
}

func (f *catalogFake) Exceptions(_ context.Context, state catalog.ExceptionState, _ string) ([]catalog.Exception, error) {
	return slices.Clone(f.exceptions), nil
}

func (f *catalogFake) Exception(_ context.Context, id int64) (catalog.Exception, error) {
	if id < 1 || int(id) > len(f.exceptions) {
		return catalog.Exception{}, catalog.ErrNotFound
	}
	return f.exceptions[id-1], nil
}

func (f *catalogFake) PutException(_ context.Context, e catalog.Exception, by audit.Entry) (catalog.Exception, error) {
	f.hub.note(by)
	e.ID = int64(len(f.exceptions) + 1)
	f.exceptions = append(f.exceptions, e)
	return e, nil
}

func (f *catalogFake) DecideException(_ context.Context, id int64, to catalog.ExceptionState, comment string, by audit.Entry) (catalog.Exception, error) {
	f.hub.note(by)
	e := &f.exceptions[id-1]
	if e.State != catalog.Requested {
		return *e, catalog.ErrConflict
	}
	e.State, e.Comment, e.DecidedBy, e.DecidedAt = to, comment, by.Actor.Name, by.Time
	return *e, nil
}

type usersFake struct {
	auth.Store
	hub *hub
}

func (f *usersFake) Record(_ context.Context, e ...audit.Entry) error {
	f.hub.note(e...)
	return nil
}

type jobsFake struct {
	job.Store
	hub *hub
}

func (f *jobsFake) Jobs(_ context.Context, q job.Filter) ([]job.Job, error) {
	return []job.Job{{ID: 7, Kind: "scan", Key: "team/app@" + digestA, State: job.Waiting, MaxAttempts: 5, RunAt: now, Created: now, By: audit.System("schedule")}}, nil
}

func (f *jobsFake) JobCounts(context.Context) ([]job.Count, error) {
	return []job.Count{{Kind: "scan", State: job.Waiting, Count: 1, Oldest: now}}, nil
}

func (f *jobsFake) Cancel(_ context.Context, id int64, by audit.Entry) error {
	if id != 7 {
		return job.ErrNone
	}
	f.hub.note(by)
	return nil
}

func (f *jobsFake) Retry(_ context.Context, id int64, _ time.Time, by audit.Entry) error {
	return f.Cancel(context.Background(), id, by)
}

type notifyFake struct {
	notify.Store
	hub *hub
	put []notify.Target
}

func (f *notifyFake) Targets(context.Context) ([]notify.Target, error) {
	return []notify.Target{{ID: 1, Name: "chat", Form: notify.Webhook, URL: "https://chat.example/hook", HasSecret: true, Secret: []byte("hush")}}, nil
}

func (f *notifyFake) PutTarget(_ context.Context, t notify.Target, by audit.Entry) (notify.Target, error) {
	f.hub.note(by)
	f.put = append(f.put, t)
	t.ID, t.HasSecret = max(t.ID, 2), t.Secret != nil
	return t, nil
}

func (f *notifyFake) DeleteTarget(_ context.Context, _ int64, by audit.Entry) error {
	f.hub.note(by)
	return nil
}

func (f *notifyFake) NotifyRules(context.Context) ([]notify.Rule, error) {
	return []notify.Rule{{ID: 1, Name: "all", Target: 1, Severity: finding.SeverityHigh}}, nil
}

func (f *notifyFake) PutNotifyRule(_ context.Context, r notify.Rule, by audit.Entry) (notify.Rule, error) {
	f.hub.note(by)
	r.ID = max(r.ID, 2)
	return r, nil
}

func (f *notifyFake) DeleteNotifyRule(_ context.Context, _ int64, by audit.Entry) error {
	f.hub.note(by)
	return nil
}

func (f *notifyFake) Deliveries(_ context.Context, before int64, _ int) ([]notify.Delivery, error) {
	return []notify.Delivery{{ID: 1, Rule: 1, Target: 1, Events: []notify.Event{{ID: "e", Time: now, Kind: "test", Title: "t"}}, State: "sent", Created: now, NotBefore: now}}, nil
}

type authFake struct {
	signIn func(name, password, code string) error
	grant  func(auth.Grant) error
	gone   []string
}

var aToken = auth.Token{ID: "tok1", Kind: auth.TokenAPI, Subject: "user:alice", Created: now, Expires: now.AddDate(0, 1, 0)}

func (f *authFake) SignIn(_ context.Context, name, password, code, _, _ string) (*http.Cookie, auth.Principal, error) {
	if f.signIn != nil {
		if err := f.signIn(name, password, code); err != nil {
			return nil, auth.Principal{}, err
		}
	}
	return &http.Cookie{Name: "seawall", Value: "s3cret", HttpOnly: true}, owner(name), nil
}

func (f *authFake) SignOut(context.Context) (*http.Cookie, error) {
	return &http.Cookie{Name: "seawall", MaxAge: -1}, nil
}

func (f *authFake) CSRF(r *http.Request) string {
	if k, err := r.Cookie("seawall"); err == nil {
		return "csrf-of-" + k.Value
	}
	return ""
}

func (f *authFake) Sessions(_ context.Context, user string) ([]auth.Token, error) {
	t := aToken
	t.Kind, t.Subject = auth.TokenSession, user
	return []auth.Token{t}, nil
}

func (f *authFake) ChangePassword(_ context.Context, old, password string) error {
	if len(password) < 12 {
		return auth.ErrInvalid
	}
	return nil
}

func (f *authFake) EnrolTOTP(context.Context, string) (auth.Enrolment, error) {
	return auth.Enrolment{Secret: "ABC", URL: "otpauth://totp/x", PNG: []byte{1}}, nil
}
func (f *authFake) ConfirmTOTP(context.Context, string) ([]string, error) { return []string{"r1"}, nil }
func (f *authFake) DisableTOTP(context.Context, string, string) error     { return nil }
func (f *authFake) ResetTOTP(context.Context, string) error               { return nil }
func (f *authFake) ResetPassword(context.Context, string, string) error   { return nil }
func (f *authFake) DeleteService(_ context.Context, id string) error      { return nil }
func (f *authFake) PutRole(context.Context, auth.Role) error              { return nil }
func (f *authFake) DeleteRole(context.Context, string) error              { return nil }
func (f *authFake) DeleteGrant(context.Context, int64) error              { return nil }
func (f *authFake) PutIssuer(context.Context, auth.Issuer) error          { return nil }
func (f *authFake) DeleteIssuer(context.Context, string) error            { return nil }
func (f *authFake) Revoke(context.Context, string) error                  { return nil }
func (f *authFake) Roles(context.Context) ([]auth.Role, error)            { return auth.Builtin(), nil }
func (f *authFake) Tokens(context.Context) ([]auth.Token, error)          { return []auth.Token{aToken}, nil }
func (f *authFake) ServiceSecrets(context.Context, string) ([]auth.Token, error) {
	return []auth.Token{aToken}, nil
}

func (f *authFake) DeleteUser(_ context.Context, id string) error {
	f.gone = append(f.gone, id)
	return nil
}

func (f *authFake) Users(context.Context) ([]auth.User, error) {
	return []auth.User{{ID: "user:alice", Name: "alice", Created: now, Password: "$argon2id$secret"}, {ID: "user:bob", Name: "bob", Email: "b@example", Created: now}}, nil
}

func (f *authFake) User(_ context.Context, id string) (auth.User, error) {
	users, _ := f.Users(context.Background())
	for _, u := range users {
		if u.ID == id {
			return u, nil
		}
	}
	return auth.User{}, auth.ErrNotFound
}

func (f *authFake) CreateUser(_ context.Context, n auth.NewUser) (auth.User, error) {
	return auth.User{ID: "user:" + n.Name, Name: n.Name, Created: now}, nil
}

func (f *authFake) UpdateUser(_ context.Context, id string, c auth.UserChange) (auth.User, error) {
	return f.User(context.Background(), id)
}

func (f *authFake) Services(context.Context) ([]auth.Service, error) {
	return []auth.Service{{ID: "service:ci", Name: "ci", Created: now}}, nil
}

func (f *authFake) CreateService(_ context.Context, name, title string) (auth.Service, error) {
	return auth.Service{ID: "service:" + name, Name: name, Title: title, Created: now}, nil
}

func (f *authFake) UpdateService(_ context.Context, id string, _ auth.ServiceChange) (auth.Service, error) {
	return auth.Service{ID: id, Name: "ci", Created: now}, nil
}

func (f *authFake) NewServiceSecret(context.Context, string, auth.TokenRequest) (auth.Token, string, error) {
	return aToken, "sws_secret", nil
}

func (f *authFake) NewAPIToken(context.Context, auth.TokenRequest) (auth.Token, string, error) {
	return aToken, "swt_secret", nil
}

func (f *authFake) Grants(context.Context) ([]auth.Grant, error) {
	return []auth.Grant{{ID: 1, Subject: "user:alice", Role: "owner", Scope: auth.Everything}}, nil
}

func (f *authFake) PutGrant(_ context.Context, g auth.Grant) (auth.Grant, error) {
	if f.grant != nil {
		if err := f.grant(g); err != nil {
			return g, err
		}
	}
	g.ID = 2
	return g, nil
}

func (f *authFake) Issuers(context.Context) ([]auth.Issuer, error) {
	return []auth.Issuer{{ID: "ci", URL: "https://ci.example", Audience: "hub", Subject: "{sub}", Grants: []auth.Grant{}}}, nil
}

func (f *authFake) WhoCan(context.Context, auth.Action, auth.Scope) ([]auth.Holder, error) {
	return []auth.Holder{{Subject: "user:alice", Name: "alice", Role: "owner", Scope: auth.Everything}}, nil
}

type actionsFake struct {
	rotate func() error
	backup func(io.Writer) error
}

func (f *actionsFake) Scan(context.Context, string, string, audit.Actor) (int64, error) {
	return 11, nil
}
func (f *actionsFake) OverrideChanged(context.Context, string, string, audit.Actor) error {
	return errors.New("no matter")
}
func (f *actionsFake) DeleteImage(context.Context, string, string, audit.Entry) error  { return nil }
func (f *actionsFake) RestoreImage(context.Context, string, string, audit.Entry) error { return nil }
func (f *actionsFake) DeleteTag(context.Context, string, string, audit.Entry) error    { return nil }
func (f *actionsFake) RulesChanged(context.Context, []string, audit.Actor) error       { return nil }
func (f *actionsFake) TestTarget(context.Context, notify.Target) error                 { return api.ErrUpstream }

func (f *actionsFake) ExceptionChanged(context.Context, catalog.Exception, audit.Actor) error {
	return nil
}

func (f *actionsFake) Referrers(context.Context, string, string, string) ([]api.Referrer, error) {
	return []api.Referrer{{Digest: digestB, MediaType: "application/vnd.oci.image.manifest.v1+json", Size: 3}}, nil
}

func (f *actionsFake) Provenance(context.Context, string, string) (api.Build, error) {
	return api.Build{Builder: "https://ci.example/builder", Source: "git+https://git.example/app@abc", Finished: now.Add(-3 * time.Hour), Signer: "release"}, nil
}

func (f *actionsFake) SBOM(_ context.Context, _ *finding.Result, format string, w io.Writer) (string, error) {
	_, err := io.WriteString(w, `{"bomFormat":"CycloneDX"}`)
	return "application/vnd.cyclonedx+json", err
}

func (f *actionsFake) ReadReport(_ context.Context, _, _, _ string, report []byte) (string, []catalog.Tracked, error) {
	if !strings.HasPrefix(string(report), "{") {
		return "", nil, api.ErrInvalid
	}
	return "trivy", []catalog.Tracked{{}}, nil
}

func (f *actionsFake) Import(context.Context, api.ImportRequest, audit.Actor) (int64, error) {
	return 12, nil
}

func (f *actionsFake) Collect(context.Context, api.CollectionRequest, audit.Actor) (int64, error) {
	return 13, nil
}

func (f *actionsFake) Advisory(_ context.Context, id string) (api.Advisory, error) {
	if id != "CVE-2024-0001" {
		return api.Advisory{}, catalog.ErrNotFound
	}
	return api.Advisory{ID: id, Severity: finding.SeverityCritical, Packages: []api.AdvisoryPackage{{Ecosystem: "Debian:12", Name: "openssl"}}}, nil
}

func (f *actionsFake) Advisories(context.Context, string, int) ([]api.Advisory, error) {
	return []api.Advisory{{ID: "CVE-2024-0001", Severity: finding.SeverityCritical}}, nil
}

func (f *actionsFake) Database(context.Context) (api.DatabaseStatus, error) {
	return api.DatabaseStatus{Database: finding.Database{Digest: "sha256:db", Records: 1}, Ecosystems: []api.DatabaseEcosystem{{Name: "Debian:12", Records: 1}}}, nil
}

func (f *actionsFake) UpdateDatabase(context.Context, audit.Actor) (int64, error) { return 14, nil }

func (f *actionsFake) KeyStatus(context.Context) (api.Keys, error) {
	return api.Keys{Encrypted: true, Provider: "file", Healthy: true, Items: []api.DataKey{{ID: "k1", Purpose: "blobs", Created: now, Current: true}}}, nil
}

func (f *actionsFake) RotateKeys(ctx context.Context, _ api.KeyRotation) (api.Keys, error) {
	if f.rotate != nil {
		return api.Keys{}, f.rotate()
	}
	return f.KeyStatus(ctx)
}

func (f *actionsFake) System(context.Context) (api.System, error) {
	return api.System{Version: "1", Started: now, Address: "hub.example", Storage: api.SystemStorage{Kind: "directory", Free: -1},
		Database: api.SystemDatabase{Kind: "sqlite"}, Sources: []api.Source{{Kind: "cluster", Detail: "no source connected"}}}, nil
}

func (f *actionsFake) Backup(_ context.Context, w io.Writer) error {
	if f.backup != nil {
		return f.backup(w)
	}
	_, err := io.WriteString(w, "backup")
	return err
}

func user(name string, grants ...auth.Grant) auth.Principal {
	return auth.Principal{Actor: audit.Actor{Kind: audit.ActorUser, ID: "user:" + name, Name: name, Address: "192.0.2.9"}, Grants: grants}
}

func owner(name string) auth.Principal {
	return user(name, auth.Grant{Role: auth.RoleOwner, Scope: auth.Everything})
}

// teamReader sees team/** and nothing else.
func teamReader() auth.Principal {
	return user("tess", auth.Grant{Role: auth.RoleReader, Scope: auth.Repository("team/**")})
}

// ask sends one request as p; header pairs may follow.
func ask(t *testing.T, h http.Handler, p auth.Principal, method, path, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	var r *http.Request
	if body == "" {
		r = httptest.NewRequest(method, api.Prefix+path, nil)
	} else {
		r = httptest.NewRequest(method, api.Prefix+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(auth.With(r.Context(), p)))
	return w
}
