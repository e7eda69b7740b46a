package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/seawall/seawall/api"
	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/state"
)

// answers keeps the answers of repeated requests in the state, in the API's terms.
type answers struct{ db *state.DB }

func (a answers) Idempotent(ctx context.Context, principal, key string, hash []byte) (*api.Answer, error) {
	seen, err := a.db.Idempotent(ctx, principal, key, hash)
	switch {
	case errors.Is(err, state.ErrReused):
		return nil, api.ErrReused
	case errors.Is(err, state.ErrUnderWay):
		return nil, api.ErrUnderWay
	case err != nil || seen == nil:
		return nil, err
	}
	out := api.Answer(*seen)
	return &out, nil
}

func (a answers) SaveAnswer(ctx context.Context, principal, key string, x api.Answer) error {
	return a.db.SaveAnswer(ctx, principal, key, state.Answer(x))
}

func (a answers) ForgetAnswer(ctx context.Context, principal, key string) error {
	return a.db.ForgetAnswer(ctx, principal, key)
}

// credentials are those that imports sign in with, in the API's terms.
type credentials struct{ db *state.DB }

func (c credentials) Credentials(ctx context.Context) ([]api.Credential, error) {
	all, err := c.db.Credentials(ctx)
	out := make([]api.Credential, 0, len(all))
	for _, x := range all {
		out = append(out, api.Credential{Name: x.Name, Host: x.Host, User: x.User})
	}
	return out, err
}

func (c credentials) PutCredential(ctx context.Context, x api.Credential, secret string, by audit.Entry) error {
	return c.db.PutCredential(ctx, state.Credential{Name: x.Name, Host: x.Host, User: x.User, Secret: secret}, by)
}

func (c credentials) DeleteCredential(ctx context.Context, name string, by audit.Entry) error {
	return c.db.DeleteCredential(ctx, name, by)
}

// checkRule says what is wrong with a rule's gate file or keys before it is stored.
func (j *judge) checkRule(r *catalog.Rule) error {
	if err := j.CheckPolicy(r.Gate); err != nil {
		return fmt.Errorf("%w: gate: %w", api.ErrInvalid, err)
	}
	if r.Trust == nil {
		return nil
	}
	if _, err := policyOf(r.Trust); err != nil {
		return fmt.Errorf("%w: trust: %w", api.ErrInvalid, err)
	}
	return nil
}
