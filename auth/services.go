package auth

import (
	"context"
	"fmt"
)

// ServiceChange says what to change of a service principal; nil leaves it.
type ServiceChange struct {
	Title    *string `json:"title,omitempty"`
	Disabled *bool   `json:"disabled,omitempty"`
}

// Services lists the service principals. It needs user.read.
func (s *Authority) Services(ctx context.Context) ([]Service, error) {
	if _, err := s.require(ctx, UserRead); err != nil {
		return nil, err
	}
	return s.store.Services(ctx)
}

// CreateService makes a service principal without secrets. It needs user.write.
func (s *Authority) CreateService(ctx context.Context, name, title string) (Service, error) {
	p, err := s.require(ctx, UserWrite)
	if err != nil {
		return Service{}, err
	}
	if !names.MatchString(name) {
		return Service{}, invalid("no name of a service principal: %q; it has at most 64 lower case letters, digits, dots, dashes or underscores", name)
	}
	if !plain(title, maxTitle) {
		return Service{}, invalid("the title is longer than %d bytes, or not plain text", maxTitle)
	}
	v := Service{ID: "service:" + name, Name: name, Title: title, Created: s.now().UTC()}
	if err := s.outranks(ctx, p, v.ID, nil); err != nil {
		return Service{}, err
	}
	if err := s.store.PutService(ctx, v, true, s.entry(ctx, "service.create", "service", name)); err != nil {
		return Service{}, fmt.Errorf("creating service principal %s: %w", name, err)
	}
	return v, nil
}

// UpdateService changes a service principal that holds nothing that the principal does not hold. It needs user.write.
// All tokens of one that gets disabled are refused at once.
func (s *Authority) UpdateService(ctx context.Context, id string, c ServiceChange) (Service, error) {
	v, err := s.ranked(ctx, id)
	if err != nil {
		return Service{}, err
	}
	detail := map[string]string{}
	if c.Title != nil {
		if !plain(*c.Title, maxTitle) {
			return Service{}, invalid("the title is longer than %d bytes, or not plain text", maxTitle)
		}
		v.Title, detail["title"] = *c.Title, *c.Title
	}
	if c.Disabled != nil {
		v.Disabled, detail["disabled"] = *c.Disabled, fmt.Sprint(*c.Disabled)
	}
	by := s.entry(ctx, "service.update", "service", v.Name)
	by.Detail = detail
	if err := s.store.PutService(ctx, v, false, by); err != nil {
		return Service{}, fmt.Errorf("changing service principal %s: %w", id, err)
	}
	s.principals.forget()
	return v, nil
}

// DeleteService deletes a service principal with secrets and grants. It needs user.write and the rank of UpdateService.
func (s *Authority) DeleteService(ctx context.Context, id string) error {
	v, err := s.ranked(ctx, id)
	if err != nil {
		return err
	}
	if err := s.store.DeleteService(ctx, id, s.entry(ctx, "service.delete", "service", v.Name)); err != nil {
		return fmt.Errorf("deleting service principal %s: %w", id, err)
	}
	s.principals.forget()
	return nil
}

// ranked returns a service principal that the principal may change.
func (s *Authority) ranked(ctx context.Context, id string) (Service, error) {
	p, err := s.require(ctx, UserWrite)
	if err != nil {
		return Service{}, err
	}
	v, err := s.store.Service(ctx, id)
	if err != nil {
		return Service{}, fmt.Errorf("reading service principal %s: %w", id, err)
	}
	return v, s.outranks(ctx, p, id, nil)
}
