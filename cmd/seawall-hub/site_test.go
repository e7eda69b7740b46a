package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// site is a hub that runs in this process, as `up` runs it, and an administrator who is signed in.
type site struct {
	t       *testing.T
	dir     string
	url     string
	out     *output
	client  *http.Client
	csrf    string
	stop    context.CancelFunc
	stopped chan int
}

// output is what the hub prints.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

const adminPassword = "a password of some length"

var (
	printedURL      = regexp.MustCompile(`Console\s+(\S+)`)
	printedPassword = regexp.MustCompile(`Password\s+(\S+)`)
)

// newSite starts a hub in dir and signs in. args come after those that a test needs.
func newSite(t *testing.T, dir string, args ...string) *site {
	t.Helper()
	s := &site{t: t, dir: dir}
	s.start(args...)
	t.Cleanup(s.end)
	return s
}

// restart stops the hub and starts it again on the same data.
func (s *site) restart(args ...string) {
	s.t.Helper()
	s.end()
	s.start(args...)
}

func (s *site) start(args ...string) {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.out, s.stop, s.stopped = &output{}, stop, make(chan int, 1)
	s.client = &http.Client{Jar: jar, Timeout: time.Minute}
	nothing := func(string) (string, bool) { return "", false }
	all := append([]string{"up", "--data-dir", s.dir, "--db-dir", s.dir + "/advisories", "--listen", "127.0.0.1:0", "--log-level", "warn"}, args...)
	go func() {
		s.stopped <- run(ctx, all, terminal{in: strings.NewReader(""), out: s.out, err: s.out, env: nothing})
	}()
	s.until("the hub is ready", func() bool { return strings.Contains(s.out.String(), "docker push") })
	s.url = printedURL.FindStringSubmatch(s.out.String())[1]
	s.signIn()
}

// end stops the hub and waits for it.
func (s *site) end() {
	s.stop()
	if code, ok := <-s.stopped; ok {
		close(s.stopped)
		if code != 0 {
			s.t.Errorf("the hub ended with %d:\n%s", code, s.out)
		}
	}
}

func (s *site) signIn() {
	s.t.Helper()
	password := adminPassword
	if m := printedPassword.FindStringSubmatch(s.out.String()); m != nil {
		password = m[1]
	}
	var session struct{ CSRF, Must string }
	s.call("POST", "/api/v1/session", map[string]string{"name": "admin", "password": password}, &session)
	s.csrf = session.CSRF
	if session.Must == "password" {
		s.call("POST", "/api/v1/session/password", map[string]string{"current": password, "new": adminPassword}, nil)
		s.call("POST", "/api/v1/session", map[string]string{"name": "admin", "password": adminPassword}, &session)
		s.csrf = session.CSRF
	}
}

// call asks the API and fails the test unless the answer is good.
func (s *site) call(method, path string, in, out any) {
	s.t.Helper()
	status, body := s.try(method, path, in)
	if status >= 300 {
		s.t.Fatalf("%s %s: %d %s", method, path, status, body)
	}
	if out != nil {
		if err := json.Unmarshal(body, out); err != nil {
			s.t.Fatalf("%s %s: %v in %s", method, path, err, body)
		}
	}
}

func (s *site) try(method, path string, in any) (int, []byte) {
	s.t.Helper()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			s.t.Fatal(err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-CSRF-Token", s.csrf)
	return s.do(req)
}

func (s *site) do(req *http.Request) (int, []byte) {
	s.t.Helper()
	res, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, b
}

// until waits for a condition.
func (s *site) until(what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("waited a minute until %s; the hub said:\n%s", what, s.out)
		}
	}
}

// registry sends a request to the registry as somebody.
func (s *site) registry(user, password, method, path string, header http.Header, body []byte) (int, []byte, http.Header) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.SetBasicAuth(user, password)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, b, res.Header
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// push pushes content as the administrator.
func (s *site) push(repository, tag string, layers ...[]byte) (digest string) {
	s.t.Helper()
	type config struct {
		Architecture string         `json:"architecture"`
		OS           string         `json:"os"`
		Config       map[string]any `json:"config"`
		RootFS       map[string]any `json:"rootfs"`
	}
	var diffs []string
	manifest := map[string]any{"schemaVersion": 2, "mediaType": manifestType}
	var blobs []descriptor
	for _, l := range layers {
		diffs = append(diffs, digestOf(l))
		blobs = append(blobs, s.blob(repository, "application/vnd.oci.image.layer.v1.tar", l))
	}
	c, err := json.Marshal(config{"amd64", "linux", map[string]any{"User": "1000"}, map[string]any{"type": "layers", "diff_ids": diffs}})
	if err != nil {
		s.t.Fatal(err)
	}
	manifest["config"], manifest["layers"] = s.blob(repository, "application/vnd.oci.image.config.v1+json", c), blobs
	m, err := json.Marshal(manifest)
	if err != nil {
		s.t.Fatal(err)
	}
	status, body, _ := s.registry("admin", adminPassword, "PUT", "/v2/"+repository+"/manifests/"+tag, http.Header{"Content-Type": {manifestType}}, m)
	if status != http.StatusCreated {
		s.t.Fatalf("pushing the manifest: %d %s", status, body)
	}
	return digestOf(m)
}

func (s *site) blob(repository, mediaType string, content []byte) descriptor {
	s.t.Helper()
	path := fmt.Sprintf("/v2/%s/blobs/uploads/?digest=%s", repository, digestOf(content))
	status, body, _ := s.registry("admin", adminPassword, "POST", path, http.Header{"Content-Type": {"application/octet-stream"}}, content)
	if status != http.StatusCreated {
		s.t.Fatalf("pushing a blob: %d %s", status, body)
	}
	return describe(mediaType, content)
}

// image is the path of an image in the API.
func imagePath(repository, digest string) string {
	return "/api/v1/repositories/" + url.PathEscape(repository) + "/images/" + digest
}

// scanned waits until an image was evaluated and returns its status.
func (s *site) scanned(repository, digest string) (status string) {
	s.t.Helper()
	s.until("the image is scanned", func() bool {
		var m struct {
			Status string
			Scan   *struct{ Matched time.Time }
		}
		s.call("GET", imagePath(repository, digest), nil, &m)
		status = m.Status
		return m.Scan != nil && !m.Scan.Matched.IsZero()
	})
	return status
}

// layer is a tar of files.
func layer(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, content := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
