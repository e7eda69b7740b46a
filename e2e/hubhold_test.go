//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/seawall/seawall/catalog"
)

// What is held is refused to each client by tag and by digest, with the reason; a reviewer gets it; an override
// releases it to all.
func TestHubHold(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	h := startHub(t, hubConfig{advisories: u.dbDir()})
	puller, reviewer := h.person("puller", "puller"), h.person("reviewer", "reviewer")
	h.call("POST", "/rules", object{"name": "production", "pattern": "prod/**", "mode": "enforce"}, nil)
	for name, start := range clients {
		t.Run(name, func(t *testing.T) {
			c := start(t)
			repository := "prod/" + name
			digest := h.push(repository, "1", debian(t, vulnerable, "held from "+name))
			h.becomes(repository, digest, catalog.Rejected)
			for _, ref := range []string{h.host + "/" + repository + ":1", h.host + "/" + repository + "@" + digest} {
				said, err := c.pull(t, h, puller, ref)
				if err == nil {
					t.Errorf("pulled %s, which is held", ref)
				}
				if !strings.Contains(said, "held: 1 critical finding") {
					t.Errorf("the refusal of %s names no reason:\n%s", ref, said)
				}
				if said, err := c.pull(t, h, reviewer, ref); err != nil {
					t.Errorf("a reviewer cannot pull %s: %v\n%s", ref, err, said)
				}
			}
			h.call("PUT", at(repository, digest)+"/override", object{"status": "released", "reason": "needed tonight"}, nil)
			if said, err := c.pull(t, h, puller, h.host+"/"+repository+":1"); err != nil {
				t.Errorf("released, and yet: %v\n%s", err, said)
			}
			h.call("DELETE", at(repository, digest)+"/override", nil, nil)
			if _, err := c.pull(t, h, puller, h.host+"/"+repository+":1"); err == nil {
				t.Error("pulled after the release was taken back")
			}
		})
	}
}

// An image is held until its verdict is there, and what nothing is known against is released by itself. Blobs of what
// is held are refused too, unless an image that is released has them as well.
func TestHubQuarantine(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	h := startHub(t, hubConfig{advisories: u.dbDir()})
	puller := h.person("puller", "puller")
	h.call("POST", "/rules", object{"name": "production", "pattern": "prod/**", "mode": "enforce"}, nil)
	bad, good := debian(t, vulnerable, "same mark"), debian(t, clean, "same mark")
	h.becomes("prod/app", h.push("prod/app", "bad", bad), catalog.Rejected)
	own, shared := layerOf(t, bad, 0), layerOf(t, bad, 1)
	if shared != layerOf(t, good, 1) {
		t.Fatal("the images share no layer")
	}
	get := func(digest string) (int, string) { return h.blob(puller, "prod/app", digest) }
	for _, digest := range []string{own, shared, configOf(t, bad)} {
		if code, body := get(digest); code != http.StatusForbidden || !strings.Contains(body, "DENIED") {
			t.Errorf("a blob of what is held: %d %s", code, body)
		}
	}
	h.becomes("prod/app", h.push("prod/app", "good", good), catalog.Released)
	h.until("the shared layer is served", func() bool { code, _ := get(shared); return code == http.StatusOK })
	if code, body := get(own); code != http.StatusForbidden {
		t.Errorf("a blob that only the held image has: %d %s", code, body)
	}
	// What is held in one repository does not come out by way of another.
	if code, body := h.blob(puller, "prod/other", own); code == http.StatusOK {
		t.Errorf("a held blob by way of another repository: %d %.80s", code, body)
	}
	h.call("POST", "/rules", object{"name": "nobody knows it", "pattern": "unknown/**", "mode": "enforce"}, nil)
	h.becomes("unknown/app", h.push("unknown/app", "1", adding(t, debian(t, clean, "x"), tarOf(t, map[string]string{
		"etc/os-release": "ID=nobodyslinux\nVERSION_ID=1\n"}))), catalog.Quarantined)
}

// A tag that never moves does not, and a repository takes no more than its quota.
func TestHubRules(t *testing.T) {
	h := startHub(t, hubConfig{})
	h.call("POST", "/rules", object{"name": "releases", "pattern": "rel/**", "tags": object{"immutable": []string{"v*"}}}, nil)
	h.call("POST", "/rules", object{"name": "small", "pattern": "small/**", "quota": 100 << 10}, nil)
	first := debian(t, clean, "first")
	h.push("rel/app", "v1", first)
	h.push("rel/app", "v1", first) // the same again moves nothing
	if err := h.tryPush("rel/app", "v1", debian(t, clean, "second")); err == nil || !strings.Contains(err.Error(), "never moves") {
		t.Errorf("moving a tag: %v", err)
	}
	h.push("rel/app", "latest", debian(t, clean, "second"))
	h.push("rel/app", "latest", debian(t, clean, "third"))
	big := adding(t, debian(t, clean, "big"), noise(200<<10))
	if err := h.tryPush("small/app", "1", big); err == nil || !strings.Contains(err.Error(), "quota") {
		t.Errorf("beyond the quota: %v", err)
	}
}

// blob asks the registry for a blob as somebody.
func (h *hub) blob(who login, repository, digest string) (int, string) {
	h.t.Helper()
	repo, err := name.NewRepository(h.host+"/"+repository, name.Insecure)
	if err != nil {
		h.t.Fatal(err)
	}
	ctx := h.t.Context()
	rt, err := transport.NewWithContext(ctx, repo.Registry, basic(who), http.DefaultTransport, []string{repo.Scope(transport.PullScope)})
	if err != nil {
		h.t.Fatal(err)
	}
	res, err := (&http.Client{Transport: rt}).Get(fmt.Sprintf("%s/v2/%s/blobs/%s", h.url, repository, digest))
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func layerOf(t *testing.T, img v1.Image, i int) string {
	t.Helper()
	all, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	return digestOf(t, all[i])
}

func configOf(t *testing.T, img v1.Image) string {
	t.Helper()
	d, err := img.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// fetch pulls everything of an image by digest and checks it against the digests.
func (h *hub) fetch(who login, repository, digest string) error {
	ref, err := h.reference(repository + "@" + digest)
	if err != nil {
		return err
	}
	img, err := remote.Image(ref, h.as(who)...)
	if err != nil {
		return err
	}
	if _, err := img.RawConfigFile(); err != nil {
		return err
	}
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	for _, l := range layers {
		if err := drain(l); err != nil {
			return err
		}
	}
	return nil
}

// drain reads a layer; the reader fails where the digest is not that of what was read.
func drain(l v1.Layer) error {
	r, err := l.Compressed()
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	if closed := r.Close(); err == nil {
		err = closed
	}
	return err
}

// Who pushes meets the hold too, but not while pushing: the same again, and another image on the same layers, go in.
func TestHubPushToEnforced(t *testing.T) {
	u := withMadeUp(t, newUser(t))
	h := startHub(t, hubConfig{advisories: u.dbDir()})
	pusher := h.person("pusher", "pusher")
	h.call("POST", "/rules", object{"name": "production", "pattern": "prod/**", "mode": "enforce"}, nil)
	for name, start := range clients {
		t.Run(name, func(t *testing.T) {
			c := start(t)
			ref := h.host + "/prod/" + name + ":1"
			bad := debian(t, vulnerable, "pushed twice by "+name)
			file := saved(t, bad, "made/up:1")
			c.push(t, h, pusher, file, ref)
			c.push(t, h, pusher, file, ref)
			digest := h.resolve("prod/" + name + ":1")
			h.becomes("prod/"+name, digest, catalog.Rejected)
			c.push(t, h, pusher, file, ref)
			c.push(t, h, pusher, saved(t, adding(t, bad, tarOf(t, map[string]string{"opt/more": "more"})), "made/up:2"), ref)
			if code, _ := h.blob(pusher, "prod/"+name, layerOf(t, bad, 0)); code == http.StatusOK {
				t.Error("who pushed gets the content of what is held")
			}
			// By a client that has none of it yet: an engine that pushed needs to fetch nothing.
			if err := h.fetch(pusher, "prod/"+name, digest); err == nil {
				t.Error("who pushed pulls what is held")
			}
		})
	}
}
