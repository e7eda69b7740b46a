package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/seawall/seawall/api"
	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/job"
	"github.com/seawall/seawall/notify"
)

type operation struct {
	Permission  map[string]string `json:"x-permission"`
	OperationID string            `json:"operationId"`
	Parameters  []map[string]any  `json:"parameters"`
	RequestBody map[string]any    `json:"requestBody"`
	Responses   map[string]struct {
		Content map[string]map[string]any `json:"content"`
	} `json:"responses"`
}

type document struct {
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas    map[string]map[string]any `json:"schemas"`
		Parameters map[string]map[string]any `json:"parameters"`
	} `json:"components"`
}

func readDocument(t *testing.T) (document, []byte) {
	t.Helper()
	raw, err := api.Document()
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	return d, raw
}

// TestEveryRouteIsDocumented holds routes and document against each other, both ways, with what they need.
func TestEveryRouteIsDocumented(t *testing.T) {
	d, _ := readDocument(t)
	served, documented := map[string]string{}, map[string]string{}
	for _, o := range newHub().server().Operations() {
		served[o.Method+" "+o.Path] = o.Action + "@" + o.Scope
	}
	ids := map[string]bool{}
	for path, methods := range d.Paths {
		for method, o := range methods {
			documented[strings.ToUpper(method)+" "+path] = o.Permission["action"] + "@" + o.Permission["scope"]
			if ids[o.OperationID] {
				t.Errorf("operationId %s is there twice", o.OperationID)
			}
			ids[o.OperationID] = true
		}
	}
	if diff := cmp.Diff(documented, served); diff != "" {
		t.Errorf("openapi.yaml (-) and the routes (+) differ:\n%s", diff)
	}
}

func TestPathParametersAreDocumented(t *testing.T) {
	d, _ := readDocument(t)
	for path, methods := range d.Paths {
		for method, o := range methods {
			want, have := []string{}, []string{}
			for part := range strings.SplitSeq(path, "/") {
				if name, ok := strings.CutPrefix(part, "{"); ok {
					want = append(want, strings.TrimSuffix(name, "}"))
				}
			}
			for _, p := range o.Parameters {
				if ref, ok := p["$ref"].(string); ok {
					p = d.Components.Parameters[strings.TrimPrefix(ref, "#/components/parameters/")]
				}
				if p["in"] == "path" {
					have = append(have, p["name"].(string))
				}
			}
			if !slices.Equal(want, have) {
				t.Errorf("%s %s documents path parameters %v", method, path, have)
			}
		}
	}
}

// TestReferencesResolve finds references to nothing.
func TestReferencesResolve(t *testing.T) {
	_, raw := readDocument(t)
	var doc any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok && !resolves(doc, ref) {
				t.Errorf("%s leads nowhere", ref)
			}
			for _, x := range v {
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(doc)
}

func resolves(doc any, ref string) bool {
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		m, ok := doc.(map[string]any)
		if !ok || m[part] == nil {
			return false
		}
		doc = m[part]
	}
	return true
}

// names are those of schemas that are not called like their type.
var names = map[reflect.Type]string{
	reflect.TypeFor[notify.Rule]():       "NotifyRule",
	reflect.TypeFor[notify.Target]():     "NotifyTarget",
	reflect.TypeFor[notify.Delivery]():   "NotifyDelivery",
	reflect.TypeFor[notify.Event]():      "NotifyEvent",
	reflect.TypeFor[job.Count]():         "JobCount",
	reflect.TypeFor[audit.Stored]():      "AuditRecord",
	reflect.TypeFor[audit.Object]():      "AuditObject",
	reflect.TypeFor[catalog.Reason]():    "StatusReason",
	reflect.TypeFor[catalog.Notation]():  "NotationStore",
	reflect.TypeFor[finding.Database]():  "AdvisoryDatabase",
	reflect.TypeFor[finding.Config]():    "ImageConfig",
	reflect.TypeFor[auth.TokenRequest](): "NewToken",
}

// roots are the types that go in and out; those within them are found.
var roots = []any{
	api.Session{}, api.SignIn{}, api.PasswordChange{}, api.TOTPCode{}, api.Proof{}, api.TOTPRemoval{}, auth.Enrolment{}, api.RecoveryCodes{},
	catalog.Overview{}, catalog.Repository{}, catalog.Tag{}, catalog.Manifest{}, api.ImageFindings{}, finding.Result{}, api.ImageLayer{},
	api.Custody{}, api.Referrer{}, api.Accepted{}, api.OverrideRequest{}, api.ReportImported{}, catalog.Tracked{}, api.FindingChange{},
	api.Advisory{}, catalog.Exception{}, api.ExceptionRequest{}, api.ExceptionDecision{}, catalog.Rule{}, catalog.Effective{},
	auth.User{}, api.NewUser{}, api.UserCreated{}, auth.UserChange{}, api.PasswordReset{}, api.OneTimePassword{}, auth.Service{}, api.NewService{},
	auth.ServiceChange{}, auth.Token{}, auth.TokenRequest{}, api.TokenCreated{}, auth.Role{}, auth.Grant{}, auth.Issuer{}, auth.Holder{},
	api.Keys{}, api.KeyRotation{}, audit.Stored{}, api.Checkpoint{}, job.Job{}, job.Count{}, api.ImportRequest{}, api.CollectionRequest{}, api.Credential{}, api.CredentialInput{},
	notify.Target{}, api.TargetInput{}, notify.Rule{}, notify.Delivery{}, api.DatabaseStatus{}, api.Settings{}, api.System{}, api.Outdated{},
	api.Event{}, api.Problem{},
}

// TestSchemasAreThoseOfTheTypes compares properties and what is required, by reflection, both ways.
func TestSchemasAreThoseOfTheTypes(t *testing.T) {
	d, _ := readDocument(t)
	seen := map[string]bool{"RuleInput": true} // Rule, with less that is required
	var visit func(reflect.Type)
	visit = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			visit(typ.Elem())
			return
		}
		if typ.Kind() != reflect.Struct || typ == reflect.TypeFor[time.Time]() {
			return
		}
		name := names[typ]
		if name == "" {
			name = typ.Name()
		}
		if seen[name] {
			return
		}
		seen[name] = true
		fields, required := jsonFields(typ, visit)
		compareSchema(t, name, d.Components.Schemas[name], fields, required)
	}
	for _, r := range roots {
		visit(reflect.TypeOf(r))
	}
	for name, s := range d.Components.Schemas {
		if s["type"] == "object" && !seen[name] {
			t.Errorf("schema %s is that of no type", name)
		}
	}
}

// jsonFields lists what encoding/json writes of a struct, and what it always writes.
func jsonFields(typ reflect.Type, visit func(reflect.Type)) (fields, required []string) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && tag == "":
			in, must := jsonFields(f.Type, visit)
			fields, required = append(fields, in...), append(required, must...)
			continue
		case tag == "-" || !f.IsExported():
			continue
		}
		visit(f.Type)
		fields = append(fields, tag)
		if !strings.Contains(options, "omit") {
			required = append(required, tag)
		}
	}
	return fields, required
}

func compareSchema(t *testing.T, name string, schema map[string]any, fields, required []string) {
	t.Helper()
	if schema == nil {
		t.Errorf("there is no schema %s", name)
		return
	}
	properties := []string{}
	for p := range schema["properties"].(map[string]any) {
		properties = append(properties, p)
	}
	must := []string{}
	list, _ := schema["required"].([]any)
	for _, r := range list {
		must = append(must, r.(string))
	}
	for _, s := range [][]string{properties, must, fields, required} {
		slices.Sort(s)
	}
	if !slices.Equal(properties, fields) {
		t.Errorf("%s: schema has %v, the type %v", name, properties, fields)
	}
	if !slices.Equal(must, required) {
		t.Errorf("%s: schema requires %v, the type always has %v", name, must, required)
	}
}

// TestEnumsAreComplete holds the lists of values against those of the packages.
func TestEnumsAreComplete(t *testing.T) {
	d, _ := readDocument(t)
	for name, want := range map[string][]string{
		"Action": texts(auth.Actions), "GapKind": texts(finding.GapKinds), "AdvisoryState": texts(finding.States), "Severity": texts(finding.Severities),
	} {
		have := []string{}
		for _, v := range d.Components.Schemas[name]["enum"].([]any) {
			have = append(have, v.(string))
		}
		slices.Sort(have)
		slices.Sort(want)
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s: package (-), schema (+):\n%s", name, diff)
		}
	}
}

func texts[T any](values []T) []string {
	s := make([]string, len(values))
	for i, v := range values {
		s[i] = fmt.Sprint(v)
	}
	return s
}

// requests is a good request for every operation; paths are filled in.
var requests = map[string]struct {
	path, body string
	status     int
	header     []string
}{
	"GET /session":                   {status: 200},
	"POST /session":                  {body: `{"name":"alice","password":"p"}`, status: 200},
	"DELETE /session":                {status: 204},
	"POST /session/password":         {body: `{"current":"a","new":"long enough it is"}`, status: 204},
	"POST /session/totp":             {body: `{"password":"p"}`, status: 200},
	"POST /session/totp/confirm":     {body: `{"code":"123456"}`, status: 200},
	"DELETE /session/totp":           {body: `{"password":"p","code":"123456"}`, status: 204},
	"GET /trend":                     {path: "/trend?days=7", status: 200},
	"GET /findings/{key}":            {path: "/findings/t2", status: 200},
	"PATCH /findings/{key}":          {path: "/findings/t2", body: `{"owner":"team-a","due":"2026-04-01"}`, status: 200},
	"GET /advisories/{id}":           {path: "/advisories/CVE-2024-0001", status: 200},
	"POST /exceptions":               {body: `{"repositories":"team/app","as":"accepted","id":"CVE-2024-0001","reason":"r","owner":"o","expires":"2026-04-01T00:00:00Z"}`, status: 201},
	"POST /exceptions/{id}/decision": {body: `{"to":"approved","comment":"fine"}`, status: 200},
	"POST /rules":                    {body: `{"name":"new","pattern":"new/**","mode":"observe","verdictMaxAge":"36h"}`, status: 201},
	"GET /rules/effective":           {path: "/rules/effective?repository=team/app", status: 200},
	"PUT /rules/{id}":                {body: `{"name":"team","pattern":"team/**"}`, status: 200, header: []string{"If-Match", "*"}},
	"POST /users":                    {body: `{"name":"carol","roles":["reader"]}`, status: 201},
	"GET /users/{id}":                {path: "/users/user:alice", status: 200},
	"PATCH /users/{id}":              {path: "/users/user:alice", body: `{"disabled":true}`, status: 200},
	"DELETE /users/{id}":             {path: "/users/user:alice", status: 204},
	"POST /users/{id}/password":      {path: "/users/user:alice/password", status: 200},
	"POST /services":                 {body: `{"name":"ci"}`, status: 201},
	"GET /services/{id}":             {path: "/services/service:ci", status: 200},
	"PATCH /services/{id}":           {path: "/services/service:ci", body: `{"disabled":false}`, status: 200},
	"DELETE /services/{id}":          {path: "/services/service:ci", status: 204},
	"POST /services/{id}/secrets":    {body: `{"title":"t","expires":"2026-04-01T00:00:00Z"}`, status: 201},
	"POST /roles":                    {body: `{"name":"r","actions":["image.list"]}`, status: 201},
	"POST /grants":                   {body: `{"subject":"user:bob","role":"reader","scope":{"kind":"all"}}`, status: 201},
	"POST /issuers":                  {body: `{"id":"ci","url":"https://ci.example","audience":"hub","subject":"{sub}","grants":[]}`, status: 201},
	"POST /tokens":                   {body: `{"title":"t","expires":"2026-04-01T00:00:00Z"}`, status: 201},
	"GET /who-can":                   {path: "/who-can?action=image.pull&repository=team/app", status: 200},
	"POST /keys/rotate":              {status: 200},
	"POST /jobs/{id}/cancel":         {path: "/jobs/7/cancel", status: 204},
	"POST /jobs/{id}/retry":          {path: "/jobs/7/retry", status: 204},
	"POST /imports":                  {body: `{"source":"registry.example/app:1","destination":"team/app:1"}`, status: 202},
	"POST /credentials":              {body: `{"name":"hub","host":"registry.example","user":"robot","secret":"hush"}`, status: 201},
	"POST /collections":              {body: `{"dryRun":true}`, status: 202},
	"POST /notify/targets":           {body: `{"name":"hook","form":"webhook","url":"https://hook.example/x","secret":"s"}`, status: 201},
	"PUT /notify/targets/{id}":       {body: `{"name":"hook","form":"webhook","url":"https://chat.example/y"}`, status: 200},
	"POST /notify/targets/{id}/test": {status: 502},
	"POST /notify/rules":             {body: `{"name":"r","target":1,"severity":"high"}`, status: 201},
	"PUT /notify/rules/{id}":         {body: `{"name":"r","target":1,"severity":"high"}`, status: 200},
	"POST /database/update":          {status: 202},
	"PUT /settings":                  {body: `{"banner":"hi","outdatedAfter":"30d"}`, status: 200, header: []string{"If-Match", "*"}},
	"POST …/scan":                    {status: 202},
	"PUT …/override":                 {body: `{"status":"released","reason":"checked"}`, status: 200},
	"POST …/restore":                 {status: 200},
	"POST …/reports":                 {body: `{"Results":[]}`, status: 201},
	"GET /events":                    {status: -1}, // has tests of its own: it does not end
}

const imagesOf = "/repositories/{repository}/images/{digest}"

// fill makes a path of a route's, and says what to expect.
func fill(o api.Operation) (path, body string, status int, header []string) {
	key := o.Method + " " + strings.Replace(o.Path, imagesOf, "…", 1)
	r, ok := requests[key]
	path = r.path
	if path == "" {
		path = strings.NewReplacer("{repository}", "team%2Fapp", "{digest}", digestA, "{tag}", "1", "{id}", "1", "{name}", "r").Replace(o.Path)
	}
	status = r.status
	if !ok {
		status = map[string]int{"GET": 200, "DELETE": 204, "POST": 200}[o.Method]
		if strings.HasSuffix(o.Path, "/override") {
			status = 200
		}
	}
	return path, r.body, status, r.header
}

// TestResponsesFollowTheirSchemas asks for every operation once and holds the answer against the document.
func TestResponsesFollowTheirSchemas(t *testing.T) {
	d, raw := readDocument(t)
	compiler := compilerOf(t, raw)
	for _, o := range newHub().server().Operations() {
		path, body, status, header := fill(o)
		if status == -1 {
			continue
		}
		t.Run(o.Method+" "+o.Path, func(t *testing.T) {
			h := newHub()
			w := ask(t, h.server(), owner("olga"), o.Method, path, body, header...)
			if w.Code != status {
				t.Fatalf("status %d, want %d: %s", w.Code, status, w.Body)
			}
			validate(t, compiler, d, o, w.Code, w.Header(), w.Body.Bytes())
		})
	}
}

func compilerOf(t *testing.T, raw []byte) *jsonschema.Compiler {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	return c
}

func validate(t *testing.T, c *jsonschema.Compiler, d document, o api.Operation, status int, h http.Header, body []byte) {
	t.Helper()
	place := fmt.Sprintf("openapi.json#/paths/%s/%s/responses/%d", pointer(o.Path), strings.ToLower(o.Method), status)
	if h.Get("Content-Type") == "application/problem+json" {
		place = "openapi.json#/components/schemas/Problem"
	} else {
		documented, ok := d.Paths[o.Path][strings.ToLower(o.Method)].Responses[fmt.Sprint(status)]
		if !ok {
			t.Fatalf("status %d is not documented", status)
		}
		if len(documented.Content) == 0 {
			if len(body) > 0 {
				t.Fatalf("a body that is not documented: %s", body)
			}
			return
		}
		kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
		if _, ok := documented.Content[kind]; !ok {
			t.Fatalf("content type %q is not documented", kind)
		}
		if kind != "application/json" || o.Path == "/openapi.json" {
			return
		}
		place += "/content/application~1json/schema"
	}
	schema, err := c.Compile(place)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(v); err != nil {
		t.Errorf("%v\n%s", err, body)
	}
}

// pointer escapes a path for a fragment that holds a JSON pointer.
func pointer(path string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(path)
}

// TestListsAreExportedAsCSV: each operation that documents text/csv gives it.
func TestListsAreExportedAsCSV(t *testing.T) {
	d, _ := readDocument(t)
	for _, o := range newHub().server().Operations() {
		if _, ok := d.Paths[o.Path][strings.ToLower(o.Method)].Responses["200"].Content["text/csv"]; !ok {
			continue
		}
		path, _, _, _ := fill(o)
		w := ask(t, newHub().server(), owner("olga"), "GET", path, "", "Accept", "text/csv")
		if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv") || strings.Count(w.Body.String(), "\n") < 1 {
			t.Errorf("%s: %d %s %s", o.Path, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
	}
}
