package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const childArg = "sandboxed-child"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == childArg {
		child(os.Args[2], os.Args[3])
		return
	}
	os.Exit(m.Run())
}

// attempts are the outcomes of what a hostile parser would try: "" for success, else the error.
type attempts struct {
	Report  Report
	Outcome map[string]string
}

// child confines itself and then misbehaves in every way that the package promises to stop.
func child(readable, writable string) {
	secret := os.Getenv("SECRET_PATH")
	a := attempts{Report: Enter(Config{ReadDirs: []string{readable}, WriteDir: writable}), Outcome: map[string]string{}}
	try := func(name string, f func() error) {
		err := f()
		a.Outcome[name] = ""
		if err != nil {
			a.Outcome[name] = err.Error()
		}
	}
	read := func(path string) func() error {
		return func() error { _, err := os.ReadFile(path); return err }
	}
	try("read given dir", read(filepath.Join(readable, "f")))
	try("read other file", read(secret))
	try("read /etc/passwd", read("/etc/passwd"))
	try("write private dir", func() error { return os.WriteFile(filepath.Join(writable, "out"), []byte("x"), 0o600) })
	try("write given dir", func() error { return os.WriteFile(filepath.Join(readable, "out"), []byte("x"), 0o600) })
	try("connect", func() error { _, err := net.Dial("tcp", "127.0.0.1:1"); return err })
	try("socket", func() error { _, err := net.ListenPacket("udp", "127.0.0.1:0"); return err })
	try("unix socket", func() error { _, err := net.Dial("unix", filepath.Join(readable, "s")); return err })
	try("exec", func() error { return exec.Command("/bin/true").Run() })
	try("exec self", func() error { return exec.Command("/proc/self/exe", "-h").Run() })
	try("signal parent", func() error { p, _ := os.FindProcess(os.Getppid()); return p.Signal(os.Interrupt) })
	try("threads", func() error {
		done := make(chan bool)
		for range 64 {
			go func() { runtime.LockOSThread(); done <- true }()
		}
		for range 64 {
			<-done
		}
		return nil
	})
	try("user", func() error {
		if os.Geteuid() == 0 {
			return fmt.Errorf("still root")
		}
		return nil
	})
	json.NewEncoder(os.Stdout).Encode(a)
}

func TestEnter(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("landlock and seccomp are Linux's")
	}
	readable, writable := t.TempDir(), t.TempDir()
	for _, dir := range []string{readable, writable} {
		open(t, dir)
	}
	if err := os.WriteFile(filepath.Join(readable, "f"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := Command(context.Background(), childArg, readable, writable)
	cmd.Env = append(cmd.Env, "SECRET_PATH="+secret)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got attempts
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	t.Log(got.Report)
	for _, refused := range got.Report.Refused {
		if name, _, _ := strings.Cut(refused, " "); name == "landlock" {
			t.Skip("this kernel has no landlock: " + refused)
		}
		t.Errorf("refused: %s", refused)
	}
	mayDo := []string{"read given dir", "write private dir", "threads", "user"}
	for name, outcome := range got.Outcome {
		if may := slices.Contains(mayDo, name); may != (outcome == "") {
			t.Errorf("%s: allowed %v, want %v (%s)", name, outcome == "", may, outcome)
		}
	}
}

// open lets the child, who may be nobody, reach a temporary directory of the test's.
func open(t *testing.T, dir string) {
	t.Helper()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for parent := filepath.Dir(dir); parent != "/" && parent != os.TempDir(); parent = filepath.Dir(parent) {
		if err := os.Chmod(parent, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReport(t *testing.T) {
	r := Report{}
	r.note("a", nil)
	r.note("b", os.ErrPermission)
	if want := "sandbox: a; refused by this system: b (permission denied)"; r.String() != want {
		t.Errorf("got %q, want %q", r, want)
	}
	if r.Complete() {
		t.Error("a report with a refusal is complete")
	}
}
