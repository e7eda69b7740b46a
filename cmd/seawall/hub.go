package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seawall/seawall/api/client"
	"github.com/seawall/seawall/internal/durable"
)

// hubFlags say which hub a command speaks to, and how its answer is shown.
type hubFlags struct {
	url, ca string
	output  string
}

func (f *hubFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.url, "hub", "", "`URL` of the hub (default: SEAWALL_HUB, else the one of `seawall login`)")
	fs.StringVar(&f.ca, "ca-cert", "", "PEM `FILE` of certificates to trust for the hub")
	fs.StringVarP(&f.output, "output", "o", "text", "text or json")
}

// signedIn is what login keeps, readable by its owner alone.
type signedIn struct {
	URL   string `json:"url"`
	Name  string `json:"name"`
	Token string `json:"token"`
	ID    string `json:"id"` // of the token
	CA    string `json:"ca,omitempty"`
}

// signInFile follows the XDG base directory specification; SEAWALL_CONFIG_DIR comes first.
func signInFile(t terminal) string {
	if dir, ok := t.env("SEAWALL_CONFIG_DIR"); ok && dir != "" {
		return filepath.Join(dir, "hub.json")
	}
	return filepath.Join(xdg(t, "XDG_CONFIG_HOME", ".config"), "seawall", "hub.json")
}

func readSignIn(t terminal) (s signedIn, err error) {
	b, err := readBounded(signInFile(t), 1<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("reading the sign-in: %w", err)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("reading %s: %w (remove it and sign in again)", signInFile(t), err)
	}
	return s, nil
}

// connect returns a client of the hub: SEAWALL_TOKEN for scripts, else what login keeps for that hub.
func (f *hubFlags) connect(t terminal) (*client.Client, error) {
	if f.output != "text" && f.output != "json" {
		return nil, usagef("unknown output %q: want text or json", f.output)
	}
	kept, err := readSignIn(t)
	if err != nil {
		return nil, exitError{code: exitUsage, err: err}
	}
	c := client.Config{URL: f.address(t, kept.URL), Agent: "seawall/" + version}
	if token, ok := t.env("SEAWALL_TOKEN"); ok && token != "" {
		c.Token = token
	} else if kept.URL == c.URL {
		c.Token = kept.Token
	}
	if c.URL == "" || c.Token == "" {
		return nil, usagef("which hub, as whom? `seawall login URL` first, or set SEAWALL_HUB and SEAWALL_TOKEN")
	}
	if c.CA = []byte(kept.CA); f.ca != "" {
		if c.CA, err = readBounded(f.ca, 1<<20); err != nil {
			return nil, exitError{code: exitUsage, err: fmt.Errorf("reading the CA file: %w", err)}
		}
	}
	out, err := client.New(c)
	if err != nil {
		return nil, exitError{code: exitUsage, err: err}
	}
	return out, nil
}

func (f *hubFlags) address(t terminal, kept string) string {
	url := f.url
	if url == "" {
		url, _ = t.env("SEAWALL_HUB")
	}
	if url == "" {
		url = kept
	}
	return normalURL(url)
}

// normalURL takes host:port for https://host:port.
func normalURL(url string) string {
	if url != "" && !strings.Contains(url, "://") {
		url = "https://" + url
	}
	return strings.TrimRight(url, "/")
}

// hubError makes what the hub answered, or that it did not, an error of the command line.
func hubError(err error) error {
	var already exitError
	var answer *client.Error
	switch {
	case err == nil || errors.As(err, &already):
		return err
	case errors.Is(err, context.Canceled):
		return exitError{code: exitUsage, err: errors.New("interrupted")}
	case errors.As(err, &answer) && answer.Status == http.StatusUnauthorized:
		return exitError{code: exitUsage, err: fmt.Errorf("the hub does not take the sign-in: %w (`seawall login` again)", err)}
	}
	return exitError{code: exitUsage, err: err}
}

// command makes a command of run, which gets a client.
func (f *hubFlags) command(t terminal, cmd *cobra.Command, run func(ctx context.Context, c *client.Client, args []string) error) *cobra.Command {
	f.register(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := f.connect(t)
		if err != nil {
			return err
		}
		return hubError(run(cmd.Context(), c, args))
	}
	return cmd
}

// print writes v as JSON or lets text write it.
func (f *hubFlags) print(t terminal, v any, text func(io.Writer) error) error {
	if f.output == "json" {
		return json.NewEncoder(t.out).Encode(v)
	}
	return text(t.out)
}

// take gathers what a listing of the hub gives and is wanted, at most limit of it; 0 is all.
func take[T any](list iter.Seq2[T, error], limit int, wanted func(*T) bool) (all []T, err error) {
	for v, err := range list {
		if err != nil {
			return nil, err
		}
		if !wanted(&v) {
			continue
		}
		if all = append(all, v); len(all) == limit {
			break
		}
	}
	return all, nil
}

// save keeps the sign-in.
func (s *signedIn) save(t terminal) error {
	file := signInFile(t)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return durable.Write(file, b)
}
