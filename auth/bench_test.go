package auth

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
)

func BenchmarkHash(b *testing.B) {
	h := newHasher(DefaultHash)
	for b.Loop() {
		h.hash(context.Background(), rightPassword)
	}
}

// BenchmarkMiddleware is a request with a token that is known.
func BenchmarkMiddleware(b *testing.B) {
	m := newMemory()
	a, err := New(Config{Store: m, Hash: cheap})
	if err != nil {
		b.Fatal(err)
	}
	password, err := a.Bootstrap(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	_, p, err := a.SignIn(context.Background(), "admin", password, "", "127.0.0.1", agent)
	if err != nil {
		b.Fatal(err)
	}
	t, err := a.registryToken(context.Background(), p, tokenRequest{}, a.passwordMark(m.users["user:admin"]))
	if err != nil {
		b.Fatal(err)
	}
	handler := a.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r := httptest.NewRequest("GET", "/v2/team/app/manifests/1", nil)
	r.Header.Set("Authorization", "Bearer "+t.Token)
	for b.Loop() {
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
}
