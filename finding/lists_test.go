package finding_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/seawall/seawall/finding"
)

// A constant that is missing from its list would be unknown to gate files.
func TestListsAreComplete(t *testing.T) {
	for _, c := range []struct {
		file, typ string
		listed    []string
	}{
		{"inventory.go", "GapKind", texts(finding.GapKinds)},
		{"finding.go", "State", texts(finding.States)},
	} {
		declared := constants(t, c.file, c.typ)
		slices.Sort(declared)
		slices.Sort(c.listed)
		if len(declared) == 0 || !slices.Equal(declared, c.listed) {
			t.Errorf("%s: declared %q, listed %q", c.typ, declared, c.listed)
		}
	}
}

func texts[T ~string](values []T) []string {
	var out []string
	for _, v := range values {
		out = append(out, string(v))
	}
	return out
}

// constants returns the values of the string constants of type typ that file declares.
func constants(t *testing.T, file, typ string) []string {
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(tree, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != typ {
			return true
		}
		if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
			value, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, value)
		}
		return true
	})
	return out
}
