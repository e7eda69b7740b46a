package api_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seawall/seawall/api"
	"github.com/seawall/seawall/auth"
)

func logTo(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// listener reads server-sent events of a real connection.
type listener struct {
	t     *testing.T
	lines *bufio.Scanner
	close func()
}

func listen(t *testing.T, s *api.Server, p auth.Principal, query, last string) *listener {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ServeHTTP(w, r.WithContext(auth.With(r.Context(), p)))
	}))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+api.Prefix+"/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{t, bufio.NewScanner(answer.Body), func() { cancel(); answer.Body.Close(); server.Close() }}
	t.Cleanup(l.close)
	l.next() // the beginning
	return l
}

// next returns the fields of the next message, comments under ":".
func (l *listener) next() map[string]string {
	l.t.Helper()
	m := map[string]string{}
	for l.lines.Scan() {
		if l.lines.Text() == "" {
			return m
		}
		name, value, _ := strings.Cut(l.lines.Text(), ":")
		if name == "" {
			name = ":"
		}
		m[name] = strings.TrimPrefix(value, " ")
	}
	return m
}

func broker(c api.BrokerConfig) (*api.Broker, *api.Server) {
	b := api.NewBroker(c)
	return b, newHub().server(func(c *api.Config) { c.Events = b })
}

func TestEventsAreFiltered(t *testing.T) {
	b, s := broker(api.BrokerConfig{Heartbeat: time.Hour})
	l := listen(t, s, teamReader(), "?topics=images,jobs,audit", "")
	b.Publish("images", "other/app@"+digestB) // not theirs
	b.Publish("jobs", "7")                    // no permission
	b.Publish("audit", "1")                   // no permission
	b.Publish("findings", "team/app")         // not asked for
	b.Publish("images", "team/app@"+digestA+"\ndata: forged")
	m := l.next()
	if m["event"] != "images" || m["data"] != `{"topic":"images","key":"team/app@`+digestA+`\ndata: forged"}` {
		t.Errorf("%v", m)
	}
}

func TestEventsAreRepeated(t *testing.T) {
	b, s := broker(api.BrokerConfig{Heartbeat: time.Hour, Recent: 4})
	l := listen(t, s, owner("olga"), "", "")
	b.Publish("rules", "1")
	seen := l.next()["id"]
	l.close()
	b.Publish("rules", "2")
	b.Publish("rules", "3")
	again := listen(t, s, owner("olga"), "", seen)
	for _, want := range []string{"2", "3"} {
		if m := again.next(); m["data"] != `{"topic":"rules","key":"`+want+`"}` {
			t.Errorf("%v, want %s", m, want)
		}
	}
	again.close()
	for range 5 {
		b.Publish("rules", "n")
	}
	if m := listen(t, s, owner("olga"), "", seen).next(); m["event"] != "resync" {
		t.Errorf("after too many: %v", m)
	}
	if m := listen(t, s, owner("olga"), "", "other-1").next(); m["event"] != "resync" {
		t.Errorf("after a restart: %v", m)
	}
}

func TestHeartbeat(t *testing.T) {
	_, s := broker(api.BrokerConfig{Heartbeat: time.Millisecond})
	if m := listen(t, s, owner("olga"), "", "").next(); m[":"] != "still here" {
		t.Errorf("%v", m)
	}
}

func TestConnectionsEnd(t *testing.T) {
	_, s := broker(api.BrokerConfig{Heartbeat: time.Hour, Lifetime: time.Millisecond})
	if m := listen(t, s, owner("olga"), "", "").next(); len(m) > 0 {
		t.Errorf("%v", m)
	}
}

// TestSlowListenersAreTold: a listener who does not read misses events, hears how many, and holds up nobody.
func TestSlowListenersAreTold(t *testing.T) {
	b, s := broker(api.BrokerConfig{Heartbeat: time.Hour, Queue: 1})
	w := &stuck{header: http.Header{}, begun: make(chan bool), free: make(chan bool), out: make(chan string, 100)}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan bool)
	go func() {
		defer close(ended)
		r := httptest.NewRequestWithContext(ctx, "GET", api.Prefix+"/events", nil)
		s.ServeHTTP(w, r.WithContext(auth.With(ctx, owner("olga"))))
	}()
	<-w.begun // it listens, and is stuck in its first write
	for range 10 {
		b.Publish("rules", "x")
	}
	if b.Dropped() != 9 {
		t.Errorf("%d dropped", b.Dropped())
	}
	close(w.free)
	all := ""
	for !strings.Contains(all, "resync") {
		all += <-w.out
	}
	if !strings.Contains(all, `{"missed":9}`) {
		t.Errorf("%s", all)
	}
	cancel()
	<-ended
}

// stuck is a connection whose other end does not read at first.
type stuck struct {
	header http.Header
	begun  chan bool
	free   chan bool
	out    chan string
	wrote  bool
}

func (s *stuck) Header() http.Header { return s.header }
func (s *stuck) WriteHeader(int)     {}
func (s *stuck) Flush()              {}
func (s *stuck) Write(b []byte) (int, error) {
	if !s.wrote {
		s.wrote = true
		close(s.begun)
		<-s.free
	}
	s.out <- string(b)
	return len(b), nil
}

func TestListenersAreBounded(t *testing.T) {
	_, s := broker(api.BrokerConfig{Heartbeat: time.Hour, Listeners: 1})
	l := listen(t, s, owner("olga"), "", "")
	if w := ask(t, s, owner("olga"), "GET", "/events", ""); w.Code != 503 {
		t.Errorf("%d", w.Code)
	}
	l.close()
}
