package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// registries compares pushes and pulls: docker-registry, which is open and knows nobody, with a whole hub that asks who
// may, scans and keeps records, once plain and once encrypted.
func (b *bench) registries(ctx context.Context) error {
	var all []*registry
	if b.peer != "" {
		r, stop, err := b.startPeer(ctx)
		if err != nil {
			return err
		}
		defer stop()
		all = append(all, r)
	}
	kek := filepath.Join(b.work, "kek") // the hub makes it
	for _, form := range []struct {
		name string
		args []string
	}{{"seawall", nil}, {"seawall encrypted", []string{"--key-provider", "file:" + kek}}} {
		h, err := b.start(ctx, filepath.Join(b.work, form.name), append(form.args, "--log-level", "error")...)
		if err != nil {
			return err
		}
		defer h.stop()
		all = append(all, &registry{name: form.name, url: h.url, login: h, client: newClient()})
	}
	if err := b.load.compare(all); err != nil {
		return err
	}
	report(all, b.load)
	for _, r := range all {
		if r.login != nil {
			row(r.name+", GET of a manifest, p99", float64(r.gets[len(r.gets)*99/100].Microseconds())/1000, 10, "ms")
		}
	}
	return nil
}

func newClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost, t.DisableCompression = 32, true
	return &http.Client{Transport: t, Timeout: 5 * time.Minute}
}

// startPeer runs docker-registry on a port that is free.
func (b *bench) startPeer(ctx context.Context) (*registry, func(), error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	address := l.Addr().String()
	l.Close()
	file := filepath.Join(b.work, "peer.yml")
	text := fmt.Sprintf("version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: %q}\n",
		filepath.Join(b.work, "peer"), address)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(b.peer, "serve", file)
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	stop := func() { cmd.Process.Kill(); cmd.Wait() }
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return &registry{name: "docker-registry", url: "http://" + address, client: newClient()}, stop, nil
		}
	}
	stop()
	return nil, nil, fmt.Errorf("%s does not answer", b.peer)
}
