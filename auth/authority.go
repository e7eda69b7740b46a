package auth

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/seawall/seawall/audit"
)

// Config says how people and programs sign in. Zero values work but for Store.
type Config struct {
	Store Store
	// Keys seal the secrets of one-time codes; nil stores them as they are.
	Keys Keys
	// Clock is time.Now where nil.
	Clock func() time.Time
	// Log gets what nobody waits for: failures of the background work. Nil: nothing.
	Log *slog.Logger
	// PublicURL is where clients reach the hub: "https://hub.example". Its scheme decides whether cookies are Secure.
	// "" takes each request's own host, for a hub on loopback without TLS.
	PublicURL string
	// Service is the name of the registry in its token challenges; "" is "seawall".
	Service string
	// OIDC are the sign-in providers.
	OIDC []Provider
	// Proxies are the addresses of reverse proxies whose X-Forwarded-For is believed.
	Proxies []netip.Prefix
	// Idle and Absolute bound sessions: 1 and 12 hours where 0.
	Idle, Absolute time.Duration
	// RequireTOTP lets local users do nothing before they enrolled a one-time code.
	RequireTOTP bool
	// SignInPath is the one path that takes a POST with an old cookie and no CSRF token; "" is "/api/v1/session".
	SignInPath string
	// Client reaches issuers and sign-in providers; nil is a client with short time limits.
	Client *http.Client
	// Hash is the cost of password hashes; zero is DefaultHash.
	Hash Hash
}

// Keys give the key that seals, and those that sealed before. Keys have 32 bytes.
type Keys interface {
	Current(ctx context.Context) (id string, key []byte, err error)
	Key(ctx context.Context, id string) (key []byte, err error)
}

// Authority signs in and says who a request comes from. It is safe for concurrent use. Its methods that read or change
// users, services, roles, grants, issuers and tokens check themselves that the principal in the context may, and commit
// the audit record; who calls them need not. ErrRefused says that the principal may not.
type Authority struct {
	cfg    Config
	store  Store
	now    func() time.Time
	log    *slog.Logger
	public *url.URL

	hasher     *hasher
	principals *principals
	passwords  *recent[[32]byte, time.Time] // passwords that were right a short time ago, see checkPassword
	guard      *guard
	uses       uses
	origin     *http.CrossOriginProtection
	providers  []*provider
	issuers    *issuers
	// process is a random key of this process.
	process [32]byte
	// users is held while a user is read and written back, admin while a rule over several is checked and kept.
	users, admin sync.Mutex
}

// New returns a service. Call Run beside it.
func New(cfg Config) (*Authority, error) {
	if cfg.Store == nil {
		return nil, invalid("auth needs a store")
	}
	defaults(&cfg)
	public, err := url.Parse(cfg.PublicURL)
	if err != nil || cfg.PublicURL != "" && (public.Host == "" || public.Scheme != "https" && public.Scheme != "http") {
		return nil, invalid("the public URL %q is none: write https://hub.example", cfg.PublicURL)
	}
	s := &Authority{
		cfg: cfg, store: cfg.Store, now: cfg.Clock, log: cfg.Log, public: public,
		hasher: newHasher(cfg.Hash), principals: newPrincipals(), guard: newGuard(),
		passwords: newRecent[[32]byte, time.Time](1000), origin: http.NewCrossOriginProtection(),
	}
	rand.Read(s.process[:]) // never fails, see crypto/rand
	s.issuers = newIssuers(cfg.Client)
	if cfg.PublicURL != "" {
		if err := s.origin.AddTrustedOrigin(public.Scheme + "://" + public.Host); err != nil {
			return nil, invalid("the public URL %q is none: %v", cfg.PublicURL, err)
		}
	}
	s.providers, err = newProviders(cfg.OIDC, public, cfg.Client, cfg.Clock)
	return s, err
}

func defaults(cfg *Config) {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Client == nil {
		cfg.Client = newClient()
	}
	cfg.Service = cmp.Or(cfg.Service, "seawall")
	cfg.Idle = cmp.Or(cfg.Idle, time.Hour)
	cfg.Absolute = cmp.Or(cfg.Absolute, 12*time.Hour)
	cfg.SignInPath = cmp.Or(cfg.SignInPath, "/api/v1/session")
	cfg.Hash = cmp.Or(cfg.Hash, DefaultHash)
}

// Run notes when tokens were used and drops those that expired, until ctx ends. It then notes the last uses.
func (s *Authority) Run(ctx context.Context) {
	s.recallFriends(ctx)
	tick := time.NewTicker(20 * time.Second)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			s.flush(last)
			return
		case <-tick.C:
			s.flush(ctx)
			if n%15 == 0 { // every five minutes
				s.dropExpired(ctx)
			}
		}
	}
}

// recallFriends takes the addresses of open sessions for known ones, so that a start under attack keeps nobody out.
func (s *Authority) recallFriends(ctx context.Context) {
	all, err := s.store.Tokens(ctx, "")
	if err != nil {
		s.log.WarnContext(ctx, "reading open sessions failed", errorAttr(err))
	}
	for _, t := range all {
		if t.Kind == TokenSession && t.Address != "" {
			s.guard.befriend(t.Subject, t.Address)
		}
	}
}

func (s *Authority) flush(ctx context.Context) {
	if used := s.uses.take(); len(used) > 0 {
		if err := s.store.TouchTokens(ctx, used); err != nil {
			s.log.WarnContext(ctx, "noting the use of tokens failed", errorAttr(err))
		}
	}
}

func (s *Authority) dropExpired(ctx context.Context) {
	if _, err := s.store.DropTokens(ctx, s.now()); err != nil {
		s.log.WarnContext(ctx, "dropping expired tokens failed", errorAttr(err))
	}
}

// require returns who acts, or an error where they may not.
func (s *Authority) require(ctx context.Context, a Action) (Principal, error) {
	p := From(ctx)
	switch {
	case !p.SignedIn():
		return p, ErrSignedOut
	case p.May(a, Everything):
		return p, nil
	case p.Must == "password":
		return p, fmt.Errorf("%w: %w", ErrRefused, ErrMust)
	}
	return p, refused(a, Everything)
}

// entry returns an audit record of who acts in ctx.
func (s *Authority) entry(ctx context.Context, action, kind, name string) audit.Entry {
	e := audit.New(s.now(), From(ctx).Actor, action, audit.Object{Kind: kind, Name: name})
	e.Request = RequestID(ctx)
	return e
}

// edit changes a user as f says, whole, and forgets what was known of its tokens.
func (s *Authority) edit(ctx context.Context, id string, by audit.Entry, f func(*User) error) (User, error) {
	s.users.Lock()
	defer s.users.Unlock()
	u, err := s.store.User(ctx, id)
	if err != nil {
		return User{}, fmt.Errorf("reading user %s: %w", id, err)
	}
	u.Groups = slices.Clone(u.Groups)
	if err := f(&u); err != nil {
		return User{}, err
	}
	if err := s.store.PutUser(ctx, u, false, by); err != nil {
		return User{}, fmt.Errorf("changing user %s: %w", id, err)
	}
	return u, nil
}
