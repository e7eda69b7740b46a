//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// hollow is a layer of one file that holds nothing but zeros. It is made as it is read, and is not compressed.
type hollow struct {
	size   int64 // of the file
	digest v1.Hash
}

func newHollow(t *testing.T, size int64) *hollow {
	t.Helper()
	h := sha256.New()
	if _, err := io.Copy(h, (&hollow{size: size}).content()); err != nil {
		t.Fatal(err)
	}
	return &hollow{size, v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))}}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func (l *hollow) content() io.Reader {
	var head bytes.Buffer
	_ = tar.NewWriter(&head).WriteHeader(&tar.Header{Name: "opt/hollow", Mode: 0o644, Size: l.size, Typeflag: tar.TypeReg})
	return io.MultiReader(&head, io.LimitReader(zeros{}, l.size+1024)) // with the end of the archive
}

func (l *hollow) length() int64                        { return 512 + l.size + 1024 }
func (l *hollow) Digest() (v1.Hash, error)             { return l.digest, nil }
func (l *hollow) DiffID() (v1.Hash, error)             { return l.digest, nil }
func (l *hollow) Compressed() (io.ReadCloser, error)   { return io.NopCloser(l.content()), nil }
func (l *hollow) Uncompressed() (io.ReadCloser, error) { return io.NopCloser(l.content()), nil }
func (l *hollow) Size() (int64, error)                 { return l.length(), nil }
func (l *hollow) MediaType() (types.MediaType, error)  { return types.OCIUncompressedLayer, nil }
func (l *hollow) sum(r io.Reader) (hash.Hash, int64, error) {
	h := sha256.New()
	n, err := io.Copy(h, r)
	return h, n, err
}

// A layer of more than two gibibytes goes in, is scanned, and comes out as it was, whole and in parts; with encryption
// on, too.
func TestHubLargeLayer(t *testing.T) {
	if testing.Short() {
		t.Skip("moves gigabytes")
	}
	l := newHollow(t, 2<<30+512)
	u := withMadeUp(t, newUser(t))
	h := startHub(t, hubConfig{advisories: u.dbDir(), args: []string{"--key-provider", "file:" + t.TempDir() + "/key"}})
	img, err := mutate.AppendLayers(debian(t, vulnerable, "large"), l)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	digest := h.push("team/large", "1", img)
	t.Logf("pushed in %s", time.Since(begin))
	begin = time.Now()
	if m := h.scanned("team/large", digest); m.Scan.Counts.Critical != 1 || m.Size < 2<<30 {
		t.Errorf("%d critical findings in %d bytes; want 1 in more than 2 GiB", m.Scan.Counts.Critical, m.Size)
	}
	t.Logf("scanned in %s", time.Since(begin))
	begin = time.Now()
	ref, err := h.reference("team/large@" + digest)
	if err != nil {
		t.Fatal(err)
	}
	got, err := remote.Image(ref, h.as(login{"admin", adminPassword})...)
	if err != nil {
		t.Fatal(err)
	}
	layer, err := got.LayerByDigest(l.digest)
	if err == nil {
		err = drain(layer) // which checks the digest
	}
	if err != nil {
		t.Errorf("pulling: %v", err)
	}
	t.Logf("pulled in %s", time.Since(begin))
	// A part that begins beyond the first two gibibytes.
	req, err := http.NewRequest("GET", fmt.Sprintf("%s/v2/team/large/blobs/%s", h.url, l.digest), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("admin", adminPassword)
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", int64(2<<30), int64(2<<30)+99))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, n, err := l.sum(res.Body); res.StatusCode != http.StatusPartialContent || n != 100 || err != nil {
		t.Errorf("a part: %d, %d bytes, %v", res.StatusCode, n, err)
	}
}

// A client that is killed while it pushes leaves nothing that is served, and its next try goes through.
func TestHubClientKilled(t *testing.T) {
	need(t, "skopeo")
	u := withMadeUp(t, newUser(t))
	h := startHub(t, hubConfig{advisories: u.dbDir()})
	pusher := h.person("pusher", "pusher")
	img := adding(t, debian(t, clean, "killed"), noise(64<<20), noise(8<<20))
	file := saved(t, img, "made/up:1")
	args := []string{"--insecure-policy", "copy", "--dest-tls-verify=false", "--dest-creds=" + pusher.String(), "docker-archive:" + file, "docker://" + h.host + "/team/killed:1"}
	killed := 0
	for i := range 10 {
		cmd := exec.Command("skopeo", args...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(50+i*40) * time.Millisecond)
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		if cmd.Wait() != nil {
			killed++
			if _, err := h.tryResolve("team/killed:1"); err == nil {
				break // it was killed after the push
			} else if !strings.Contains(err.Error(), "404") && !strings.Contains(err.Error(), "MANIFEST_UNKNOWN") && !strings.Contains(err.Error(), "NAME_UNKNOWN") {
				t.Fatalf("asking for what was never pushed: %v", err)
			}
		}
	}
	t.Logf("killed %d times", killed)
	call(t, "skopeo", args...)
	digest := h.resolve("team/killed:1")
	if err := h.fetch(pusher, "team/killed", digest); err != nil {
		t.Errorf("after %d killed pushes: %v", killed, err)
	}
	h.scanned("team/killed", digest)
}
