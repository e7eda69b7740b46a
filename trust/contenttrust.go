package trust

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// ContentTrust looks for Docker Content Trust (Notary version 1). Its trust data is in a server beside the registry and
// in the user's directory, never in the registry. It is detected and reported, not verified: its keys and roles are not
// those of any other form, and images that rely on it should be signed anew.
type ContentTrust struct {
	// Dir is docker's trust directory: ~/.docker/trust. "" is not looked at.
	Dir string
	// Server is the URL of a notary server. "" is not asked.
	Server string
	// Client asks Server; nil is http.DefaultClient.
	Client *http.Client
}

// Find returns a Signature, never Verified, for each place that has trust data of the subject's repository.
func (c *ContentTrust) Find(ctx context.Context, s Subject) ([]Signature, error) {
	var found []Signature
	local, err := c.local(s.Repository)
	if err != nil {
		return nil, fmt.Errorf("looking for Docker Content Trust: %w", err)
	}
	if local {
		found = append(found, contentTrust(s, "in docker's trust directory"))
	}
	served, err := c.served(ctx, s.Repository)
	if err != nil {
		return found, fmt.Errorf("looking for Docker Content Trust: %w", err)
	}
	if served {
		found = append(found, contentTrust(s, "on the notary server"))
	}
	return found, nil
}

func contentTrust(s Subject, where string) Signature {
	return Signature{Form: FormContentTrust, Kind: KindSignature, Subject: s.Digest, Repository: s.Repository, Problems: []Problem{*problem(Unsupported,
		"Docker Content Trust has data of this repository %s: it is not verified here; sign the image with Cosign or Notation", where)}}
}

// globalName is how Docker Content Trust names a repository: Docker Hub's are docker.io/….
func globalName(repository string) string {
	if rest, ok := strings.CutPrefix(repository, "index.docker.io/"); ok {
		return "docker.io/" + rest
	}
	return repository
}

func (c *ContentTrust) local(repository string) (bool, error) {
	if c.Dir == "" {
		return false, nil
	}
	dir, err := os.OpenRoot(c.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer dir.Close()
	_, err = dir.Stat("tuf/" + globalName(repository) + "/metadata/root.json")
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// served asks for the repository's root role (theupdateframework/notary, server API).
func (c *ContentTrust) served(ctx context.Context, repository string) (bool, error) {
	if c.Server == "" {
		return false, nil
	}
	at, err := url.JoinPath(c.Server, "v2", globalName(repository), "_trust", "tuf", "root.json")
	if err != nil {
		return false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return false, err
	}
	client := c.Client
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20)); err != nil {
		return false, err
	}
	switch res.StatusCode {
	case http.StatusOK:
		return true, nil
	case http.StatusNotFound:
		return false, nil
	}
	return false, fmt.Errorf("the notary server answered %s", res.Status)
}
