package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// session is a cookie and what guards it, for as long as signing in takes.
type session struct {
	*Client
	cookie *http.Cookie
	csrf   string
}

func (s *session) open(ctx context.Context, name, password, code string) error {
	body := map[string]string{"name": name, "password": password}
	if code != "" {
		body["totp"] = code
	}
	r, err := s.ask(ctx, http.MethodPost, "/session", body)
	if err != nil {
		return err
	}
	var in struct {
		CSRF string `json:"csrf"`
		Must string `json:"must"`
	}
	if err := decode(r, &in); err != nil {
		return err
	}
	for _, k := range r.Cookies() {
		s.cookie = k
	}
	s.csrf = in.CSRF
	switch {
	case s.cookie == nil:
		return errors.New("the hub opened no session")
	case in.Must == "password":
		s.end(ctx)
		return errors.New("this password has to be changed first: sign in at the console once")
	case in.Must != "":
		s.end(ctx)
		return errors.New("this user has to set up one-time codes first: sign in at the console once")
	}
	return nil
}

func (s *session) token(ctx context.Context, title string, expires time.Time) (Token, string, error) {
	r, err := s.ask(ctx, http.MethodPost, "/tokens", map[string]any{"title": title, "expires": expires.UTC()})
	if err != nil {
		return Token{}, "", err
	}
	var made struct {
		Token  Token  `json:"token"`
		Secret string `json:"secret"`
	}
	if err := decode(r, &made); err != nil {
		return Token{}, "", err
	}
	return made.Token, made.Secret, nil
}

// end gives the session back; one that stays ends by itself.
func (s *session) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if r, err := s.ask(ctx, http.MethodDelete, "/session", nil); err == nil {
		r.Body.Close()
	}
}

func (s *session) ask(ctx context.Context, method, path string, body any) (*http.Response, error) {
	payload, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, s.base.String()+"/api/v1"+path, bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", s.config.Agent)
	if s.cookie != nil {
		r.AddCookie(&http.Cookie{Name: s.cookie.Name, Value: s.cookie.Value})
		r.Header.Set("X-CSRF-Token", s.csrf)
	}
	answer, err := s.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("asking the hub at %s: %w", s.base.Host, err)
	}
	if answer.StatusCode >= 300 {
		return nil, errorOf(answer)
	}
	return answer, nil
}
