package client

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/url"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

// Images selects images; zero values select all.
type Images struct {
	Repository, Search, Status, Decision, Finding string
}

// Images lists images, newest push first.
func (c *Client) Images(ctx context.Context, q Images) iter.Seq2[catalog.Manifest, error] {
	return pages[catalog.Manifest](ctx, c, "/images", values("repository", q.Repository, "search", q.Search, "status", q.Status,
		"decision", q.Decision, "finding", q.Finding, "limit", "500"), "cursor")
}

func imagePath(repository, digest string) string {
	return "/repositories/" + url.PathEscape(repository) + "/images/" + url.PathEscape(digest)
}

// Image returns one image.
func (c *Client) Image(ctx context.Context, repository, digest string) (m catalog.Manifest, err error) {
	err = c.get(ctx, imagePath(repository, digest), nil, &m)
	return m, err
}

// Result returns the newest result of an image, whole.
func (c *Client) Result(ctx context.Context, repository, digest string) (r finding.Result, err error) {
	err = c.get(ctx, imagePath(repository, digest)+"/result", nil, &r)
	return r, err
}

// SBOM writes the bill of materials of an image: format "cyclonedx" or "spdx".
func (c *Client) SBOM(ctx context.Context, repository, digest, format string, w io.Writer) error {
	return c.stream(ctx, imagePath(repository, digest)+"/sbom", values("format", format), w)
}

// accepted is the answer of what goes on as a job.
type accepted struct {
	Job int64 `json:"job"`
}

// Scan orders a scan and returns its job.
func (c *Client) Scan(ctx context.Context, repository, digest string) (job int64, err error) {
	var a accepted
	err = c.send(ctx, http.MethodPost, imagePath(repository, digest)+"/scan", nil, &a)
	return a.Job, err
}

// Import copies an image from another registry; credential names one that the hub keeps, "" for none.
func (c *Client) Import(ctx context.Context, source, destination, credential string) (job int64, err error) {
	var a accepted
	body := map[string]string{"source": source, "destination": destination}
	if credential != "" {
		body["credential"] = credential
	}
	err = c.send(ctx, http.MethodPost, "/imports", body, &a)
	return a.Job, err
}
