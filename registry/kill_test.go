package registry_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/seawall/seawall/registry"
	"github.com/seawall/seawall/registry/directory"
)

// childVar makes this test binary a registry: it names the directory to serve.
const childVar = "SEAWALL_TEST_REGISTRY"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVar); dir != "" {
		child(dir)
		return
	}
	os.Exit(m.Run())
}

// child serves a directory, sealed, collects without end, and writes its address to its output.
func child(dir string) {
	d, err := directory.Open(dir)
	if err != nil {
		panic(err)
	}
	r, err := registry.New(context.Background(), registry.Config{Storage: d, Keys: fixedKeys{current: "k1"}})
	if err != nil {
		panic(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	go func() {
		for {
			if _, err := r.Collect(context.Background(), -time.Hour); err != nil {
				fmt.Fprintln(os.Stderr, "collecting:", err)
			}
		}
	}()
	panic(http.Serve(l, r))
}

// TestKilled kills a registry at random points of pushes and collections. Every push that it acknowledged is there, and
// whole, when it runs again. SEAWALL_TEST_KILLS says how often.
func TestKilled(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	if n, err := strconv.Atoi(os.Getenv("SEAWALL_TEST_KILLS")); err == nil {
		rounds = n
	}
	dir := t.TempDir()
	var acknowledged sync.Map // tag → manifest
	heard := make(chan struct{}, 10_000)
	for round := range rounds {
		c, kill := startChild(t, dir)
		acknowledged.Range(func(tag, p any) bool {
			c.pullWhole("killed", tag.(string), p.([]byte))
			return !t.Failed()
		})
		var pushers sync.WaitGroup
		for i := range 3 {
			pushers.Go(func() {
				for n := range 1000 {
					if !c.pushUntilKilled(fmt.Sprintf("r%d-%d-%d", round, i, n), &acknowledged) {
						return
					}
					heard <- struct{}{}
				}
			})
		}
		for range 1 + rand.IntN(4) {
			<-heard
		}
		time.Sleep(rand.N(40 * time.Millisecond)) // the random point
		kill()
		pushers.Wait()
		for len(heard) > 0 {
			<-heard
		}
		if t.Failed() {
			return
		}
	}
	c, kill := startChild(t, dir)
	defer kill()
	n := 0
	acknowledged.Range(func(tag, p any) bool {
		c.pullWhole("killed", tag.(string), p.([]byte))
		n++
		return true
	})
	t.Logf("%d acknowledged pushes survived %d kills", n, rounds)
	if n < rounds {
		t.Errorf("%d pushes in %d rounds", n, rounds)
	}
}

func startChild(t *testing.T, dir string) (c client, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return client{t: t, url: "http://" + strings.TrimSpace(line)}, func() {
		cmd.Process.Kill()
		cmd.Wait()
	}
}

// pushUntilKilled pushes an image with a layer of its own and one that all share; false when nobody answers.
func (c client) pushUntilKilled(tag string, acknowledged *sync.Map) bool {
	shared, own := []byte("a layer of all"), randomBytes(70_000)
	m := v1.Manifest{MediaType: v1.MediaTypeImageManifest, Config: descriptor("application/vnd.example", []byte(tag)),
		Layers: []v1.Descriptor{descriptor(v1.MediaTypeImageLayer, shared), descriptor(v1.MediaTypeImageLayer, own)}}
	m.SchemaVersion = 2
	p := marshal(m)
	for {
		for _, b := range [][]byte{shared, own, []byte(tag)} {
			if !c.pushChunks(b) {
				return false
			}
		}
		a, err := c.try("PUT", "/v2/killed/manifests/"+tag, p, "Content-Type", typeOf(p))
		if err != nil {
			return false
		}
		if a.StatusCode == http.StatusCreated {
			acknowledged.Store(tag, p)
			return true
		}
		if a.code() != "MANIFEST_BLOB_UNKNOWN" {
			c.t.Errorf("push: %d %s", a.StatusCode, a.body)
			return false
		}
	}
}

// pushChunks brings a blob; false when nobody answers. One that a collection took away at once is found missing by the
// push of the manifest.
func (c client) pushChunks(p []byte) bool {
	a, err := c.try("POST", "/v2/killed/blobs/uploads/", nil)
	if err != nil {
		return false
	}
	if a, err = c.try("PATCH", c.url+location(a, ""), p); err != nil {
		return false
	}
	_, err = c.try("PUT", c.url+location(a, "digest="+string(digest.FromBytes(p))), nil)
	return err == nil
}
