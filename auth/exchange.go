package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seawall/seawall/audit"
)

const (
	// workloadLife is how long an exchanged token lives.
	workloadLife = time.Hour
	maxJWT       = 16 << 10 // bytes

	grantExchange   = "urn:ietf:params:oauth:grant-type:token-exchange"
	typeAccessToken = "urn:ietf:params:oauth:token-type:access_token"
)

var jwtTypes = []string{"urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"}

// exchange gives a short-lived token for one of a configured issuer (RFC 8693): of a Kubernetes service account or a CI
// job, which so needs no stored secret. The token works as Bearer token and as password of docker login.
func (s *Authority) exchange(r *http.Request) (tokenAnswer, error) {
	if err := r.ParseForm(); err != nil {
		return tokenAnswer{}, invalid("the form cannot be read")
	}
	f, address := r.PostForm, s.Address(r)
	wanted := f.Get("requested_token_type")
	switch {
	case f.Get("grant_type") != grantExchange:
		return tokenAnswer{}, invalid("the grant type has to be %s", grantExchange)
	case !slices.Contains(jwtTypes, f.Get("subject_token_type")):
		return tokenAnswer{}, invalid("the subject token's type has to be %s", jwtTypes[0])
	case wanted != "" && wanted != typeAccessToken:
		return tokenAnswer{}, invalid("only %s can be requested", typeAccessToken)
	case f.Get("actor_token") != "":
		return tokenAnswer{}, invalid("actor tokens are not taken")
	}
	var answer tokenAnswer
	ctx := r.Context()
	err := s.charged(ctx, attempt{name: address, address: address, via: "exchange"}, func() error {
		i, claims, err := s.trusted(ctx, f.Get("subject_token"))
		if err == nil {
			answer, err = s.workloadToken(ctx, i, claims, address)
		}
		return err
	})
	if errors.Is(err, errNotTrusted) {
		err = s.notExchanged(ctx, err, address)
	}
	return answer, err
}

// trusted finds the issuer of a token whose rules it meets.
func (s *Authority) trusted(ctx context.Context, token string) (Issuer, map[string]any, error) {
	from, err := unverifiedIssuer(token)
	if err != nil {
		return Issuer{}, nil, err
	}
	all, err := s.store.Issuers(ctx)
	if err != nil {
		return Issuer{}, nil, fmt.Errorf("reading issuers: %w", err)
	}
	last := fmt.Errorf("%w: nobody has configured its issuer", errNotTrusted)
	for _, i := range all {
		if i.URL != from {
			continue
		}
		claims, err := s.issuers.verify(ctx, i, token)
		if err == nil {
			return i, claims, nil
		}
		last = err
	}
	return Issuer{}, nil, last
}

// unverifiedIssuer says who claims to have made a token. It only chooses whose keys to check it with.
func unverifiedIssuer(token string) (string, error) {
	parts := strings.Split(token, ".")
	if len(token) > maxJWT || len(parts) != 3 {
		return "", fmt.Errorf("%w: it is no JSON Web Token", errNotTrusted)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Issuer string `json:"iss"`
	}
	if err != nil || json.Unmarshal(raw, &claims) != nil || claims.Issuer == "" {
		return "", fmt.Errorf("%w: it is no JSON Web Token with an issuer", errNotTrusted)
	}
	return claims.Issuer, nil
}

// notExchanged records a refusal. The client is told no more than that: the reason is in the record.
func (s *Authority) notExchanged(ctx context.Context, err error, address string) error {
	e := audit.New(s.now(), nobody(address).Actor, "signin", audit.Object{Kind: "workload", Name: "(unknown)"})
	e.Outcome, e.Reason, e.Request = audit.Refused, clip(err.Error(), maxScope), RequestID(ctx)
	e.Detail = map[string]string{"by": "exchange"}
	if err := s.store.Record(ctx, e); err != nil {
		return fmt.Errorf("recording a refused sign-in: %w", err)
	}
	return fmt.Errorf("%w: the audit trail has the reason", errUntrusted)
}

var errUntrusted = invalid("%v", errNotTrusted)

func (s *Authority) workloadToken(ctx context.Context, i Issuer, claims map[string]any, address string) (tokenAnswer, error) {
	name, ok := expand(i.Subject, claims)
	if !ok || len(name) > maxScope || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return tokenAnswer{}, fmt.Errorf("%w: it lacks a claim that names the workload", errNotTrusted)
	}
	now, secret := s.now().UTC(), newSecret(TokenWorkload)
	actor := audit.Actor{Kind: audit.ActorWorkload, ID: "workload:" + i.ID + "/" + name, Name: i.ID + "/" + name, Address: address}
	t := Token{
		ID: newTokenID(), Kind: TokenWorkload, Hash: hashSecret(secret), Subject: actor.ID, Actor: actor,
		Grants: i.Grants, Created: now, Expires: now.Add(workloadLife), Address: address,
	}
	actor.Via = t.ID
	by := s.entry(With(ctx, Principal{Actor: actor}), "signin", "workload", actor.Name)
	by.Detail = map[string]string{"by": "exchange"}
	if err := s.store.PutToken(ctx, t, &by); err != nil {
		return tokenAnswer{}, fmt.Errorf("storing an exchanged token: %w", err)
	}
	return tokenAnswer{
		AccessToken: secret, IssuedTokenType: typeAccessToken, TokenType: "Bearer", ExpiresIn: int(workloadLife / time.Second),
	}, nil
}
