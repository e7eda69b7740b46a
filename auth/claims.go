package auth

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// claim returns the values of a claim as text. The name is that of the claim, or a path into objects with "/" between
// the names: "kubernetes.io/namespace". A list has the values of its elements; objects and null have none.
func claim(claims map[string]any, name string) []string {
	if v, ok := claims[name]; ok {
		return claimText(v)
	}
	for i := range len(name) {
		if name[i] != '/' {
			continue
		}
		if inner, ok := claims[name[:i]].(map[string]any); ok {
			if found := claim(inner, name[i+1:]); found != nil {
				return found
			}
		}
	}
	return nil
}

func claimText(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case bool:
		return []string{fmt.Sprint(v)}
	case json.Number:
		return []string{v.String()}
	case []any:
		all := []string{}
		for _, e := range v {
			if _, nested := e.([]any); !nested {
				all = append(all, claimText(e)...)
			}
		}
		return all
	}
	return nil
}

// claimMatches reports whether one of the values matches the pattern. "*" stands for any text without "/" and ":", "**"
// for any text, "?" for one character; all else for itself.
func claimMatches(pattern string, values []string) bool {
	var b strings.Builder
	b.WriteString(`\A(?s:`)
	for rest := pattern; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "**"):
			b.WriteString(`.*`)
			rest = rest[2:]
		case rest[0] == '*':
			b.WriteString(`[^/:]*`)
			rest = rest[1:]
		case rest[0] == '?':
			b.WriteString(`[^/:]`)
			rest = rest[1:]
		default:
			n := strings.IndexAny(rest, "*?")
			if n < 0 {
				n = len(rest)
			}
			b.WriteString(regexp.QuoteMeta(rest[:n]))
			rest = rest[n:]
		}
	}
	b.WriteString(`)\z`)
	re, err := regexp.Compile(b.String())
	if err != nil {
		return false
	}
	for _, v := range values {
		if re.MatchString(v) {
			return true
		}
	}
	return false
}

var placeholders = regexp.MustCompile(`\{([^{}]+)\}`)

// expand fills a template with claims: "{kubernetes.io/namespace}". false says that one is missing or not a single text.
func expand(template string, claims map[string]any) (string, bool) {
	ok := true
	text := placeholders.ReplaceAllStringFunc(template, func(p string) string {
		values := claim(claims, p[1:len(p)-1])
		if len(values) != 1 || values[0] == "" {
			ok = false
			return ""
		}
		return values[0]
	})
	return text, ok
}
