package auth

import (
	"fmt"
	"path"
	"strings"
)

// maxScope bounds the name of a scope, in bytes.
const maxScope = 512

// Covers reports whether everything in t is also in s. Where t is itself a pattern the answer may be a false no, never
// a false yes.
func (s Scope) Covers(t Scope) bool {
	switch s.Kind {
	case ScopeAll:
		return true
	case ScopeCluster:
		cluster, _, _ := strings.Cut(t.Name, "/")
		return s.Name != "" && (t.Kind == ScopeCluster && t.Name == s.Name || t.Kind == ScopeNamespace && cluster == s.Name)
	case ScopeNamespace:
		return s.Name != "" && t == s
	case ScopeRepository:
		return t.Kind == ScopeRepository && t.Name != "" && patternCovers(s.Name, t.Name)
	}
	return false
}

// Check says what is wrong with a scope.
func (s Scope) Check() error {
	if !plain(s.Name, maxScope) {
		return invalid("the scope's name is longer than %d bytes, or not plain text", maxScope)
	}
	switch s.Kind {
	case ScopeAll:
		if s.Name != "" {
			return invalid("the scope %q has no name", s.Kind)
		}
	case ScopeCluster:
		if s.Name == "" || strings.Contains(s.Name, "/") {
			return invalid("the scope %q needs the name of a cluster, not %q", s.Kind, s.Name)
		}
	case ScopeNamespace:
		if c, n, ok := strings.Cut(s.Name, "/"); !ok || c == "" || n == "" || strings.Contains(n, "/") {
			return invalid("the scope %q needs a name of the form cluster/namespace, not %q", s.Kind, s.Name)
		}
	case ScopeRepository:
		return checkPattern(s.Name)
	default:
		return invalid("no kind of scope: %q; there are all, cluster, namespace and repository", s.Kind)
	}
	return nil
}

func (s Scope) String() string {
	if s.Kind == ScopeAll {
		return string(s.Kind)
	}
	return fmt.Sprintf("%s:%s", s.Kind, s.Name)
}

func checkPattern(pattern string) error {
	if pattern == "" || strings.HasPrefix(pattern, "/") || strings.HasSuffix(pattern, "/") {
		return invalid("no pattern of repositories: %q; write team/app, team/* or team/**", pattern)
	}
	for elem := range strings.SplitSeq(pattern, "/") {
		if _, err := path.Match(elem, ""); err != nil || elem == "" {
			return invalid("no pattern of repositories: %q", pattern)
		}
	}
	return nil
}

// patternCovers reports whether every name that inner matches is matched by outer. It knows: a name without wildcards,
// the same pattern, and "prefix/**" over all that begins with the prefix. Of other pairs it says no.
func patternCovers(outer, inner string) bool {
	if outer == "" {
		return false
	}
	if outer == inner || outer == "**" {
		return true
	}
	if !strings.ContainsAny(inner, `*?[\`) {
		return match(strings.Split(outer, "/"), strings.Split(inner, "/"))
	}
	prefix, ok := strings.CutSuffix(outer, "/**")
	return ok && !strings.ContainsAny(prefix, `*?[\`) && strings.HasPrefix(inner, prefix+"/")
}

// match matches names element by element as path.Match does; "**" stands for any number of elements. After a failure it
// goes back to the last "**" only, so that the work is at most len(pattern)*len(name).
func match(pattern, name []string) bool {
	p, n, star, from := 0, 0, -1, 0
	for n < len(name) {
		if p < len(pattern) && pattern[p] == "**" {
			star, from = p, n
			p++
			continue
		}
		if p < len(pattern) && matchElem(pattern[p], name[n]) {
			p, n = p+1, n+1
			continue
		}
		if star < 0 {
			return false
		}
		from++
		p, n = star+1, from
	}
	for p < len(pattern) && pattern[p] == "**" {
		p++
	}
	return p == len(pattern)
}

func matchElem(pattern, elem string) bool {
	ok, err := path.Match(pattern, elem)
	return err == nil && ok
}
