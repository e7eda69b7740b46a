package gate

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"time"

	"github.com/seawall/seawall/finding"
	"go.yaml.in/yaml/v3"
)

// Schema is the JSON Schema (2020-12) of gate files. Parse is stricter in what a schema cannot say.
//
//go:embed gate.schema.json
var Schema []byte

// maxGateFile bounds a gate file, in bytes.
const maxGateFile = 1 << 20

// Parse reads a gate file; name stands in errors and verdicts. What the file does not say stays as in Default. Its
// errors are SyntaxErrors, joined: unknown and repeated keys, wrong types, values out of range, suppressions without
// an id, reason, owner or expiry. Anchors, aliases and more than one document are refused.
func Parse(name string, b []byte) (*Policy, error) {
	root, err := readYAML(name, b)
	if err != nil {
		return nil, err
	}
	p := Default()
	p.Name, p.Version = name, 0
	sum := sha256.Sum256(b)
	p.Digest = "sha256:" + hex.EncodeToString(sum[:])
	d := &decoder{name: name}
	d.mapping(root, d.policy(p))
	if p.Version != 1 && len(d.errs) == 0 {
		d.errorf(root, "the file must say version: 1")
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	return p, nil
}

// readYAML returns the root of the one document in b.
func readYAML(name string, b []byte) (*yaml.Node, error) {
	fail := func(line int, format string, args ...any) (*yaml.Node, error) {
		return nil, &SyntaxError{Name: name, Line: line, Message: fmt.Sprintf(format, args...)}
	}
	if len(b) > maxGateFile {
		return fail(0, "%d bytes: a gate file has at most %d", len(b), maxGateFile)
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var doc, next yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0:
		return fail(0, "the file is empty: write at least version: 1")
	case err != nil:
		line, message := yamlProblem(err)
		return fail(line, "%s", message)
	}
	if err := dec.Decode(&next); !errors.Is(err, io.EOF) {
		return fail(next.Line, "more than one document: a gate file has one")
	}
	return doc.Content[0], nil
}

var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// yamlProblem takes the line out of the library's error, which has no field for it.
func yamlProblem(err error) (line int, message string) {
	m := yamlError.FindStringSubmatch(err.Error())
	if m == nil {
		return 0, err.Error()
	}
	line, _ = strconv.Atoi(m[1]) // no line: 0
	return line, "not YAML: " + m[2]
}

func (d *decoder) policy(p *Policy) map[string]field {
	return map[string]field{
		"version":        d.version(&p.Version),
		"max":            d.limits(&p.Max),
		"warn":           d.limits(&p.Warn),
		"ignoreUnfixed":  d.boolean(&p.IgnoreUnfixed),
		"ignoreStates":   d.states(&p.IgnoreStates),
		"kernelHeaders":  word(d, &p.KernelHeaders, KernelHeadersIgnore, KernelHeadersCount),
		"scope":          word(d, &p.Scope, ScopeAll, ScopeOwn),
		"kev":            d.action(&p.KEV),
		"epss":           d.probabilities(&p.EPSS),
		"maxScanAge":     d.value(&p.MaxScanAge),
		"maxDatabaseAge": d.value(&p.MaxDatabaseAge),
		"packages":       d.packages(&p.Packages),
		"licenses":       d.licenses(&p.Licenses),
		"secrets":        d.section(d.levels(&p.Secrets)),
		"checks":         d.checks(&p.Checks),
		"baseImages":     d.baseImages(&p.BaseImages),
		"gaps":           d.gaps(&p.Gaps),
		"suppressions":   d.suppressions(&p.Suppressions),
	}
}

// section reads a mapping with fixed keys.
func (d *decoder) section(fields map[string]field) field {
	return func(n *yaml.Node) { d.mapping(n, fields) }
}

func (d *decoder) version(to *int) field {
	return func(n *yaml.Node) {
		switch {
		case !d.is(n, yaml.ScalarNode, "1"):
		case n.Value != "1":
			d.errorf(n, "version %s of the gate file is not known here: want 1", clip(n.Value))
		default:
			*to = 1
		}
	}
}

func (d *decoder) limits(l *Limits) field {
	return d.section(map[string]field{
		"critical":   d.value(&l.Critical),
		"high":       d.value(&l.High),
		"medium":     d.value(&l.Medium),
		"low":        d.value(&l.Low),
		"negligible": d.value(&l.Negligible),
		"unknown":    d.value(&l.Unknown),
	})
}

// ignorable are the states that a gate file may ignore: not that a fix exists, and not malware.
var ignorable = []finding.State{
	finding.StateUnfixed, finding.StateDeferred, finding.StateWontFix, finding.StateUnimportant, finding.StateEndOfLife,
}

func (d *decoder) states(to *[]finding.State) field {
	return func(n *yaml.Node) {
		var out []finding.State
		d.list(n, func(item *yaml.Node) {
			var s finding.State
			word(d, &s, ignorable...)(item)
			out = append(out, s)
		})
		*to = out
	}
}

func (d *decoder) action(to *Action) field { return word(d, to, ActionFail, ActionWarn, ActionIgnore) }

func (d *decoder) probabilities(e *Probabilities) field {
	return d.section(map[string]field{"fail": d.fraction(&e.Fail), "warn": d.fraction(&e.Warn)})
}

func (d *decoder) packages(to *PackageRules) field {
	return d.section(map[string]field{"deny": func(n *yaml.Node) {
		to.Deny = nil
		d.list(n, func(item *yaml.Node) {
			var r PackageRule
			d.packageRule(item, &r)
			to.Deny = append(to.Deny, r)
		})
	}})
}

// packageRule reads a pattern alone, or with a version and a reason.
func (d *decoder) packageRule(n *yaml.Node, r *PackageRule) {
	if n.Kind == yaml.ScalarNode {
		d.pattern(&r.Package, finding.ValidPattern)(n)
		return
	}
	d.mapping(n, map[string]field{
		"package": d.pattern(&r.Package, finding.ValidPattern),
		"version": d.pattern(&r.Version, finding.ValidPattern),
		"reason":  d.text(&r.Reason),
	})
	if n.Kind == yaml.MappingNode && r.Package == "" {
		d.errorf(n, "names no package")
	}
}

func (d *decoder) licenses(l *LicenseRules) field {
	return d.section(map[string]field{
		"deny":    d.texts(&l.Deny, finding.ValidPattern),
		"allow":   d.texts(&l.Allow, finding.ValidPattern),
		"unknown": d.action(&l.Unknown),
	})
}

func (d *decoder) levels(l *Levels) map[string]field {
	return map[string]field{"fail": d.value(&l.Fail), "warn": d.value(&l.Warn)}
}

func (d *decoder) checks(c *CheckRules) field {
	fields := d.levels(&c.Levels)
	fields["deny"] = d.texts(&c.Deny, finding.ValidPattern)
	return d.section(fields)
}

func (d *decoder) baseImages(to *BaseImageRules) field {
	return d.section(map[string]field{"require": func(n *yaml.Node) {
		to.Require = nil
		d.list(n, func(item *yaml.Node) {
			var b BaseImage
			d.mapping(item, map[string]field{
				"name":   d.pattern(&b.Name, finding.ValidPattern),
				"digest": d.pattern(&b.Digest, validDigest),
				"layers": d.texts(&b.Layers, validDigest),
			})
			if item.Kind == yaml.MappingNode && b.Name == "" && b.Digest == "" && len(b.Layers) == 0 {
				d.errorf(item, "names nothing: give a name, a digest or layers")
			}
			to.Require = append(to.Require, b)
		})
	}})
}

var digest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func validDigest(s string) error {
	if s != "" && !digest.MatchString(s) {
		return fmt.Errorf("want sha256: and 64 lower-case hexadecimal digits, not %q", clip(s))
	}
	return nil
}

func (d *decoder) gaps(g *GapRules) field {
	seen := map[GapRule]string{}
	rules := func(name string, to *[]GapRule) field {
		return func(n *yaml.Node) {
			*to = nil
			d.list(n, func(item *yaml.Node) {
				var r GapRule
				before := len(d.errs)
				d.value(&r)(item)
				if first, again := seen[r]; again && len(d.errs) == before {
					d.errorf(item, "%s stands in %s already", clip(item.Value), first)
				}
				seen[r] = name
				*to = append(*to, r)
			})
		}
	}
	return d.section(map[string]field{
		"stop": rules("stop", &g.Stop), "warn": rules("warn", &g.Warn), "ignore": rules("ignore", &g.Ignore),
	})
}

func (d *decoder) suppressions(to *[]finding.Suppression) field {
	return func(n *yaml.Node) {
		*to = nil
		d.list(n, func(item *yaml.Node) {
			before := len(d.errs)
			s := finding.Suppression{Source: finding.SourceGate, Origin: fmt.Sprintf("%s:%d", d.name, item.Line)}
			d.mapping(item, map[string]field{
				"id":      d.text(&s.ID),
				"package": d.pattern(&s.Package, finding.ValidPattern),
				"path":    d.pattern(&s.Path, finding.ValidPattern),
				"reason":  d.text(&s.Reason),
				"owner":   d.text(&s.Owner),
				"expires": d.lastDay(&s.Expires),
			})
			if err := s.Validate(); err != nil && len(d.errs) == before {
				d.errorf(item, "%v", err)
			}
			*to = append(*to, s)
		})
	}
}

// lastDay reads the last day, in UTC, on which something holds.
func (d *decoder) lastDay(to *time.Time) field {
	return func(n *yaml.Node) {
		if !d.is(n, yaml.ScalarNode, "a day") {
			return
		}
		t, err := endOf(n.Value)
		if err != nil {
			d.errorf(n, "%v", err)
			return
		}
		*to = t
	}
}

// endOf returns the first moment after day, YYYY-MM-DD in UTC.
func endOf(day string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return time.Time{}, fmt.Errorf("want the last day on which it holds as YYYY-MM-DD, not %q", clip(day))
	}
	return t.AddDate(0, 0, 1), nil
}
