package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// maxBreaks is how often a download may break off before it fails, though each connection brought something.
const maxBreaks = 20

// download reads a blob as one stream, whatever becomes of the connection: where it breaks off or stalls, the rest is
// asked for. It ends in an error unless the blob has its size; whoever stores it verifies the digest.
type download struct {
	ctx    context.Context
	from   *remote
	blob   *v1.Descriptor
	tell   func(n int)
	body   io.ReadCloser
	cancel context.CancelFunc
	stall  *time.Timer
	at     int64 // the place of the next byte
	since  int64 // where the connection began
	breaks int
	stuck  int   // breaks in a row that brought nothing
	failed error // what made it end
}

func (r *remote) blob(ctx context.Context, b *v1.Descriptor, tell func(n int)) *download {
	return &download{ctx: ctx, from: r, blob: b, tell: tell, since: -1}
}

func (d *download) Read(p []byte) (int, error) {
	for d.failed == nil {
		if d.body == nil {
			if d.at == d.blob.Size && d.since >= 0 {
				return 0, io.EOF
			}
			if d.failed = d.open(); d.failed != nil {
				break
			}
		}
		n, err := d.piece(p)
		if n > 0 || err == io.EOF {
			return n, err
		}
		if err != nil {
			d.failed = d.broke(err)
		}
	}
	return 0, d.failed
}

// piece reads from the open connection. It returns io.EOF at the end of the blob alone.
func (d *download) piece(p []byte) (int, error) {
	d.stall.Reset(d.from.client.Limits.Stall)
	n, err := d.body.Read(p)
	d.at += int64(n)
	if d.at > d.blob.Size {
		d.failed = fmt.Errorf("%w: more than the %d bytes that the manifest names", ErrContent, d.blob.Size)
		return 0, d.failed
	}
	if n > 0 {
		d.tell(n)
		return n, nil
	}
	if err == io.EOF && d.at == d.blob.Size {
		d.close()
		return 0, io.EOF
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return 0, err
}

// broke gives up the connection and says whether that is the end.
func (d *download) broke(err error) error {
	d.close()
	if d.failed != nil {
		return d.failed
	}
	if d.ctx.Err() != nil {
		return context.Cause(d.ctx)
	}
	d.breaks++
	d.stuck++
	if d.at > d.since {
		d.stuck = 0
	}
	if d.breaks > maxBreaks || d.stuck >= attempts {
		return fmt.Errorf("%w: the download broke off at byte %d of %d: %w", ErrUnavailable, d.at, d.blob.Size, err)
	}
	return d.from.client.pause(d.ctx, d.stuck)
}

// open asks for the blob from the place on that was reached.
func (d *download) open() error {
	ctx, cancel := context.WithCancel(d.ctx)
	stall := time.AfterFunc(d.from.client.Limits.Stall, cancel)
	var a *http.Response
	err := d.from.again(ctx, func() (err error) {
		stall.Reset(d.from.client.Limits.Stall)
		header, ok := http.Header{}, []int{http.StatusOK}
		if d.at > 0 {
			header.Set("Range", "bytes="+strconv.FormatInt(d.at, 10)+"-")
			ok = append(ok, http.StatusPartialContent)
		}
		a, err = d.from.do(ctx, http.MethodGet, "/blobs/"+string(d.blob.Digest), header, ok...)
		return err
	})
	if err == nil {
		d.body, d.cancel, d.stall, d.since = a.Body, cancel, stall, d.at
		if err = d.skip(a); err == nil {
			return nil
		}
		d.body.Close()
		d.body = nil
	}
	stall.Stop()
	cancel()
	if d.ctx.Err() != nil {
		return context.Cause(d.ctx)
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%w: no answer in %s", ErrUnavailable, d.from.client.Limits.Stall)
	}
	return err
}

// skip passes over what is there already where the source sends all of it again, and refuses what is not the rest.
func (d *download) skip(a *http.Response) error {
	rest := d.blob.Size
	if a.StatusCode == http.StatusPartialContent {
		if !strings.HasPrefix(a.Header.Get("Content-Range"), "bytes "+strconv.FormatInt(d.at, 10)+"-") {
			return fmt.Errorf("%w: another range than the one that was asked for", ErrContent)
		}
		rest -= d.at
	}
	if a.ContentLength >= 0 && a.ContentLength != rest {
		return fmt.Errorf("%w: %d bytes, the manifest names %d", ErrContent, a.ContentLength, rest)
	}
	if a.StatusCode == http.StatusPartialContent || d.at == 0 {
		return nil
	}
	if _, err := io.CopyN(io.Discard, a.Body, d.at); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

func (d *download) close() {
	if d.body == nil {
		return
	}
	d.stall.Stop()
	d.cancel()
	d.body.Close()
	d.body = nil
}

// Close ends the download.
func (d *download) Close() error {
	d.close()
	return nil
}
