//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// hub is a running seawall-hub, and its administrator, who is signed in.
type hub struct {
	t      *testing.T
	config hubConfig
	dir    string
	host   string // host:port; stays the same over restarts
	url    string

	process *exec.Cmd
	said    *said
	client  *http.Client
	csrf    string
}

// hubConfig is what a test wants of a hub; the zero value is `seawall up`.
type hubConfig struct {
	dir        string // "" is a new one
	advisories string // the advisory database; "" is below dir
	args       []string
	env        []string
	serve      bool // `serve` with TLS off instead of `up`
}

// said is what a process wrote. It is safe for concurrent use.
type said struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

const adminPassword = "correct horse, battery & staple"

var (
	printedURL      = regexp.MustCompile(`Console\s+(\S+)`)
	printedPassword = regexp.MustCompile(`Password\s+(\S+)`)
)

// startHub starts a hub and signs the administrator in. It ends with the test.
func startHub(t *testing.T, c hubConfig) *hub {
	t.Helper()
	if c.dir == "" {
		c.dir = filepath.Join(t.TempDir(), "hub")
	}
	if c.advisories == "" {
		c.advisories = filepath.Join(c.dir, "advisories")
	}
	h := &hub{t: t, config: c, dir: c.dir, host: "127.0.0.1:0"}
	t.Cleanup(func() {
		h.stop()
		if t.Failed() {
			t.Logf("the hub said:\n%.20000s", h.said)
		}
	})
	h.start()
	return h
}

// start starts the process, on the port of before where there was one, and waits until it is ready.
func (h *hub) start() {
	h.t.Helper()
	h.launch()
	h.ready()
}

func (h *hub) launch() {
	h.t.Helper()
	args := append([]string{"up", "--data-dir", h.dir, "--db-dir", h.config.advisories, "--listen", h.host, "--log-level", "warn"}, h.config.args...)
	h.process = exec.Command(filepath.Join(filepath.Dir(executable), "seawall-hub"), args...)
	h.process.Env = append(append(os.Environ(), "TMPDIR="+h.t.TempDir()), h.config.env...)
	h.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	h.said = &said{}
	h.process.Stdout, h.process.Stderr = h.said, h.said
	if err := h.process.Start(); err != nil {
		h.t.Fatalf("starting the hub: %v", err)
	}
}

// ready waits until the hub says where it is, and signs in.
func (h *hub) ready() {
	h.t.Helper()
	h.until("the hub is ready", func() bool { return strings.Contains(h.said.String(), "docker push") })
	h.url = printedURL.FindStringSubmatch(h.said.String())[1]
	h.host = strings.TrimPrefix(h.url, "http://")
	h.signIn()
}

// stop ends the hub as an administrator does, and fails the test when it does not end well.
func (h *hub) stop() {
	h.t.Helper()
	if h.process == nil {
		return
	}
	_ = h.process.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(time.Minute, func() { _ = syscall.Kill(-h.process.Process.Pid, syscall.SIGKILL) })
	err := h.process.Wait()
	timer.Stop()
	h.process = nil
	if err != nil {
		h.t.Errorf("the hub ended with %v", err)
	}
}

// kill ends the hub and its scanners as a power failure does.
func (h *hub) kill() {
	_ = syscall.Kill(-h.process.Process.Pid, syscall.SIGKILL)
	_ = h.process.Wait()
	h.process = nil
}

// until waits for a condition. A job that was cut short is taken up again after a minute.
func (h *hub) until(what string, ok func() bool) {
	h.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(30 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("waited two minutes until %s", what)
		}
	}
}

// signIn signs the administrator in, the first time with the password that the hub printed.
func (h *hub) signIn() {
	h.t.Helper()
	printed := printedPassword.FindStringSubmatch(h.said.String())
	if printed == nil {
		h.client, h.csrf = h.session("admin", adminPassword)
		return
	}
	h.client, h.csrf = h.session("admin", printed[1])
	h.call("POST", "/session/password", object{"current": printed[1], "new": adminPassword}, nil)
	h.client, h.csrf = h.session("admin", adminPassword)
}

// session signs somebody in.
func (h *hub) session(name, password string) (*http.Client, string) {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	as := &hub{t: h.t, url: h.url, client: &http.Client{Jar: jar, Timeout: time.Minute}}
	var s struct{ CSRF string }
	as.call("POST", "/session", object{"name": name, "password": password}, &s)
	return as.client, s.CSRF
}

// call asks the API as the administrator and fails the test unless the answer is good.
func (h *hub) call(method, path string, in, out any) {
	h.t.Helper()
	status, body := h.try(method, path, in)
	if status >= 300 {
		h.t.Fatalf("%s %s: %d %s", method, path, status, body)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(body, out); err != nil {
		h.t.Fatalf("%s %s: %v in %.500s", method, path, err, body)
	}
}

func (h *hub) try(method, path string, in any) (int, []byte) {
	h.t.Helper()
	status, body, err := h.ask(h.t.Context(), method, path, in)
	if err != nil {
		h.t.Fatal(err)
	}
	return status, body
}

func (h *hub) ask(ctx context.Context, method, path string, in any) (int, []byte, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return 0, nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), method, h.url+"/api/v1"+path, body)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-CSRF-Token", h.csrf)
	res, err := h.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, b, err
}

// person makes a user with roles on everything who has set their password.
func (h *hub) person(name string, roles ...string) login {
	h.t.Helper()
	p := login{name, "many words that nobody guesses"}
	h.call("POST", "/users", object{"name": name, "password": p.password + " once", "roles": roles}, nil)
	as := &hub{t: h.t, url: h.url}
	as.client, as.csrf = as.session(name, p.password+" once")
	as.call("POST", "/session/password", object{"current": p.password + " once", "new": p.password}, nil)
	return p
}

// login is a name and its password.
type login struct{ name, password string }

func (a login) String() string { return fmt.Sprintf("%s:%s", a.name, a.password) }
