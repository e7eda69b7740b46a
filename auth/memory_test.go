package auth

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seawall/seawall/audit"
)

// memory is a Store for tests.
type memory struct {
	mu       sync.Mutex
	users    map[string]User
	services map[string]Service
	roles    map[string]Role
	grants   []Grant
	issuers  []Issuer
	tokens   map[string]Token // by id
	records  []audit.Entry
	next     int64
	fail     error // of everything, where set
}

func newMemory() *memory {
	return &memory{users: map[string]User{}, services: map[string]Service{}, roles: map[string]Role{}, tokens: map[string]Token{}}
}

// do runs f under the lock, and keeps records only where it succeeds.
func (m *memory) do(f func() error, by ...audit.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	if err := f(); err != nil {
		return err
	}
	m.records = append(m.records, by...)
	return nil
}

func values[K comparable, V any](m map[K]V, id func(V) string) []V {
	var all []V
	for _, v := range m {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b V) int {
		if id(a) < id(b) {
			return -1
		}
		return 1
	})
	return all
}

func get[V any](m *memory, of map[string]V, id string) (v V, err error) {
	err = m.do(func() error {
		var ok bool
		if v, ok = of[id]; !ok {
			return ErrNotFound
		}
		return nil
	})
	return v, err
}

func put[V any](m *memory, of map[string]V, id string, v V, create bool, by audit.Entry) error {
	return m.do(func() error {
		if _, ok := of[id]; ok == create {
			if create {
				return ErrExists
			}
			return ErrNotFound
		}
		of[id] = v
		return nil
	}, by)
}

func (m *memory) Users(context.Context) (all []User, err error) {
	err = m.do(func() error { all = values(m.users, func(u User) string { return u.ID }); return nil })
	return all, err
}
func (m *memory) User(_ context.Context, id string) (User, error) { return get(m, m.users, id) }
func (m *memory) PutUser(_ context.Context, u User, create bool, by audit.Entry) error {
	return put(m, m.users, u.ID, u, create, by)
}
func (m *memory) DeleteUser(_ context.Context, id string, by audit.Entry) error {
	return m.do(func() error { return drop(m, m.users, id) }, by)
}

// drop deletes with tokens and grants.
func drop[V any](m *memory, of map[string]V, id string) error {
	if _, ok := of[id]; !ok {
		return ErrNotFound
	}
	delete(of, id)
	m.grants = slices.DeleteFunc(m.grants, func(g Grant) bool { return g.Subject == id })
	for k, t := range m.tokens {
		if t.Subject == id {
			delete(m.tokens, k)
		}
	}
	return nil
}

func (m *memory) Services(context.Context) (all []Service, err error) {
	err = m.do(func() error { all = values(m.services, func(s Service) string { return s.ID }); return nil })
	return all, err
}
func (m *memory) Service(_ context.Context, id string) (Service, error) {
	return get(m, m.services, id)
}
func (m *memory) PutService(_ context.Context, v Service, create bool, by audit.Entry) error {
	return put(m, m.services, v.ID, v, create, by)
}
func (m *memory) DeleteService(_ context.Context, id string, by audit.Entry) error {
	return m.do(func() error { return drop(m, m.services, id) }, by)
}

func (m *memory) Roles(context.Context) (all []Role, err error) {
	err = m.do(func() error { all = values(m.roles, func(r Role) string { return r.Name }); return nil })
	return all, err
}
func (m *memory) PutRole(_ context.Context, r Role, by audit.Entry) error {
	return m.do(func() error { m.roles[r.Name] = r; return nil }, by)
}
func (m *memory) DeleteRole(_ context.Context, name string, by audit.Entry) error {
	return m.do(func() error {
		if _, ok := m.roles[name]; !ok {
			return ErrNotFound
		}
		delete(m.roles, name)
		m.grants = slices.DeleteFunc(m.grants, func(g Grant) bool { return g.Role == name })
		return nil
	}, by)
}

func (m *memory) Grants(context.Context) (all []Grant, err error) {
	err = m.do(func() error { all = slices.Clone(m.grants); return nil })
	return all, err
}
func (m *memory) GrantsOf(_ context.Context, subjects []string) (all []Grant, err error) {
	err = m.do(func() error {
		for _, g := range m.grants {
			if slices.Contains(subjects, g.Subject) {
				all = append(all, g)
			}
		}
		return nil
	})
	return all, err
}
func (m *memory) PutGrant(_ context.Context, g Grant, by audit.Entry) (Grant, error) {
	return g, m.do(func() error {
		m.next++
		g.ID = m.next
		m.grants = append(m.grants, g)
		return nil
	}, by)
}
func (m *memory) DeleteGrant(_ context.Context, id int64, by audit.Entry) error {
	return m.do(func() error {
		m.grants = slices.DeleteFunc(m.grants, func(g Grant) bool { return g.ID == id })
		return nil
	}, by)
}

func (m *memory) Issuers(context.Context) (all []Issuer, err error) {
	err = m.do(func() error { all = slices.Clone(m.issuers); return nil })
	return all, err
}
func (m *memory) PutIssuer(ctx context.Context, i Issuer, by audit.Entry) error {
	return m.do(func() error {
		m.issuers = slices.DeleteFunc(m.issuers, func(o Issuer) bool { return o.ID == i.ID })
		m.issuers = append(m.issuers, i)
		return nil
	}, by)
}
func (m *memory) DeleteIssuer(_ context.Context, id string, by audit.Entry) error {
	return m.do(func() error {
		m.issuers = slices.DeleteFunc(m.issuers, func(o Issuer) bool { return o.ID == id })
		return nil
	}, by)
}

func (m *memory) PutToken(_ context.Context, t Token, by *audit.Entry) error {
	var records []audit.Entry
	if by != nil {
		records = append(records, *by)
	}
	return m.do(func() error { m.tokens[t.ID] = t; return nil }, records...)
}
func (m *memory) Token(_ context.Context, hash []byte) (found Token, err error) {
	err = m.do(func() error {
		for _, t := range m.tokens {
			if string(t.Hash) == string(hash) {
				found = t
				return nil
			}
		}
		return ErrNotFound
	})
	return found, err
}
func (m *memory) Tokens(_ context.Context, subject string) (all []Token, err error) {
	err = m.do(func() error {
		for _, t := range values(m.tokens, func(t Token) string { return t.ID }) {
			if t.Kind != TokenRegistry && (subject == "" || t.Subject == subject) {
				all = append(all, t)
			}
		}
		return nil
	})
	return all, err
}
func (m *memory) DeleteToken(_ context.Context, id string, by audit.Entry) error {
	return m.do(func() error {
		if _, ok := m.tokens[id]; !ok {
			return ErrNotFound
		}
		delete(m.tokens, id)
		return nil
	}, by)
}
func (m *memory) TouchTokens(_ context.Context, used map[string]time.Time) error {
	return m.do(func() error {
		for id, at := range used {
			if t, ok := m.tokens[id]; ok {
				t.Used = at
				m.tokens[id] = t
			}
		}
		return nil
	})
}
func (m *memory) DropTokens(_ context.Context, before time.Time) (n int, err error) {
	err = m.do(func() error {
		for id, t := range m.tokens {
			if t.Expires.Before(before) {
				delete(m.tokens, id)
				n++
			}
		}
		return nil
	})
	return n, err
}
func (m *memory) Record(_ context.Context, e ...audit.Entry) error {
	return m.do(func() error { return nil }, e...)
}

// last returns the newest record.
func (m *memory) last() audit.Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.records) == 0 {
		return audit.Entry{}
	}
	return m.records[len(m.records)-1]
}
