package api

// Operation is a route as tests see it.
type Operation struct {
	Method, Path, Action, Scope string
}

// Operations lists what a Server serves.
func (s *Server) Operations() []Operation {
	all := []Operation{}
	for _, r := range s.routes {
		o := Operation{Method: r.method, Path: r.path, Action: string(r.need.action), Scope: string(r.need.where)}
		if o.Action == "" {
			o.Action, o.Scope = o.Scope, ""
		}
		all = append(all, o)
	}
	return all
}

// Cell and Errors are the insides that have tests of their own.
var (
	Cell      = cell
	ProblemOf = problemOf
	Listed    = listed
)
