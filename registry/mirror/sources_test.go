package mirror

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"
)

// TestFromOurs: our own registry is a source like any other, with digests of both algorithms.
func TestFromOurs(t *testing.T) {
	from, to := sink(t, nil), sink(t, nil)
	s := httptest.NewServer(from)
	defer s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	ctx := t.Context()

	config := []byte(`{"os":"linux","architecture":"amd64"}`)
	long := digest.SHA512.FromBytes(config)
	if err := from.PutBlob(ctx, "app", string(long), strings.NewReader(string(config))); err != nil {
		t.Fatal(err)
	}
	m := []byte(`{"schemaVersion":2,"mediaType":"` + typeImage + `","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"` + string(long) + `","size":` + fmt.Sprint(len(config)) + `},"layers":[]}`)
	name := digest.SHA512.FromBytes(m)
	if _, err := from.PutManifestAs(ctx, "app", string(name), typeImage, m); err != nil {
		t.Fatal(err)
	}
	r, err := client().Copy(ctx, to, Source{Ref: host + "/app@" + string(name)}, Dest{Repository: "app", Tag: "long"}, nil)
	if err != nil || has(t, to, "app", "long") != string(name) {
		t.Errorf("by SHA-512: %+v, %v", r, err)
	}

	d := push(t, host+"/app:1", index(t, "linux/amd64", "linux/arm64"))
	sbom := about(t, host+"/app", d, "application/spdx+json")
	if r, err = client().Copy(ctx, to, Source{Ref: host + "/app:1"}, Dest{Repository: "app"}, nil); err != nil || has(t, to, "app", "1") != d || has(t, to, "app", sbom) == "" {
		t.Errorf("with referrers: %+v, %v", r, err)
	}
	tags, err := client().Tags(ctx, Source{Ref: host + "/app"}, nil)
	if err != nil || strings.Join(tags, " ") != "1" {
		t.Errorf("tags %v, %v", tags, err)
	}
}

var listening = regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`)

// dockerRegistry runs Debian's docker-registry, which knows no referrers API.
func dockerRegistry(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Skip("docker-registry is not in PATH")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yml")
	text := "version: 0.1\nstorage: {filesystem: {rootdirectory: " + dir + "/data}}\nhttp: {addr: '127.0.0.1:0'}\nlog: {level: info}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "serve", config)
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = cmd.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	found := make(chan string, 1)
	go func() {
		b := bufio.NewScanner(out)
		for b.Scan() {
			if m := listening.FindStringSubmatch(b.Text()); m != nil {
				found <- m[1]
				break
			}
		}
		io.Copy(io.Discard, out)
	}()
	select {
	case host := <-found:
		return host
	case <-time.After(20 * time.Second):
		t.Fatal("docker-registry does not listen")
	}
	return ""
}

func TestFromDockerRegistry(t *testing.T) {
	host, to := dockerRegistry(t), sink(t, nil)
	d := push(t, host+"/team/app:1", index(t, "linux/amd64", "linux/arm64"))
	sbom := about(t, host+"/team/app", d, "application/spdx+json") // under the tag that stands in for the API
	r, err := client().Copy(t.Context(), to, Source{Ref: host + "/team/app:1"}, Dest{Repository: "app"}, nil)
	if err != nil || has(t, to, "app", "1") != d || r.Manifests != 4 {
		t.Errorf("%+v, %v", r, err)
	}
	list, err := to.Referrers(t.Context(), "app", d, "")
	if err != nil || len(list) != 1 || string(list[0].Digest) != sbom {
		t.Errorf("referrers %+v, %v", list, err)
	}
	tags, err := client().Tags(t.Context(), Source{Ref: host + "/team/app"}, nil)
	if err != nil || strings.Join(tags, " ") != "1" {
		t.Errorf("tags %v, %v", tags, err)
	}
}

// BenchmarkCopy copies one layer of 64 MiB between registries of one machine.
func BenchmarkCopy(b *testing.B) {
	p := make([]byte, 64<<20)
	rand.Read(p)
	i, err := mutate.AppendLayers(empty.Image, static.NewLayer(p, types.DockerLayer))
	if err != nil {
		b.Fatal(err)
	}
	host := elsewhere(b)
	push(b, host+"/app:1", i)
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		to := sink(b, nil)
		b.StartTimer()
		if _, err := client().Copy(b.Context(), to, Source{Ref: host + "/app:1"}, Dest{Repository: "app"}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
