package registry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/seawall/seawall/registry"
)

func TestCollect(t *testing.T) {
	everywhere(t, func(t *testing.T, c client) {
		ctx := t.Context()
		keep, drop := c.image("gc"), c.image("gc")
		c.pushManifest("gc", "keep", index(keepChild(c, keep)))
		d := string(c.pushManifest("gc", "drop", drop))
		loose := c.pushBlob("gc", []byte("nothing names this"))
		stray := c.pushBlob("elsewhere", []byte("nor this"))

		young, err := c.reg.Collect(ctx, time.Hour)
		if err != nil || young.Blobs != 0 || young.Links != 0 {
			t.Fatalf("what is young went: %+v %v", young, err)
		}
		c.want(202, "", "DELETE", "/v2/gc/manifests/"+d, nil)
		soft, err := c.reg.Collect(ctx, -time.Hour)
		if err != nil || soft.Blobs != 2 || soft.Links != 2 {
			t.Fatalf("two blobs were loose: %+v %v", soft, err)
		}
		c.want(404, "BLOB_UNKNOWN", "GET", "/v2/gc/blobs/"+string(loose), nil)
		c.want(404, "BLOB_UNKNOWN", "GET", "/v2/elsewhere/blobs/"+string(stray), nil)
		if err := c.reg.Restore(ctx, "gc", d); err != nil {
			t.Fatalf("what is deleted softly is kept: %v", err)
		}
		c.whole("gc", d)

		c.want(202, "", "DELETE", "/v2/gc/manifests/"+d, nil)
		if err := c.reg.Purge(ctx, "gc", d); err != nil {
			t.Fatal(err)
		}
		hard, err := c.reg.Collect(ctx, -time.Hour)
		if err != nil || hard.Blobs != 3 || hard.Bytes < 3000 {
			t.Fatalf("a manifest and two blobs go: %+v %v", hard, err)
		}
		c.whole("gc", "keep")
		again, err := c.reg.Collect(ctx, -time.Hour)
		if err != nil || again.Blobs != 0 || again.Links != 0 {
			t.Fatalf("nothing was left: %+v %v", again, err)
		}
	})
}

// keepChild pushes an image without a tag: an index keeps it.
func keepChild(c client, p []byte) []byte {
	c.pushManifest("gc", "", p)
	return p
}

// whole checks that an image or index can be pulled with everything that it names.
func (c client) whole(repo, ref string) {
	c.t.Helper()
	a := c.want(200, "", "GET", "/v2/"+repo+"/manifests/"+ref, nil)
	var m struct {
		v1.Manifest
		Manifests []v1.Descriptor
	}
	if err := json.Unmarshal(a.body, &m); err != nil {
		c.t.Fatal(err)
	}
	for _, child := range m.Manifests {
		c.whole(repo, string(child.Digest))
	}
	if m.Config.Digest == "" {
		return
	}
	for _, d := range append(m.Layers, m.Config) {
		a := c.want(200, "", "GET", "/v2/"+repo+"/blobs/"+string(d.Digest), nil)
		if digest.FromBytes(a.body) != d.Digest {
			c.t.Fatalf("blob %s has other content", d.Digest)
		}
	}
}

// TestCollectWhilePushing: pushers share blobs, delete and push again, while collections with no grace at all run. A
// push may be told that a blob has gone, and then brings it again; what was acknowledged must be whole. Who collects may
// be another process on the same storage.
func TestCollectWhilePushing(t *testing.T) {
	for _, b := range backends()[:2] {
		for _, apart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s apart=%v", b.name, apart), func(t *testing.T) { collectWhilePushing(t, b.config(t), apart) })
		}
	}
}

func collectWhilePushing(t *testing.T, config registry.Config, apart bool) {
	c := serve(t, config)
	collects := c.reg
	if apart {
		collects = serve(t, config).reg
	}
	done := make(chan struct{})
	var collections, removed, refused atomic.Int64
	var collector sync.WaitGroup
	collector.Go(func() {
		for {
			got, err := collects.Collect(context.Background(), -time.Hour)
			if err != nil {
				t.Error(err)
			}
			collections.Add(1)
			removed.Add(int64(got.Blobs))
			select {
			case <-done:
				return
			default:
			}
		}
	})
	shared := [][]byte{[]byte("layer one"), []byte("layer two"), []byte("layer three")}
	var pushers sync.WaitGroup
	for i := range 4 {
		pushers.Go(func() {
			for n := range 30 {
				c.pushAndPull(fmt.Sprintf("repo/%d", i%2), fmt.Sprintf("t%d", i), shared, []byte(fmt.Sprint(i, n)), &refused)
			}
		})
	}
	pushers.Wait()
	close(done)
	collector.Wait()
	for i := range 4 {
		c.whole(fmt.Sprintf("repo/%d", i%2), fmt.Sprintf("t%d", i))
	}
	t.Logf("%d collections removed %d blobs, %d pushes had to bring something again", collections.Load(), removed.Load(), refused.Load())
}

// pushAndPull pushes an image of shared layers until it is acknowledged, pulls it whole, and deletes what stood there
// before for good.
func (c client) pushAndPull(repo, tag string, layers [][]byte, config []byte, refused *atomic.Int64) {
	old, _ := c.try("HEAD", "/v2/"+repo+"/manifests/"+tag, nil)
	m := v1.Manifest{MediaType: v1.MediaTypeImageManifest, Config: descriptor("application/vnd.example", config)}
	m.SchemaVersion = 2
	for _, l := range layers {
		m.Layers = append(m.Layers, descriptor(v1.MediaTypeImageLayer, l))
	}
	p := marshal(m)
	for {
		for _, l := range append(layers[:len(layers):len(layers)], config) {
			d := string(digest.FromBytes(l))
			if a, err := c.try("HEAD", "/v2/"+repo+"/blobs/"+d, nil); err == nil && a.StatusCode == http.StatusOK {
				continue
			}
			c.try("POST", "/v2/"+repo+"/blobs/uploads/?digest="+d, l)
		}
		a, err := c.try("PUT", "/v2/"+repo+"/manifests/"+tag, p, "Content-Type", typeOf(p))
		if err == nil && a.StatusCode == http.StatusCreated {
			break
		}
		if err != nil || a.code() != "MANIFEST_BLOB_UNKNOWN" {
			c.t.Errorf("push: %v %s", err, a.body)
			return
		}
		refused.Add(1)
	}
	c.pullWhole(repo, tag, p)
	if d := old.Header.Get("Docker-Content-Digest"); old.StatusCode == http.StatusOK && d != string(digest.FromBytes(p)) {
		if a, err := c.try("DELETE", "/v2/"+repo+"/manifests/"+d, nil); err != nil || a.StatusCode != http.StatusAccepted {
			c.t.Errorf("delete: %v %s", err, a.body)
		}
		c.reg.Purge(context.Background(), repo, d)
	}
}

func (c client) pullWhole(repo, ref string, want []byte) {
	a, err := c.try("GET", "/v2/"+repo+"/manifests/"+ref, nil)
	if err != nil || !bytes.Equal(a.body, want) {
		c.t.Errorf("pull: %v %d %s", err, a.StatusCode, a.body)
		return
	}
	var m v1.Manifest
	json.Unmarshal(a.body, &m)
	for _, d := range append(m.Layers, m.Config) {
		a, err := c.try("GET", "/v2/"+repo+"/blobs/"+string(d.Digest), nil)
		if err != nil || digest.FromBytes(a.body) != d.Digest {
			c.t.Errorf("an acknowledged image lost %s: %v %s", d.Digest, err, a.body)
		}
	}
}
