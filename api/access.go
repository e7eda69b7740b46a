package api

import (
	"context"
	"net/http"

	"github.com/seawall/seawall/auth"
)

// Auth is who may: *auth.Authority. Its methods ask themselves whether the principal of the context may, and commit the
// records of what they change.
type Auth interface {
	Sessions
	Users
	Services
	Roles
	Issuers
	Tokens
	// WhoCan lists who may do a on all of scope.
	WhoCan(ctx context.Context, a auth.Action, scope auth.Scope) ([]auth.Holder, error)
}

// Sessions opens and ends sessions.
type Sessions interface {
	SignIn(ctx context.Context, name, password, code, address, agent string) (*http.Cookie, auth.Principal, error)
	SignOut(ctx context.Context) (*http.Cookie, error)
	CSRF(r *http.Request) string
	Sessions(ctx context.Context, user string) ([]auth.Token, error)
	ChangePassword(ctx context.Context, old, password string) error
	// EnrolTOTP begins with one-time codes; they count once ConfirmTOTP took one.
	EnrolTOTP(ctx context.Context, password string) (auth.Enrolment, error)
	ConfirmTOTP(ctx context.Context, code string) (recovery []string, err error)
	DisableTOTP(ctx context.Context, password, code string) error
}

// Users are people.
type Users interface {
	Users(ctx context.Context) ([]auth.User, error)
	User(ctx context.Context, id string) (auth.User, error)
	CreateUser(ctx context.Context, n auth.NewUser) (auth.User, error)
	UpdateUser(ctx context.Context, id string, c auth.UserChange) (auth.User, error)
	DeleteUser(ctx context.Context, id string) error
	ResetPassword(ctx context.Context, id, password string) error
	ResetTOTP(ctx context.Context, id string) error
}

// Services are service principals.
type Services interface {
	Services(ctx context.Context) ([]auth.Service, error)
	CreateService(ctx context.Context, name, title string) (auth.Service, error)
	UpdateService(ctx context.Context, id string, c auth.ServiceChange) (auth.Service, error)
	DeleteService(ctx context.Context, id string) error
	NewServiceSecret(ctx context.Context, id string, r auth.TokenRequest) (auth.Token, string, error)
	ServiceSecrets(ctx context.Context, id string) ([]auth.Token, error)
}

// Roles are roles and grants.
type Roles interface {
	Roles(ctx context.Context) ([]auth.Role, error)
	PutRole(ctx context.Context, r auth.Role) error
	DeleteRole(ctx context.Context, name string) error
	Grants(ctx context.Context) ([]auth.Grant, error)
	PutGrant(ctx context.Context, g auth.Grant) (auth.Grant, error)
	DeleteGrant(ctx context.Context, id int64) error
}

// Issuers are those whose tokens are exchanged.
type Issuers interface {
	Issuers(ctx context.Context) ([]auth.Issuer, error)
	PutIssuer(ctx context.Context, i auth.Issuer) error
	DeleteIssuer(ctx context.Context, id string) error
}

// Tokens are the caller's own.
type Tokens interface {
	Tokens(ctx context.Context) ([]auth.Token, error)
	NewAPIToken(ctx context.Context, r auth.TokenRequest) (auth.Token, string, error)
	Revoke(ctx context.Context, id string) error
}
