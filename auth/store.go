package auth

import (
	"context"
	"errors"
	"time"

	"github.com/seawall/seawall/audit"
)

// ErrNotFound says that there is no such user, service, token, role, grant or issuer.
var ErrNotFound = errors.New("not found")

// ErrExists says that the name is taken.
var ErrExists = errors.New("already exists")

// Store keeps who may. Every change is committed together with its audit record.
type Store interface {
	Users(ctx context.Context) ([]User, error)
	User(ctx context.Context, id string) (User, error)
	// PutUser creates the user where create is set (ErrExists), else changes it (ErrNotFound), whole.
	PutUser(ctx context.Context, u User, create bool, by audit.Entry) error
	DeleteUser(ctx context.Context, id string, by audit.Entry) error // with its tokens and grants

	Services(ctx context.Context) ([]Service, error)
	Service(ctx context.Context, id string) (Service, error)
	PutService(ctx context.Context, s Service, create bool, by audit.Entry) error
	DeleteService(ctx context.Context, id string, by audit.Entry) error // with its tokens and grants

	Roles(ctx context.Context) ([]Role, error) // custom ones only
	PutRole(ctx context.Context, r Role, by audit.Entry) error
	DeleteRole(ctx context.Context, name string, by audit.Entry) error // with its grants

	Grants(ctx context.Context) ([]Grant, error)
	GrantsOf(ctx context.Context, subjects []string) ([]Grant, error)
	PutGrant(ctx context.Context, g Grant, by audit.Entry) (Grant, error)
	DeleteGrant(ctx context.Context, id int64, by audit.Entry) error

	Issuers(ctx context.Context) ([]Issuer, error)
	PutIssuer(ctx context.Context, i Issuer, by audit.Entry) error
	DeleteIssuer(ctx context.Context, id string, by audit.Entry) error

	// PutToken stores a token; by is nil for those that are not awaited (registry tokens).
	PutToken(ctx context.Context, t Token, by *audit.Entry) error
	Token(ctx context.Context, hash []byte) (Token, error)
	Tokens(ctx context.Context, subject string) ([]Token, error) // "" for all; registry tokens left out
	DeleteToken(ctx context.Context, id string, by audit.Entry) error
	// TouchTokens notes uses, by token id, and DropTokens removes those that expired before.
	TouchTokens(ctx context.Context, used map[string]time.Time) error
	DropTokens(ctx context.Context, before time.Time) (int, error)

	// Record commits an audit record of an act without another change: a sign-in, a refusal.
	Record(ctx context.Context, e ...audit.Entry) error
}
