package gate_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/gate"
	"go.yaml.in/yaml/v3"
)

func compiledSchema(tb testing.TB) *jsonschema.Schema {
	tb.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(gate.Schema))
	if err != nil {
		tb.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("gate.json", doc); err != nil {
		tb.Fatal(err)
	}
	s, err := c.Compile("gate.json")
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// validate checks a gate file against the schema, as an editor does.
func validate(s *jsonschema.Schema, text string) error {
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		return err
	}
	// Days are timestamps to YAML and texts to JSON.
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	v, err = jsonschema.UnmarshalJSON(bytes.NewReader(bytes.ReplaceAll(b, []byte("T00:00:00Z"), nil)))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

func TestSchemaAgreesWithParse(t *testing.T) {
	s := compiledSchema(t)
	for _, c := range []struct {
		text string
		ok   bool
	}{
		{"version: 1", true},
		{everything, true},
		{"{}", false},
		{"version: 2", false},
		{"version: 1\nmaxx: {}", false},
		{"version: 1\nmax: {high: -1}", false},
		{"version: 1\nmax: {high: many}", false},
		{"version: 1\nmax: {high: any}", true},
		{"version: 1\nignoreUnfixed: 1", false},
		{"version: 1\nignoreStates: [malware]", false},
		{"version: 1\nscope: base", false},
		{"version: 1\nkev: never", false},
		{"version: 1\nepss: {fail: 2}", false},
		{"version: 1\nmaxScanAge: 30", false},
		{"version: 1\nmaxScanAge: 1w2d3h4m", true},
		{"version: 1\nmaxScanAge: x", false},
		{"version: 1\npackages: {deny: [a, {package: b}]}", true},
		{"version: 1\npackages: {deny: [{version: b}]}", false},
		{"version: 1\nlicenses: {unknown: maybe}", false},
		{"version: 1\nsecrets: {fail: unknown}", false},
		{"version: 1\nchecks: {deny: [1]}", false},
		{"version: 1\nbaseImages: {require: [{}]}", false},
		{"version: 1\ngaps: {stop: [other]}", false},
		{"version: 1\ngaps: {stop: ['no-data:x']}", true},
		{"version: 1\nsuppressions: [{id: a, reason: b, owner: c, expires: 2027-01-31}]", true},
		{"version: 1\nsuppressions: [{id: a, reason: b, owner: c}]", false},
		{"version: 1\nsuppressions: [{reason: b, owner: c, expires: 2027-01-31}]", false},
		{"version: 1\nsuppressions: [{id: a, reason: ' ', owner: c, expires: 2027-01-31}]", false},
	} {
		if err := validate(s, c.text); (err == nil) != c.ok {
			t.Errorf("schema: %.80q: %v; want ok: %v", c.text, err, c.ok)
		}
		if _, err := gate.Parse("gate.yaml", []byte(c.text)); (err == nil) != c.ok {
			t.Errorf("parser: %.80q: %v; want ok: %v", c.text, err, c.ok)
		}
	}
}

// Every field of Policy is a key of the schema with a description, and the other way round; the parser knows it.
func TestSchemaAgreesWithPolicy(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(gate.Schema, &root); err != nil {
		t.Fatal(err)
	}
	properties := root["properties"].(map[string]any)
	suppressions := properties["suppressions"]
	delete(properties, "suppressions")
	walk(t, nil, reflect.TypeFor[gate.Policy](), root)

	entry := suppressions.(map[string]any)["items"].(map[string]any)["properties"].(map[string]any)
	for key := range entry {
		if !parserKnows([]string{"suppressions", "[]", key}) {
			t.Errorf("the parser does not know suppressions.%s", key)
		}
	}
	typ := reflect.TypeFor[finding.Suppression]()
	set := map[string]bool{"source": true, "origin": true, "identity": true} // not the file's to say
	for f := range typ.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); entry[name] == nil && !set[name] {
			t.Errorf("the schema does not know suppressions.%s", name)
		}
	}
}

// walk compares the fields of a struct with the properties of an object.
func walk(t *testing.T, path []string, typ reflect.Type, schema map[string]any) {
	properties, _ := schema["properties"].(map[string]any)
	if schema["additionalProperties"] != false || schema["description"] == nil {
		t.Errorf("%v: the schema allows other keys or says nothing about it", path)
	}
	var keys []string
	for _, f := range reflect.VisibleFields(typ) {
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if key == "-" || f.Anonymous {
			continue
		}
		keys = append(keys, key)
		at := append(slices.Clone(path), key)
		property, ok := properties[key].(map[string]any)
		if !ok || property["description"] == nil {
			t.Errorf("%v is not in the schema, or without a description", at)
			continue
		}
		if !parserKnows(at) {
			t.Errorf("the parser does not know %v", at)
		}
		descend(t, at, f.Type, property)
	}
	for key := range properties {
		if !slices.Contains(keys, key) {
			t.Errorf("%v.%s is in the schema and not in the policy", path, key)
		}
	}
}

func descend(t *testing.T, path []string, typ reflect.Type, property map[string]any) {
	if typ.Kind() == reflect.Slice {
		property, _ = property["items"].(map[string]any)
		if either, ok := property["anyOf"].([]any); ok {
			property = either[len(either)-1].(map[string]any)
		}
		typ, path = typ.Elem(), append(path, "[]")
	}
	if typ.Kind() == reflect.Struct && property["properties"] != nil {
		walk(t, path, typ, property)
	}
}

// parserKnows asks for the key with a value that no key takes: only a known key complains about the value.
func parserKnows(path []string) bool {
	text := "&x y"
	for _, key := range slices.Backward(path) {
		if key == "[]" {
			text = "[" + text + "]"
		} else {
			text = "{" + key + ": " + text + "}"
		}
	}
	_, err := gate.Parse("gate.yaml", []byte(text))
	return err != nil && !strings.Contains(err.Error(), "is not known")
}
