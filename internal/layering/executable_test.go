package layering

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What an executable may grow to. A change that needs more says why, here.
var executables = map[string]struct {
	bytes    int64
	packages int
	unwanted []string
}{
	"cmd/seawall": {bytes: 45 << 20, packages: 960, unwanted: append(clouds, kubernetes...)},
	// The hub links the S3 driver and every key provider: the AWS, Azure and Google libraries are most of it.
	"cmd/seawall-hub": {bytes: 80 << 20, packages: 1600, unwanted: kubernetes},
}

// Modules that would double an executable, or bring code of which nothing is needed; a dependency of a dependency could
// pull them in unnoticed.
var (
	clouds     = []string{"github.com/aws/", "github.com/Azure/", "cloud.google.com/go/storage"}
	kubernetes = []string{"k8s.io/api", "k8s.io/client-go", "sigs.k8s.io/", "modernc.org/", "github.com/moby/moby", "github.com/open-policy-agent/", "plugin"}
)

func TestExecutables(t *testing.T) {
	for name, limit := range executables {
		cmd := exec.Command("go", "list", "-deps", module+"/"+name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		packages := strings.Fields(string(out))
		if len(packages) > limit.packages {
			t.Errorf("%s links %d packages, at most %d are allowed", name, len(packages), limit.packages)
		}
		for _, p := range packages {
			for _, prefix := range limit.unwanted {
				if strings.HasPrefix(p, prefix) {
					t.Errorf("%s links %s", name, p)
				}
			}
		}
		file := filepath.Join(t.TempDir(), filepath.Base(name))
		build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", file, module+"/"+name)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > limit.bytes {
			t.Errorf("%s has %d bytes, at most %d are allowed", name, info.Size(), limit.bytes)
		}
	}
}
