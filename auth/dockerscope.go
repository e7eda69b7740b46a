package auth

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// registryScope is one scope of the token protocol: "repository:team/app:pull,push".
type registryScope struct {
	kind, name string
	actions    []string
}

const (
	maxScopes     = 100 // in one request
	maxScopeText  = 1024
	maxRepository = 255
)

// repositories are names as the distribution specification has them.
var repositories = regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$`)

// parseScopes reads the values of "scope", each of which may hold several, separated by spaces.
func parseScopes(values []string) ([]registryScope, error) {
	var scopes []registryScope
	for _, v := range values {
		for text := range strings.FieldsSeq(v) {
			if len(scopes) == maxScopes || len(text) > maxScopeText {
				return nil, invalid("more than %d scopes, or one longer than %d bytes", maxScopes, maxScopeText)
			}
			s, ok := parseScope(text)
			if !ok {
				return nil, invalid("no scope: %q; it has the form repository:name:pull,push", text)
			}
			scopes = append(scopes, s)
		}
	}
	return scopes, nil
}

// parseScope takes what stands between the first and the last colon for the name, which may have a port in it.
func parseScope(text string) (registryScope, bool) {
	kind, rest, ok := strings.Cut(text, ":")
	i := strings.LastIndexByte(rest, ':')
	if !ok || i <= 0 {
		return registryScope{}, false
	}
	kind, _, _ = strings.Cut(kind, "(") // a class, as in "repository(plugin)"
	s := registryScope{kind: kind, name: rest[:i]}
	for a := range strings.SplitSeq(rest[i+1:], ",") {
		if a != "" && !slices.Contains(s.actions, a) {
			s.actions = append(s.actions, a)
		}
	}
	return s, kind != ""
}

func (s registryScope) String() string {
	return s.kind + ":" + s.name + ":" + strings.Join(s.actions, ",")
}

// registryActions says what each action of the protocol stands for. Whoever may do one of them gets the action, and the
// token is limited to those of them that the principal may do: a signer may push, and the registry refuses all that is no
// signature.
var registryActions = map[string][]Action{
	"pull":   {ImagePull, ImageHeld, ImageList},
	"push":   {ImagePush, ImageSign},
	"delete": {ImageDelete},
}

// opens are the actions one of which is needed for the protocol's action.
var opens = map[string][]Action{
	"pull":   {ImagePull, ImageHeld},
	"push":   {ImagePush, ImageSign},
	"delete": {ImageDelete},
}

// granted is the part of scopes that the principal may, as scopes for the answer and as limits for the token.
func granted(p *Principal, scopes []registryScope) (answer []registryScope, narrow []Permission) {
	narrow = []Permission{}
	for _, s := range scopes {
		got, limits := grantedOf(p, s)
		if len(got.actions) > 0 {
			answer, narrow = append(answer, got), append(narrow, limits...)
		}
	}
	return answer, narrow
}

func grantedOf(p *Principal, s registryScope) (registryScope, []Permission) {
	got := registryScope{kind: s.kind, name: s.name}
	var narrow []Permission
	switch {
	case s.kind == "registry" && s.name == "catalog":
		if slices.Contains(s.actions, "*") && p.MayAny(ImageList) {
			got.actions = []string{"*"}
			narrow = []Permission{{ImageList, Everything}}
		}
	case s.kind == "repository" && len(s.name) <= maxRepository && repositories.MatchString(s.name):
		for _, a := range s.expanded() {
			may := permitted(p, a, Repository(s.name))
			if len(may) > 0 {
				got.actions, narrow = append(got.actions, a), append(narrow, may...)
			}
		}
	}
	return got, narrow
}

// expanded has "*" written out.
func (s registryScope) expanded() []string {
	if slices.Contains(s.actions, "*") {
		return []string{"pull", "push", "delete"}
	}
	return s.actions
}

func permitted(p *Principal, action string, scope Scope) []Permission {
	may := func(a Action) bool { return p.May(a, scope) }
	if !slices.ContainsFunc(opens[action], may) {
		return nil
	}
	var all []Permission
	for _, a := range registryActions[action] {
		if may(a) {
			all = append(all, Permission{a, scope})
		}
	}
	return all
}

// scopeOf is the scope that a request to the registry needs, "" where it needs none.
func scopeOf(method, path, mount, from string) string {
	path = strings.TrimPrefix(path, "/v2/")
	if path == "_catalog" {
		return "registry:catalog:*"
	}
	name := repositoryOf(path)
	if name == "" {
		return ""
	}
	scope := "repository:" + name + ":"
	switch method {
	case http.MethodGet, http.MethodHead:
		return scope + "pull"
	case http.MethodDelete:
		return scope + "delete"
	}
	scope += "pull,push"
	if mount != "" && from != name && repositories.MatchString(from) && len(from) <= maxRepository {
		scope += " repository:" + from + ":pull"
	}
	return scope
}

// repositoryOf takes the name out of "<name>/manifests/…" and its siblings.
func repositoryOf(path string) string {
	end := -1
	for _, part := range []string{"/manifests/", "/blobs/", "/tags/list", "/referrers/"} {
		end = max(end, strings.LastIndex(path, part))
	}
	if end <= 0 || end > maxRepository || !repositories.MatchString(path[:end]) {
		return ""
	}
	return path[:end]
}
