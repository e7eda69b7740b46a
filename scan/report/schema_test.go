package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/seawall/seawall/finding"

	// Carries the SARIF schema, in a constant that is not exported: see TestSARIFSchema.
	_ "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
)

// Official schemas are taken from Go modules that publish them: from the module cache, never from the network.

// moduleDir is where the module cache holds a module; the test is skipped where it does not.
func moduleDir(t *testing.T, module string) string {
	t.Helper()
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module)
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOPROXY=off")
	out, err := cmd.Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skipf("module %s is not in the module cache, and with it the official schema: run go mod download %s", module, module)
	}
	return dir
}

func parse(t *testing.T, data []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// noLoader refuses every reference that the test has not provided itself.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) { return nil, fmt.Errorf("%s: not provided", url) }

// compile compiles the first of schemas; each has a URL and its text.
func compile(t *testing.T, schemas ...[2]string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	for _, s := range schemas {
		if err := c.AddResource(s[0], parse(t, []byte(s[1]))); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := c.Compile(schemas[0][0])
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func validate(t *testing.T, schema *jsonschema.Schema, format string, o Options) {
	t.Helper()
	for name, r := range map[string]finding.Result{"sample": sample(), "clean": clean(), "hostile": hostile(), "zero": {}} {
		if err := schema.Validate(parse(t, write(t, format, o, r))); err != nil {
			t.Errorf("%s of %s: %v", format, name, err)
		}
	}
}

func TestJSONSchema(t *testing.T) {
	validate(t, compile(t, [2]string{"result.json", string(Schema)}), "json", Options{})
}

func TestCycloneDXSchema(t *testing.T) {
	dir := filepath.Join(moduleDir(t, "github.com/CycloneDX/cyclonedx-go"), "schema")
	const base = "http://cyclonedx.org/schema/"
	schema := compile(t,
		[2]string{base + "bom-1.6.schema.json", read(t, dir, "bom-1.6.schema.json")},
		[2]string{base + "spdx.schema.json", read(t, dir, "spdx.schema.json")},
		[2]string{base + "jsf-0.82.schema.json", read(t, dir, "jsf-0.82.schemax.json")})
	validate(t, schema, "cyclonedx", Options{})
	validate(t, schema, "cyclonedx", Options{Inventory: true})
}

// TestSARIFSchema takes the OASIS schema from go-sarif, which carries it as a constant.
func TestSARIFSchema(t *testing.T) {
	path := filepath.Join(moduleDir(t, "github.com/owenrumney/go-sarif/v3"), "pkg", "report", "v210", "sarif", "schema.go")
	validate(t, compile(t, [2]string{"sarif.json", constant(t, path, "schema")}), "sarif", Options{})
}

// constant reads a string constant out of a Go file.
func constant(t *testing.T, path, name string) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && spec.Names[0].Name == name {
			text, err = strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		}
		return true
	})
	if err != nil || text == "" {
		t.Fatalf("%s: no constant %s: %v", path, name, err)
	}
	return text
}

// TestSPDXSchema wants the schema that the specification's repository publishes as schemas/spdx-schema.json. No module
// that this one needs carries it.
func TestSPDXSchema(t *testing.T) {
	path := os.Getenv("SEAWALL_SPDX_SCHEMA")
	if path == "" {
		t.Skip("set SEAWALL_SPDX_SCHEMA to the SPDX 2.3 JSON schema (spdx/spdx-spec v2.3, schemas/spdx-schema.json)")
	}
	validate(t, compile(t, [2]string{"spdx.json", read(t, path)}), "spdx", Options{})
}

// TestGitLabSchema wants dist/container-scanning-report-format.json of GitLab's security-report-schemas, version 15.
func TestGitLabSchema(t *testing.T) {
	path := os.Getenv("SEAWALL_GITLAB_SCHEMA")
	if path == "" {
		t.Skip("set SEAWALL_GITLAB_SCHEMA to container-scanning-report-format.json of GitLab's security-report-schemas 15")
	}
	validate(t, compile(t, [2]string{"gitlab.json", read(t, path)}), "gitlab", Options{})
}

// TestGitLabRules holds the report against the rules of GitLab's schema that reports break most easily, for where the
// schema itself is not at hand.
func TestGitLabRules(t *testing.T) {
	for _, r := range []finding.Result{sample(), hostile()} {
		for _, ref := range []string{r.Inventory.Image.Ref, "alpine", "/tmp/a b.tar", "alpine@sha256:00", ""} {
			r.Inventory.Image.Ref = ref
			var doc gitlabReport
			if err := json.Unmarshal(write(t, "gitlab", Options{}, r), &doc); err != nil {
				t.Fatal(err)
			}
			for _, v := range doc.Vulnerabilities {
				if v.ID == "" || len(v.Name) > 255 && len([]rune(v.Name)) > 255 || len(v.Identifiers) == 0 || v.Location.OperatingSystem == "" {
					t.Errorf("incomplete: %+v", v)
				}
				if !gitlabImagePattern.MatchString(v.Location.Image) {
					t.Errorf("image %q does not match the schema", v.Location.Image)
				}
			}
		}
	}
}

// TestSchemaKnowsEveryField fills every field of a result: a field that the published schema does not have is an error.
func TestSchemaKnowsEveryField(t *testing.T) {
	var r finding.Result
	fill(reflect.ValueOf(&r).Elem())
	out := write(t, "json", Options{}, r)
	if err := compile(t, [2]string{"result.json", string(Schema)}).Validate(parse(t, out)); err != nil {
		t.Errorf("change schema/result.schema.json with the fields: %v", err)
	}
}

// fill sets everything below v to something that is not its zero value.
func fill(v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(at))
		return
	case finding.Decision:
		v.SetString(string(finding.Warn))
		return
	case finding.State:
		v.SetString(string(finding.StateFixed))
		return
	case finding.IDKind:
		v.SetString(string(finding.IDTree))
		return
	case finding.SuppressionSource:
		v.SetString(string(finding.SourceVEX))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key"), reflect.ValueOf("value"))
	case reflect.String:
		v.SetString("base") // the one plain string that is an enumeration: Upgrade.Kind
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Uint32:
		v.SetUint(1)
	default:
		v.SetInt(1)
	}
}
