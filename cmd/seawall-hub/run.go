package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/klog/v2"

	"github.com/seawall/seawall/api"
	"github.com/seawall/seawall/auth/listen"
	"github.com/seawall/seawall/console"
)

// serve runs a hub until ctx ends.
func serve(ctx context.Context, c *config, t terminal) error {
	log, err := c.logger(t.err)
	if err != nil {
		return usageError{err}
	}
	klog.SetSlogLogger(log.With(slog.String("library", "tessera"))) // which writes to standard error otherwise
	if err := private(c.DataDir); err != nil {
		return err
	}
	unlock, err := lock(c.DataDir)
	if err != nil {
		return err
	}
	defer unlock()
	listeners, err := c.listen(ctx, log)
	if err != nil {
		return usageError{err}
	}
	h, err := openHub(ctx, c, log)
	if err != nil {
		return errors.Join(err, closeAll(listeners))
	}
	err = h.run(ctx, listeners, t)
	return errors.Join(err, h.close())
}

// lock keeps a second hub off the directory. Hubs that share a PostgreSQL have a directory each.
func lock(dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("another hub runs on %s: stop it first, or give this one its own --data-dir", dir)
	}
	return func() { f.Close() }, nil
}

// listen opens all listeners, and learns the port where the system chose it.
func (c *config) listen(ctx context.Context, log *slog.Logger) (out []*listen.Listener, err error) {
	for i := range c.Listeners {
		l, err := c.open(ctx, &c.Listeners[i], log)
		if err != nil {
			return nil, errors.Join(err, closeAll(out))
		}
		out = append(out, l)
		if i == 0 && c.guessed {
			c.Listeners[0].Address = l.Addr().String()
			c.PublicURL = guessURL(c.Listeners[0])
		}
	}
	return out, nil
}

func (c *config) open(ctx context.Context, l *listener, log *slog.Logger) (*listen.Listener, error) {
	cfg := listen.Config{Address: l.Address, Allow: l.Allow, Serve: l.Serve}
	switch {
	case l.Cert != "":
		cfg.TLS = listen.TLS{Cert: l.Cert, Key: l.Key, ClientCA: l.ClientCA}
	case !l.PlainHTTP:
		own, err := listen.SelfSigned(filepath.Join(c.DataDir, "tls"), c.hosts(), time.Now())
		if err != nil {
			return nil, err
		}
		log.InfoContext(ctx, "serving with a certificate of the hub's own: clients have to trust its authority", slog.String("ca", own.CA))
		cfg.TLS = own.TLS
		cfg.TLS.ClientCA = l.ClientCA
	}
	return listen.Open(ctx, cfg, log)
}

// hosts are the names that the hub's own certificate is for.
func (c *config) hosts() []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	if name, err := os.Hostname(); err == nil {
		hosts = append(hosts, name)
	}
	if name := hostOf(c.PublicURL); name != "" {
		hosts = append(hosts, name)
	}
	for _, l := range c.Listeners {
		host, _, err := net.SplitHostPort(l.Address)
		if ip := net.ParseIP(host); err == nil && host != "" && (ip == nil || !ip.IsUnspecified()) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

func closeAll(all []*listen.Listener) (err error) {
	for _, l := range all {
		err = errors.Join(err, l.Close())
	}
	return err
}

// run serves and works until ctx ends, or until a part of it fails for good.
func (h *hub) run(ctx context.Context, listeners []*listen.Listener, t terminal) error {
	welcome, err := h.welcome(ctx)
	if err != nil {
		return errors.Join(err, closeAll(listeners))
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, f := range h.background() {
		g.Go(func() error { return f(ctx) })
	}
	handler := h.handler()
	for _, l := range listeners {
		g.Go(func() error { return h.serveOn(ctx, l, handler) })
	}
	fmt.Fprint(t.out, welcome)
	h.log.InfoContext(ctx, "ready", slog.String("url", h.config.PublicURL), slog.Duration("after", time.Since(h.started)))
	return g.Wait()
}

// stopWithin bounds how long requests that are under way may take when the hub stops.
const stopWithin = 20 * time.Second

func (h *hub) serveOn(ctx context.Context, l *listen.Listener, handler http.Handler) error {
	s := &http.Server{
		Handler: l.Only(handler), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		err := s.Shutdown(end)
		if errors.Is(err, context.DeadlineExceeded) {
			err = s.Close() // streams of events do not end by themselves
		}
		stopped <- err
	}()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// handler is everything that the hub serves.
func (h *hub) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/token", h.auth.TokenHandler())
	mux.Handle("/token/", h.auth.TokenHandler())
	mux.Handle("/signin/oidc/", h.auth.OIDCHandler())
	mux.Handle(api.Prefix+"/", h.api)
	if h.witness != nil {
		mux.Handle("POST /witness/add-checkpoint", h.witness)
	}
	mux.Handle("/", console.Handler())

	outer := http.NewServeMux()
	outer.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	outer.HandleFunc("GET /readyz", h.ready)
	outer.Handle("/", h.auth.Middleware(mux))
	protocol := h.auth.Middleware(h.pullThrough(h.registry))
	all := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isProtocol(r) {
			protocol.ServeHTTP(w, r) // a mux would clean the path: the registry answers a name that is none itself
			return
		}
		outer.ServeHTTP(w, r)
	})
	return api.Front{Log: h.log, Quiet: []string{"/healthz", "/readyz"}}.Wrap(steady(all, bodyWithin, isProtocol))
}

func isProtocol(r *http.Request) bool {
	return r.URL.Path == "/v2" || strings.HasPrefix(r.URL.Path, "/v2/")
}

// ready answers 200 while the state and the keys answer.
func (h *hub) ready(w http.ResponseWriter, r *http.Request) {
	if err := h.db.Ping(r.Context()); err != nil {
		h.log.WarnContext(r.Context(), "not ready", slog.Any("error", err))
		http.Error(w, "the state does not answer", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}
