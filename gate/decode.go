package gate

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// SyntaxError is one mistake in a gate file, an ignore file or a baseline. Line and Column count from 1; 0 is unknown.
type SyntaxError struct {
	Name         string
	Line, Column int
	Message      string
}

func (e *SyntaxError) Error() string {
	switch {
	case e.Line == 0:
		return fmt.Sprintf("%s: %s", e.Name, e.Message)
	case e.Column == 0:
		return fmt.Sprintf("%s:%d: %s", e.Name, e.Line, e.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Name, e.Line, e.Column, e.Message)
}

// maxErrors bounds how many mistakes of one file are reported.
const maxErrors = 20

// decoder reads a YAML tree strictly: it collects mistakes with their places instead of stopping at the first.
type decoder struct {
	name string
	path []string // keys down to where it is
	errs []error
}

// field reads the value of one key.
type field func(*yaml.Node)

func (d *decoder) errorf(n *yaml.Node, format string, args ...any) {
	if len(d.errs) >= maxErrors {
		return
	}
	message := fmt.Sprintf(format, args...)
	if where := strings.Join(d.path, "."); where != "" {
		message = where + ": " + message
	}
	d.errs = append(d.errs, &SyntaxError{Name: d.name, Line: n.Line, Column: n.Column, Message: message})
}

func (d *decoder) err() error { return errors.Join(d.errs...) }

// is reports whether n is of kind, and complains if not.
func (d *decoder) is(n *yaml.Node, kind yaml.Kind, want string) bool {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.errorf(n, "anchors and aliases are not allowed here: write the value out")
	case n.Kind == kind && n.ShortTag() != "!!null":
		return true
	case n.ShortTag() == "!!null":
		d.errorf(n, "has no value: want %s", want)
	default:
		d.errorf(n, "want %s, not %s", want, kindName(n))
	}
	return false
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	}
	return strconv.Quote(clip(n.Value))
}

// mapping reads keys and values; each key at most once, and none that fields does not have.
func (d *decoder) mapping(n *yaml.Node, fields map[string]field) {
	if !d.is(n, yaml.MappingNode, "keys and values") {
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Anchor != "" {
			d.errorf(key, "want a plain key")
			continue
		}
		read, known := fields[key.Value]
		first, again := seen[key.Value]
		switch {
		case !known:
			d.unknown(key, fields)
		case again:
			d.errorf(key, "%s stands here twice: first in line %d", key.Value, first)
		default:
			seen[key.Value] = key.Line
			d.path = append(d.path, key.Value)
			read(value)
			d.path = d.path[:len(d.path)-1]
		}
	}
}

// hints answer keys that people expect.
var hints = map[string]string{
	"malware": "malware always fails: set a single record aside with a suppression",
	"<<":      "merging is not allowed here: write the keys out",
}

func (d *decoder) unknown(key *yaml.Node, fields map[string]field) {
	names := slices.Sorted(maps.Keys(fields))
	if hint, ok := hints[key.Value]; ok {
		d.errorf(key, "%s: %s", key.Value, hint)
		return
	}
	d.errorf(key, "key %v", oneOf(key.Value, names))
}

// maxItems bounds every list.
const maxItems = 10_000

// list reads a list, each item by read.
func (d *decoder) list(n *yaml.Node, read field) {
	if !d.is(n, yaml.SequenceNode, "a list") {
		return
	}
	if len(n.Content) > maxItems {
		d.errorf(n, "a list of %d: at most %d are allowed", len(n.Content), maxItems)
		return
	}
	top := len(d.path)
	for i, item := range n.Content {
		d.path = append(d.path, strconv.Itoa(i+1))
		read(item)
		d.path = d.path[:top]
	}
}

// text reads a text that is not empty.
func (d *decoder) text(to *string) field {
	return func(n *yaml.Node) {
		switch {
		case !d.is(n, yaml.ScalarNode, "a text"):
		case n.ShortTag() != "!!str":
			d.errorf(n, "want a text: put %s in quotes", clip(n.Value))
		case strings.TrimSpace(n.Value) == "":
			d.errorf(n, "is empty")
		default:
			*to = n.Value
		}
	}
}

// pattern reads a shell pattern.
func (d *decoder) pattern(to *string, valid func(string) error) field {
	return func(n *yaml.Node) {
		d.text(to)(n)
		if err := valid(*to); err != nil {
			d.errorf(n, "%v", err)
		}
	}
}

// texts reads a list of patterns.
func (d *decoder) texts(to *[]string, valid func(string) error) field {
	return func(n *yaml.Node) {
		var out []string
		d.list(n, func(item *yaml.Node) {
			var s string
			d.pattern(&s, valid)(item)
			out = append(out, s)
		})
		*to = out
	}
}

func (d *decoder) boolean(to *bool) field {
	return func(n *yaml.Node) {
		switch {
		case !d.is(n, yaml.ScalarNode, "true or false"):
		case n.ShortTag() != "!!bool" || n.Value != "true" && n.Value != "false":
			d.errorf(n, "want true or false, not %q", clip(n.Value))
		default:
			*to = n.Value == "true"
		}
	}
}

// value reads whatever reads itself from a text.
func (d *decoder) value(to encoding.TextUnmarshaler) field {
	return func(n *yaml.Node) {
		if !d.is(n, yaml.ScalarNode, "a single value") {
			return
		}
		if err := to.UnmarshalText([]byte(n.Value)); err != nil {
			d.errorf(n, "%v", err)
		}
	}
}

// fraction reads a number from 0 to 1.
func (d *decoder) fraction(to *float64) field {
	return func(n *yaml.Node) {
		if !d.is(n, yaml.ScalarNode, "a number from 0 to 1") {
			return
		}
		f, err := strconv.ParseFloat(n.Value, 64)
		if err != nil || !(f >= 0 && f <= 1) {
			d.errorf(n, "want a number from 0 (never) to 1, not %q", clip(n.Value))
			return
		}
		*to = f
	}
}

// word reads one of names.
func word[T ~string](d *decoder, to *T, names ...T) field {
	return func(n *yaml.Node) {
		if !d.is(n, yaml.ScalarNode, "a word") {
			return
		}
		if !slices.Contains(names, T(n.Value)) {
			d.errorf(n, "%v", oneOf(n.Value, textsOf(names)))
			return
		}
		*to = T(n.Value)
	}
}
