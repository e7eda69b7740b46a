package main

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
	"strconv"
	"strings"
	"sync"
	"time"
)

// process is a running hub and its administrator, who is signed in.
type process struct {
	cmd    *exec.Cmd
	said   *said
	dir    string
	url    string
	after  time.Duration // until it answered /readyz
	client *http.Client
	csrf   string
}

// said is what a process wrote.
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

var (
	printedURL      = regexp.MustCompile(`Console\s+(\S+)`)
	printedPassword = regexp.MustCompile(`Password\s+(\S+)`)
)

const password = "a long password of the benchmark"

// start runs a hub on dir and waits until it is ready.
func (b *bench) start(ctx context.Context, dir string, args ...string) (*process, error) {
	h := &process{said: &said{}, dir: dir}
	all := append([]string{"up", "--data-dir", dir, "--db-dir", filepath.Join(dir, "advisories"), "--listen", "127.0.0.1:0"}, args...)
	h.cmd = exec.Command(filepath.Join(b.bin, "seawall-hub"), all...)
	h.cmd.Stdout, h.cmd.Stderr = h.said, h.said
	begin := time.Now()
	if err := h.cmd.Start(); err != nil {
		return nil, err
	}
	for !h.ready() {
		if ctx.Err() != nil || time.Since(begin) > time.Minute || strings.Contains(h.said.String(), "\nseawall: ") || strings.HasPrefix(h.said.String(), "seawall: ") {
			h.stop()
			return nil, fmt.Errorf("the hub is not ready: %s", h.said)
		}
		time.Sleep(5 * time.Millisecond)
	}
	h.after = time.Since(begin)
	return h, h.signIn(ctx)
}

func (h *process) ready() bool {
	m := printedURL.FindStringSubmatch(h.said.String())
	if m == nil {
		return false
	}
	h.url = m[1]
	res, err := http.Get(h.url + "/readyz")
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

func (h *process) stop() {
	h.cmd.Process.Signal(os.Interrupt)
	h.cmd.Wait()
}

func (h *process) signIn(ctx context.Context) error {
	if m := printedPassword.FindStringSubmatch(h.said.String()); m != nil {
		if err := h.session(ctx, m[1]); err != nil {
			return err
		}
		if err := h.call(ctx, "POST", "/session/password", map[string]any{"current": m[1], "new": password}, nil); err != nil {
			return err
		}
	}
	return h.session(ctx, password)
}

func (h *process) session(ctx context.Context, password string) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	h.client, h.csrf = &http.Client{Jar: jar, Timeout: time.Minute}, ""
	var s struct{ CSRF string }
	err = h.call(ctx, "POST", "/session", map[string]any{"name": "admin", "password": password}, &s)
	h.csrf = s.CSRF
	return err
}

// call asks the API; nil for out drops the answer's body.
func (h *process) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		p, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(p)
	}
	q, err := http.NewRequestWithContext(ctx, method, h.url+"/api/v1"+path, body)
	if err != nil {
		return err
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("X-CSRF-Token", h.csrf)
	a, err := h.client.Do(q)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	p, err := io.ReadAll(a.Body)
	if err != nil {
		return err
	}
	if a.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s %.300s", method, path, a.Status, p)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(p, out)
}

// memory is the process's resident memory in MiB: all of it, and what no file backs.
func (h *process) memory() (all, anonymous float64, err error) {
	p, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	field := func(name string) float64 {
		_, rest, _ := strings.Cut(string(p), "\n"+name+":")
		fields := strings.Fields(rest)
		if len(fields) == 0 {
			return 0
		}
		kib, _ := strconv.ParseFloat(fields[0], 64)
		return kib / 1024
	}
	return field("VmRSS"), field("RssAnon"), nil
}
