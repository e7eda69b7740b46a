package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seawall/seawall/auth"
)

// route is one operation.
type route struct {
	method, path string
	need         need
	handle       func(*call) (reply, error)
	// streams: it takes as long as it takes.
	streams bool
	// secret: the answer holds what is shown once, so that it is not kept for an Idempotency-Key.
	secret bool
}

// need is what a route asks of the caller before its handler runs.
type need struct {
	action auth.Action
	where  where
}

// where says on what the action must be allowed.
type where string

const (
	open         where = "open"      // nothing is asked
	pending      where = "pending"   // somebody, even one who must change the password first
	signedIn     where = "signed-in" // somebody
	everywhere   where = ""
	inRepository where = "repository" // the one in the path
	anywhere     where = "any"        // the handler filters by it
	inBody       where = "body"       // the handler reads which repository, and asks
)

func on(a auth.Action) need        { return need{a, everywhere} }
func onImage(a auth.Action) need   { return need{a, inRepository} }
func somewhere(a auth.Action) need { return need{a, anywhere} }

// mount registers every route. Methods are told apart here and not by the mux, so that a wrong one gets a problem.
func (s *Server) mount() {
	s.routes = slices.Concat(
		s.sessionRoutes(), s.overviewRoutes(), s.repositoryRoutes(), s.imageRoutes(), s.contentRoutes(), s.decisionRoutes(),
		s.findingRoutes(), s.advisoryRoutes(), s.exceptionRoutes(), s.ruleRoutes(), s.userRoutes(), s.serviceRoutes(),
		s.roleRoutes(), s.issuerRoutes(), s.tokenRoutes(), s.keyRoutes(), s.auditRoutes(), s.jobRoutes(), s.importRoutes(), s.credentialRoutes(),
		s.targetRoutes(), s.notifyRuleRoutes(), s.systemRoutes(), s.reportRoutes(), s.eventRoutes(), s.documentRoutes(),
	)
	byPath := map[string]map[string]*route{}
	for i := range s.routes {
		r := &s.routes[i]
		if byPath[r.path] == nil {
			byPath[r.path] = map[string]*route{}
		}
		byPath[r.path][r.method] = r
	}
	for path, methods := range byPath {
		s.mux.Handle(Prefix+path, s.methods(methods))
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.call(w, r, nil).fail(errNoRoute)
	})
}

func (s *Server) methods(routes map[string]*route) http.HandlerFunc {
	allow := []string{}
	for m := range routes {
		allow = append(allow, m)
	}
	if routes[http.MethodGet] != nil {
		allow = append(allow, http.MethodHead)
	}
	slices.Sort(allow)
	return func(w http.ResponseWriter, r *http.Request) {
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		route := routes[method]
		c := s.call(w, r, route)
		if route == nil {
			w.Header().Set("Allow", strings.Join(allow, ", "))
			c.fail(errMethod)
			return
		}
		c.serve()
	}
}

// serve runs the route: limits, permission, handler, answer.
func (c *call) serve() {
	if !c.route.streams {
		ctx, cancel := context.WithTimeout(c.r.Context(), c.s.Limits.Timeout)
		defer cancel()
		c.r = c.r.WithContext(ctx)
		http.NewResponseController(c.w).SetReadDeadline(time.Now().Add(c.s.Limits.Timeout)) // a body must not trickle in
	}
	answer, err := c.answer()
	if err != nil {
		c.fail(err)
		return
	}
	answer.write(c)
}

func (c *call) answer() (reply, error) {
	if c.s.Allow != nil {
		if wait, ok := c.s.Allow(c.r); !ok {
			return nil, &tooMany{wait}
		}
	}
	if err := c.allowed(); err != nil {
		return nil, err
	}
	if c.r.Method == http.MethodPost && c.route.need.where != open && c.r.Header.Get("Idempotency-Key") != "" {
		return c.once()
	}
	return c.route.handle(c)
}

// allowed holds the caller's permissions against what the route needs. A repository that the caller may not see is
// answered like one that is not there.
func (c *call) allowed() error {
	n := c.route.need
	if n.where == open {
		return nil
	}
	if !c.who.SignedIn() && !c.who.MayAny(auth.ImageList) {
		return auth.ErrSignedOut
	}
	switch n.where {
	case pending:
		return c.somebody()
	case signedIn:
		if c.who.Must != "" {
			return errMust(c.who.Must)
		}
		return c.somebody()
	case inRepository:
		return c.mayOn(n.action, c.r.PathValue("repository"))
	case anywhere, inBody:
		return c.refuse(c.who.MayAny(n.action), n.action, "any repository")
	default:
		return c.refuse(c.who.May(n.action, auth.Everything), n.action, "everything")
	}
}

func (c *call) somebody() error {
	if !c.who.SignedIn() {
		return auth.ErrSignedOut
	}
	return nil
}

// mayOn reports why the caller may not do a in a repository.
func (c *call) mayOn(a auth.Action, repository string) error {
	if c.who.May(a, auth.Repository(repository)) {
		return nil
	}
	if c.who.Must == "" && !c.sees(repository) {
		return errUnseen
	}
	return c.refuse(false, a, repository)
}

func (c *call) refuse(may bool, a auth.Action, what string) error {
	switch {
	case may:
		return nil
	case c.who.Must != "":
		return errMust(c.who.Must)
	case !c.who.SignedIn():
		return auth.ErrSignedOut
	}
	return fmt.Errorf("%w: this needs %s on %s", auth.ErrRefused, a, what)
}

// sees reports whether the caller may see a repository.
func (c *call) sees(repository string) bool {
	return c.who.May(auth.ImageList, auth.Repository(repository))
}

// seesAll reports whether nothing has to be filtered.
func (c *call) seesAll() bool { return c.who.May(auth.ImageList, auth.Everything) }
