package keys

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	vault "github.com/hashicorp/vault/api"
	"gocloud.dev/secrets/hashivault"
	"gocloud.dev/secrets/localsecrets"
)

// transit stands in for the transit engine of a Vault server: it "encrypts" by base64 and a version.
type transit struct {
	status atomic.Int32 // answered instead, unless 0
	body   atomic.Pointer[string]
}

func (v *transit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s := v.status.Load(); s != 0 {
		http.Error(w, `{"errors":["no"]}`, int(s))
		return
	}
	if b := v.body.Load(); b != nil {
		fmt.Fprint(w, *b)
		return
	}
	var in struct{ Plaintext, Ciphertext string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, `{"errors":["bad"]}`, http.StatusBadRequest)
		return
	}
	data := map[string]string{}
	switch {
	case strings.HasPrefix(r.URL.Path, "/v1/transit/encrypt/"):
		data["ciphertext"] = "vault:v1:" + in.Plaintext
	case strings.HasPrefix(in.Ciphertext, "vault:v1:"):
		data["plaintext"] = strings.TrimPrefix(in.Ciphertext, "vault:v1:")
	}
	json.NewEncoder(w).Encode(map[string]any{"data": data})
}

func openVault(t *testing.T) (*transit, *bench) {
	t.Helper()
	double := &transit{}
	server := httptest.NewServer(double)
	t.Cleanup(server.Close)
	client, err := hashivault.Dial(t.Context(), &hashivault.Config{Token: "s.secret", APIConfig: vault.Config{Address: server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{clock: newClock(), alerts: &alerts{}}
	b.cfg = Config{Dir: t.TempDir(), Provider: "hashivault://seawall", Clock: b.clock.now, OnAlert: b.alerts.add,
		dial: func(context.Context, string, bool) (provider, error) {
			return &service{keeper: hashivault.OpenKeeper(client, "seawall", nil), shown: "hashivault://seawall"}, nil
		}}
	b.Ring = b.reopen(t, b.cfg)
	return double, b
}

func TestVault(t *testing.T) {
	double, b := openVault(t)
	id, key := current(t, b.Ring, "state")
	if _, err := b.Rotate(t.Context(), Rotation{}); err != nil {
		t.Fatal(err)
	}
	b.cache.purge(func(string, *entry) bool { return true })
	if got, err := b.Purpose("state").Key(t.Context(), id); err != nil || !bytes.Equal(got, key) {
		t.Fatalf("%x, %v", got, err)
	}
	for _, c := range []struct {
		status int
		want   State
	}{{http.StatusForbidden, Refuses}, {http.StatusBadRequest, Refuses}, {http.StatusServiceUnavailable, Unreachable}, {http.StatusTooManyRequests, Unreachable}} {
		double.status.Store(int32(c.status))
		if s := b.Check(t.Context()); s.State != c.want {
			t.Errorf("status %d: %s, want %s (%s)", c.status, s.State, c.want, s.Error)
		} else if strings.Contains(s.Error, "s.secret") {
			t.Error("the error shows the token")
		}
		double.status.Store(0)
		if s := b.Check(t.Context()); s.State != Answers {
			t.Errorf("after status %d: %s", c.status, s.State)
		}
	}
}

func TestMalformedAnswersAreErrors(t *testing.T) {
	double, b := openVault(t)
	for _, body := range []string{``, `{}`, `{"data":{}}`, `{"data":{"plaintext":7}}`, `{"data":{"plaintext":"!"}}`,
		`{"data":{"plaintext":"` + base64.StdEncoding.EncodeToString([]byte("another text")) + `"}}`} {
		double.body.Store(&body)
		b.cache.purge(func(string, *entry) bool { return true })
		b.cache.forget()
		if _, _, err := b.Purpose("state").Current(t.Context()); err == nil {
			t.Errorf("answer %q gave a key", body)
		}
	}
}

func TestLocalSecrets(t *testing.T) {
	key, err := localsecrets.NewRandomKey()
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Dir: t.TempDir(), Provider: "local:", dial: func(context.Context, string, bool) (provider, error) {
		return &service{keeper: localsecrets.NewKeeper(key), shown: "local"}, nil
	}}
	r, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	id, want := current(t, r, "state")
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err = Open(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := r.Purpose("state").Key(t.Context(), id); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v", got, err)
	}
	key[0] ^= 1
	if _, err := Open(t.Context(), cfg); !errors.Is(err, ErrUnavailable) {
		t.Errorf("another key opens the ring: %v", err)
	}
}

func TestSpecifications(t *testing.T) {
	for _, spec := range []string{"x", "base64key://smGbjm71Nxd1Ig5FS0wj9SlbzAIrnolCz9bQQ6uAhl4=", "http://x", "file:", "hashivault://%zz", ":"} {
		_, err := Open(t.Context(), Config{Dir: t.TempDir(), Provider: spec})
		if err == nil {
			t.Errorf("%q was opened", spec)
		} else if strings.Contains(err.Error(), "smGbjm") {
			t.Errorf("the error shows a key: %v", err)
		}
	}
}
