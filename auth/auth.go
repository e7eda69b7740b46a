// Package auth says who may: users, service principals and workloads, their sessions and tokens, and the roles that they
// hold on scopes.
//
// It promises that no secret is stored (passwords by argon2id, tokens by their SHA-256), that comparison takes the same
// time whatever is compared, that every sign-in leaves an audit record, and that a permission that no role gives is
// refused. It leaves out where all of it is kept (package state).
package auth

import (
	"time"

	"github.com/seawall/seawall/audit"
)

// Action is one thing that may be allowed: "image.pull".
type Action string

const (
	ImageList        Action = "image.list" // see repositories, images and findings
	ImagePull        Action = "image.pull" // released images, or all in observe mode
	ImageHeld        Action = "image.held" // pull what is held: scanners and reviewers
	ImagePush        Action = "image.push" // push, tag, upload, attach referrers
	ImageDelete      Action = "image.delete"
	ImageSign        Action = "image.sign"    // push signatures and attestations
	ImageRelease     Action = "image.release" // release or reject by hand
	ImageScan        Action = "image.scan"    // order a scan
	ImageImport      Action = "image.import"
	ExceptionRequest Action = "exception.request"
	ExceptionApprove Action = "exception.approve"
	FindingEdit      Action = "finding.edit" // owner, due date
	RuleRead         Action = "rule.read"
	RuleWrite        Action = "rule.write"
	UserRead         Action = "user.read"
	UserWrite        Action = "user.write" // users, roles, grants, service principals, issuers
	KeyRead          Action = "key.read"
	KeyRotate        Action = "key.rotate"
	JobRead          Action = "job.read"
	JobWrite         Action = "job.write"
	AuditRead        Action = "audit.read"
	NotifyRead       Action = "notify.read"
	NotifyWrite      Action = "notify.write"
	SystemRead       Action = "system.read"   // settings, sources, figures
	SystemWrite      Action = "system.write"  // settings, advisory database, backup
	ReportImport     Action = "report.import" // results of other scanners
)

// ScopeKind says what a grant covers.
type ScopeKind string

const (
	ScopeAll        ScopeKind = "all"
	ScopeCluster    ScopeKind = "cluster"
	ScopeNamespace  ScopeKind = "namespace"  // "cluster/namespace"
	ScopeRepository ScopeKind = "repository" // a pattern: "team/**"
)

// Scope is what a grant covers.
type Scope struct {
	Kind ScopeKind `json:"kind"`
	Name string    `json:"name,omitempty"` // "" for ScopeAll
}

// Role is a named set of actions. Built-in roles cannot be changed.
type Role struct {
	Name    string   `json:"name"`
	Title   string   `json:"title,omitempty"`
	Actions []Action `json:"actions"`
	Builtin bool     `json:"builtin"`
}

// Grant gives a role on a scope to a user, a service principal, a workload or a group of the sign-in provider.
type Grant struct {
	ID      int64  `json:"id"`
	Subject string `json:"subject"` // a principal's id, or "group:<name>"
	Role    string `json:"role"`
	Scope   Scope  `json:"scope"`
}

// Principal is who a request comes from, with what it may do.
type Principal struct {
	audit.Actor
	Groups []string
	Grants []Grant
	// Narrow, when not nil, is a token's own limit: what it does not list is refused whatever the grants say.
	Narrow []Permission
	// Must says what has to happen before anything else is allowed: "password", "totp"; "" for nothing.
	Must string
	// Roles are the actions of the custom roles that Grants name; built-in roles need no entry.
	Roles map[string][]Action
	// Token is the kind of token that was used: "" for a name and password, or for nobody.
	Token TokenKind
}

// Permission is an action on a scope.
type Permission struct {
	Action Action `json:"action"`
	Scope  Scope  `json:"scope"`
}

// User is a person who signs in here or by an OpenID Connect provider.
type User struct {
	ID    string `json:"id"` // "user:alice"
	Name  string `json:"name"`
	Email string `json:"email,omitempty"`
	// Provider is "" for local users, else the issuer; Subject is the provider's id of the user.
	Provider string   `json:"provider,omitempty"`
	Subject  string   `json:"subject,omitempty"`
	Groups   []string `json:"groups,omitempty"`
	// Password is an argon2id hash; TOTP is the sealed secret. Neither is ever sent out.
	Password           string    `json:"-"`
	TOTP               []byte    `json:"-"`
	TOTPLast           int64     `json:"-"` // the last step that was used
	HasTOTP            bool      `json:"hasTotp"`
	MustChangePassword bool      `json:"mustChangePassword,omitempty"`
	Disabled           bool      `json:"disabled"`
	Created            time.Time `json:"created"`
	LastSignIn         time.Time `json:"lastSignIn,omitzero"`
	// Failures counts refused sign-ins in a row; LockedUntil follows from them.
	Failures    int       `json:"failures,omitempty"`
	LockedUntil time.Time `json:"lockedUntil,omitzero"`
}

// Service is a service principal: a program with rotating secrets.
type Service struct {
	ID       string    `json:"id"` // "service:ci"
	Name     string    `json:"name"`
	Title    string    `json:"title,omitempty"`
	Disabled bool      `json:"disabled"`
	Created  time.Time `json:"created"`
}

// Issuer is an OpenID Connect issuer whose tokens are exchanged for ours: a cluster, a CI system.
type Issuer struct {
	ID       string `json:"id"`
	URL      string `json:"url"`
	Audience string `json:"audience"`
	// Keys is a JSON Web Key Set; "" fetches it from the issuer.
	Keys string `json:"keys,omitempty"`
	// Claims must match: name → shell pattern. Subject is the template of the workload's name: "{sub}".
	Claims  map[string]string `json:"claims,omitempty"`
	Subject string            `json:"subject"`
	// Grants are what its workloads get; Subject and ID of each are empty.
	Grants []Grant `json:"grants"`
}

// TokenKind says what a token is for.
type TokenKind string

const (
	TokenSession  TokenKind = "session"  // a console's cookie
	TokenAPI      TokenKind = "api"      // made by a person for the command line or a script
	TokenSecret   TokenKind = "secret"   // of a service principal
	TokenRegistry TokenKind = "registry" // short-lived, of the Docker token flow
	TokenWorkload TokenKind = "workload" // short-lived, exchanged against an issuer
)

// Token is what is kept of a token: never the token itself.
type Token struct {
	ID      string    `json:"id"` // public: stands in records and listings
	Kind    TokenKind `json:"kind"`
	Hash    []byte    `json:"-"` // SHA-256 of the secret part
	Subject string    `json:"subject"`
	Title   string    `json:"title,omitempty"`
	// Actor, Groups and Grants are kept for workloads, which have no user behind them.
	Actor   audit.Actor  `json:"actor,omitzero"`
	Groups  []string     `json:"groups,omitempty"`
	Grants  []Grant      `json:"grants,omitempty"`
	Narrow  []Permission `json:"narrow,omitempty"`
	Created time.Time    `json:"created"`
	Expires time.Time    `json:"expires"`
	Used    time.Time    `json:"used,omitzero"` // kept to the minute
	Address string       `json:"address,omitempty"`
	Agent   string       `json:"agent,omitempty"` // User-Agent of a session
}
