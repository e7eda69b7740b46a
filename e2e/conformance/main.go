// Command conformance serves a registry on loopback, for the distribution specification's own suite and for load.
//
// It promises the registry of package registry and nothing around it: anybody may do everything. It leaves out the hub.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/seawall/seawall/registry"
	"github.com/seawall/seawall/registry/directory"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	dir := flag.String("dir", "", "`directory` of the storage; a new one without it")
	listen := flag.String("listen", "127.0.0.1:0", "loopback `address`")
	seal := flag.Bool("sealed", false, "seal what is stored, with a key of this program")
	flag.Parse()
	if *dir == "" {
		made, err := os.MkdirTemp("", "seawall-conformance-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(made)
		*dir = made
	}
	r, err := open(ctx, *dir, *seal)
	if err != nil {
		return err
	}
	defer r.Close()
	return serve(ctx, *listen, r)
}

func open(ctx context.Context, dir string, seal bool) (*registry.Registry, error) {
	d, err := directory.Open(dir)
	if err != nil {
		return nil, err
	}
	c := registry.Config{Storage: d, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	if seal {
		c.Keys = oneKey{}
	}
	return registry.New(ctx, c)
}

// serve prints where it serves on a line of its own, and ends with ctx.
func serve(ctx context.Context, address string, h http.Handler) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		s.Close()
	}()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// oneKey is a key that is no secret: it shows that sealing changes nothing for clients.
type oneKey struct{}

func (k oneKey) Current(ctx context.Context) (string, []byte, error) {
	key, err := k.Key(ctx, "test")
	return "test", key, err
}

func (oneKey) Key(_ context.Context, id string) ([]byte, error) {
	key := sha256.Sum256([]byte("no secret: " + id))
	return key[:], nil
}
