package mirror

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	upstream "github.com/google/go-containerregistry/pkg/registry"
	"github.com/opencontainers/go-digest"

	"github.com/seawall/seawall/internal/egress"
)

// quiet keeps other registries from writing what they are asked.
var quiet = upstream.Logger(log.New(io.Discard, "", 0))

// serve answers with a handler, and tells the host.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// broken is a registry in front of which something goes wrong.
func broken(t *testing.T, wrong func(w http.ResponseWriter, q *http.Request, next http.Handler)) string {
	t.Helper()
	next := upstream.New(upstream.WithReferrersSupport(true), quiet)
	return serve(t, func(w http.ResponseWriter, q *http.Request) { wrong(w, q, next) })
}

func isBlob(q *http.Request) bool {
	return q.Method == http.MethodGet && strings.Contains(q.URL.Path, "/blobs/")
}

// TestDownloadGoesOn: a connection that breaks off is taken up where it broke, with ranges or without.
func TestDownloadGoesOn(t *testing.T) {
	for _, ranges := range []bool{true, false} {
		t.Run(fmt.Sprint(ranges), func(t *testing.T) {
			var asked atomic.Int64
			var mu sync.Mutex
			times := map[string]int{}
			host := broken(t, func(w http.ResponseWriter, q *http.Request, next http.Handler) {
				if !isBlob(q) {
					next.ServeHTTP(w, q)
					return
				}
				rest := q.Header.Get("Range")
				q.Header.Del("Range")
				rec := httptest.NewRecorder()
				next.ServeHTTP(rec, q)
				body := rec.Body.Bytes()
				mu.Lock()
				times[q.URL.Path]++
				whole := times[q.URL.Path]%3 == 0
				mu.Unlock()
				if asked.Add(1); ranges && rest != "" {
					var from int
					fmt.Sscanf(rest, "bytes=%d-", &from)
					w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(body)-1, len(body)))
					body = body[from:]
					w.Header().Set("Content-Length", fmt.Sprint(len(body)))
					w.WriteHeader(http.StatusPartialContent)
				} else {
					w.Header().Set("Content-Length", fmt.Sprint(len(body)))
				}
				n := len(body)
				if !whole {
					n = n * 2 / 3
				}
				w.Write(body[:n])
				if n < len(body) {
					w.(http.Flusher).Flush()
					panic(http.ErrAbortHandler)
				}
			})
			d := push(t, host+"/app:1", image(t, 3))
			to := sink(t, nil)
			if _, err := client().Copy(t.Context(), to, Source{Ref: host + "/app:1"}, Dest{Repository: "app"}, nil); err != nil {
				t.Fatal(err)
			}
			if has(t, to, "app", "1") != d || asked.Load() < 5 {
				t.Errorf("copied by %d requests", asked.Load())
			}
		})
	}
}

func TestDownloadStalls(t *testing.T) {
	var first atomic.Bool
	host := broken(t, func(w http.ResponseWriter, q *http.Request, next http.Handler) {
		if isBlob(q) && first.CompareAndSwap(false, true) {
			w.(http.Flusher).Flush()
			<-q.Context().Done()
			return
		}
		next.ServeHTTP(w, q)
	})
	d := push(t, host+"/app:1", image(t, 1))
	to := sink(t, nil)
	c := New(Config{Pause: 1, Limits: Limits{Stall: 50 * time.Millisecond}})
	if _, err := c.Copy(t.Context(), to, Source{Ref: host + "/app:1"}, Dest{Repository: "app"}, nil); err != nil {
		t.Fatal(err)
	}
	if has(t, to, "app", "1") != d {
		t.Error("not copied")
	}
}

func TestWrongContent(t *testing.T) {
	big := strings.Repeat(" ", 5<<20)
	for name, wrong := range map[string]func(body []byte) []byte{
		"longer":  func(b []byte) []byte { return append(b, 'x') },
		"shorter": func(b []byte) []byte { return b[:len(b)-1] },
		"another": func(b []byte) []byte { return bytes.Repeat([]byte("x"), len(b)) },
	} {
		t.Run(name, func(t *testing.T) {
			host := broken(t, func(w http.ResponseWriter, q *http.Request, next http.Handler) {
				if !isBlob(q) {
					next.ServeHTTP(w, q)
					return
				}
				q.Header.Del("Range")
				rec := httptest.NewRecorder()
				next.ServeHTTP(rec, q)
				w.Write(wrong(rec.Body.Bytes()))
			})
			push(t, host+"/app:1", image(t, 1))
			to := sink(t, nil)
			_, err := client().Copy(t.Context(), to, Source{Ref: host + "/app:1"}, Dest{Repository: "app"}, nil)
			if err == nil || has(t, to, "app", "1") != "" {
				t.Errorf("it is taken: %v", err)
			}
		})
	}
	d := digest.FromString("x")
	for name, m := range map[string]string{
		"no JSON": "x", "no type": `{"schemaVersion":2}`, "schema 1": `{"schemaVersion":1}`, "empty": "",
		"a bad digest":  `{"schemaVersion":2,"mediaType":"` + typeImage + `","config":{"digest":"../..","size":1}}`,
		"a huge blob":   `{"schemaVersion":2,"mediaType":"` + typeImage + `","config":{"digest":"` + string(d) + `","size":9000000000000000000}}`,
		"negative":      `{"schemaVersion":2,"mediaType":"` + typeImage + `","layers":[{"digest":"` + string(d) + `","size":-1}]}`,
		"itself within": `{"schemaVersion":2,"mediaType":"` + typeIndex + `","manifests":[{"digest":"` + string(d) + `","size":1}]}`,
		"large":         `{"schemaVersion":2,"mediaType":"` + typeImage + `"` + big + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			host := serve(t, func(w http.ResponseWriter, q *http.Request) {
				if strings.Contains(q.URL.Path, "/referrers/") || strings.Contains(q.URL.Path, "sha256-") {
					w.WriteHeader(http.StatusNotFound)
				} else if q.URL.Path != "/v2/" {
					io.WriteString(w, m)
				}
			})
			_, err := client().Copy(t.Context(), sink(t, nil), Source{Ref: host + "/app:1"}, Dest{Repository: "app"}, nil)
			if !errors.Is(err, ErrContent) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	for status, want := range map[int]error{
		404: ErrNotFound, 401: ErrDenied, 403: ErrDenied, 500: ErrUnavailable, 503: ErrUnavailable, 429: ErrUnavailable, 400: ErrContent,
	} {
		host := serve(t, func(w http.ResponseWriter, q *http.Request) {
			if q.URL.Path != "/v2/" {
				w.Header().Set("Retry-After", "3600")
				w.WriteHeader(status)
				io.WriteString(w, `{"errors":[{"code":"WHY","message":"because"}]}`)
			}
		})
		_, err := client().Copy(t.Context(), sink(t, nil), Source{Ref: host + "/app:1"}, Dest{Repository: "app"}, nil)
		if !errors.Is(err, want) {
			t.Errorf("%d: %v", status, err)
		}
		var limited *LimitedError
		if errors.As(err, &limited) != (status == 429) || status == 429 && (limited.After != time.Hour || !limited.Anonymous) {
			t.Errorf("%d: %v is limited", status, err)
		}
		if Permanent(err) != (status < 429) {
			t.Errorf("%d is permanent: %v", status, Permanent(err))
		}
		if status < 429 && !strings.Contains(err.Error(), "WHY: because") {
			t.Errorf("%d does not say why: %v", status, err)
		}
	}
}

// tokens is a registry that wants a token, and the server that gives it.
func tokens(t *testing.T, user, password string) string {
	next := upstream.New(quiet)
	return serve(t, func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/token" {
			u, p, _ := q.BasicAuth()
			if u != user || p != password || q.URL.Query().Get("scope") != "repository:team/app:pull" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			json.NewEncoder(w).Encode(map[string]string{"token": "good"})
			return
		}
		if q.Header.Get("Authorization") != "Bearer good" && q.Header.Get("X-Test") == "" {
			w.Header().Set("Www-Authenticate", `Bearer realm="http://`+q.Host+`/token",service="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, q)
	})
}

func TestTokens(t *testing.T) {
	host := tokens(t, "alice", "secret-password")
	for c, want := range map[Credential]error{{User: "alice", Secret: "secret-password"}: ErrNotFound, {User: "alice", Secret: "wrong-password"}: ErrDenied, {}: ErrDenied, {Secret: "good"}: ErrNotFound} {
		_, err := client().Copy(t.Context(), nil, Source{Ref: host + "/team/app:1", Credential: c}, Dest{Repository: "app"}, nil)
		if !errors.Is(err, want) || strings.Contains(err.Error(), "password") {
			t.Errorf("with %q: %v", c, err)
		}
	}
}

// TestCredentialStaysAtItsHost: whoever may name a source must not be able to have a stored secret sent to it.
func TestCredentialStaysAtItsHost(t *testing.T) {
	var told atomic.Bool
	host := serve(t, func(w http.ResponseWriter, q *http.Request) {
		if q.Header.Get("Authorization") != "" {
			told.Store(true)
		}
		w.Header().Set("Www-Authenticate", "Basic realm=x")
		w.WriteHeader(http.StatusUnauthorized)
	})
	for own, want := range map[string]bool{"registry.example": false, "http://": false, host: true, "": true} {
		told.Store(false)
		c := Credential{Host: own, User: "alice", Secret: "secret"}
		if _, err := client().Tags(t.Context(), Source{Ref: host + "/app", Credential: c}, nil); err == nil || told.Load() != want {
			t.Errorf("for %q: sent is %v, %v", own, told.Load(), err)
		}
	}
	hub, err := name.ParseReference("alpine")
	if err != nil {
		t.Fatal(err)
	}
	if err := (Credential{Host: "docker.io", Secret: "x"}).fits(hub.Context().Registry); err != nil {
		t.Error(err)
	}
}

func TestCredentialsAreNotWritten(t *testing.T) {
	var b bytes.Buffer
	c := Credential{User: "alice", Secret: "hidden"}
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", slog.Any("credential", c), slog.Any("source", Source{Credential: c}))
	fmt.Fprintf(&b, "%v %+v %#v %s", c, c, c, c)
	if strings.Contains(b.String(), "hidden") {
		t.Errorf("the secret is written: %s", b.String())
	}
}

func TestGuard(t *testing.T) {
	away := serve(t, func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path != "/v2/" {
			http.Redirect(w, q, "http://169.254.169.254/latest/meta-data", http.StatusTemporaryRedirect)
		}
	})
	_, err := client().Copy(t.Context(), nil, Source{Ref: away + "/app:1", Insecure: true}, Dest{Repository: "app"}, nil)
	if err == nil || !strings.Contains(err.Error(), "link-local") {
		t.Errorf("a redirect to the metadata address: %v", err)
	}
	for _, host := range []string{"169.254.169.254", "169.254.1.1:5000", "100.100.100.200"} {
		if _, err = client().Copy(t.Context(), nil, Source{Ref: host + "/app:1", Insecure: true}, Dest{Repository: "app"}, nil); !errors.Is(err, egress.ErrRefused) {
			t.Errorf("%s: %v", host, err)
		}
	}
	_, err = New(Config{NoPrivate: true}).Copy(t.Context(), nil, Source{Ref: away + "/app:1"}, Dest{Repository: "app"}, nil)
	if !errors.Is(err, egress.ErrRefused) {
		t.Errorf("loopback: %v", err)
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(upstream.New(quiet))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	host := strings.TrimPrefix(s.URL, "https://")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	for name, tt := range map[string]struct {
		src  Source
		want error
	}{
		"unknown":  {Source{}, ErrUnavailable},
		"known":    {Source{CA: ca}, ErrNotFound},
		"insecure": {Source{Insecure: true}, ErrNotFound},
	} {
		tt.src.Ref = host + "/app:1"
		if _, err := client().Copy(t.Context(), nil, tt.src, Dest{Repository: "app"}, nil); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := client().Copy(t.Context(), nil, Source{Ref: host + "/app:1", CA: []byte("x")}, Dest{Repository: "app"}, nil); err == nil {
		t.Error("a CA that is none is taken")
	}
}

func FuzzReadDocument(f *testing.F) {
	f.Add("", []byte(`{"schemaVersion":2,"mediaType":"`+typeIndex+`","manifests":[{"digest":"sha256:`+strings.Repeat("0", 64)+`","size":1,"platform":{"os":"linux","architecture":"amd64"}}]}`))
	f.Add(typeDockerImage, []byte(`{"schemaVersion":2,"config":{},"layers":[]}`))
	f.Fuzz(func(t *testing.T, contentType string, p []byte) {
		d, err := readDocument(digest.FromBytes(p), contentType, p)
		if err != nil {
			return
		}
		d.blobs()
		if keep, err := pick(d, []string{"linux/amd64", "linux/arm64"}); err == nil {
			if _, err := reduce(d, keep); err != nil && !errors.Is(err, ErrContent) {
				t.Errorf("reducing: %v", err)
			}
		}
	})
}
