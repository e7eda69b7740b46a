package state

import (
	"fmt"
	"io"
	"log"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// server is a PostgreSQL server that lives as long as the tests, on a socket in a directory of its own.
type server struct {
	once sync.Once
	dir  string
	skip string // why there is none
	stop func()
	next atomic.Int64
}

var postgresServer server

func TestMain(m *testing.M) {
	if os.Getenv(crashFile) != "" {
		crashChild()
	}
	code := m.Run()
	if postgresServer.stop != nil {
		postgresServer.stop()
	}
	os.Exit(code)
}

// postgresDatabase creates an empty database.
func postgresDatabase(t *testing.T) string {
	t.Helper()
	s := &postgresServer
	s.once.Do(s.start)
	if s.skip != "" {
		t.Skip("no PostgreSQL: " + s.skip)
	}
	name := fmt.Sprintf("test%d", s.next.Add(1))
	out, err := exec.Command("psql", "-h", s.dir, "-U", "hub", "-d", "postgres", "-c", "CREATE DATABASE "+name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return "postgres://hub@/" + name + "?host=" + url.QueryEscape(s.dir)
}

func (s *server) start() {
	for _, tool := range []string{"initdb", "postgres", "psql"} {
		if _, err := exec.LookPath(tool); err != nil {
			s.skip = tool + " is not in the path"
			return
		}
	}
	if err := s.run(); err != nil {
		s.skip = err.Error()
	}
}

func (s *server) run() error {
	dir, err := os.MkdirTemp("", "pg") // short: the path of a socket is at most 107 bytes long
	if err != nil {
		return err
	}
	s.stop = func() { os.RemoveAll(dir) }
	as, err := unprivileged(dir)
	if err != nil {
		return err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command("initdb", "-D", data, "-U", "hub", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = dir, as
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	pg := exec.Command("postgres", "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "max_connections=200", "-c", "fsync=off")
	pg.Dir, pg.SysProcAttr, pg.Stderr = dir, as, io.Discard
	if err := pg.Start(); err != nil {
		return err
	}
	s.dir = dir
	s.stop = func() {
		pg.Process.Signal(syscall.SIGQUIT)
		pg.Wait()
		os.RemoveAll(dir)
	}
	return s.await()
}

func (s *server) await() error {
	var err error
	for range 200 {
		if err = exec.Command("psql", "-h", s.dir, "-U", "hub", "-d", "postgres", "-c", "SELECT 1").Run(); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("the server does not answer: %w", err)
}

// unprivileged says as whom to run the server, which refuses to run as root.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	as := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Geteuid() != 0 {
		return as, nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	if err := os.Chmod(dir, 0o755); err != nil {
		log.Print(err)
	}
	return as, os.Chown(dir, int(uid), int(gid))
}
