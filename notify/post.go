package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// maxAnswer bounds what is read of a target's answer.
const maxAnswer = 64 << 10

var errScheme = errors.New("the target's URL must begin with https:// or http://")

// post sends JSON and judges the answer. The start of the answer's body is told only where told is set: that of a
// chat says what it did not like; that of a webhook may be anybody's.
func (n *Notifier) post(ctx context.Context, t *Target, body []byte, header http.Header, told bool) error {
	u, err := url.Parse(t.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return permanent(errScheme)
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL, bytes.NewReader(body))
	if err != nil {
		return permanent(errScheme)
	}
	for k, v := range header {
		q.Header[k] = v
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("User-Agent", "seawall")
	r, err := n.http.Do(q)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(r.Body, maxAnswer))
	return n.judge(r, answer, told)
}

func (n *Notifier) judge(r *http.Response, answer []byte, told bool) error {
	if r.StatusCode/100 == 2 {
		return nil
	}
	said := ""
	if text := clip(oneLine(string(answer)), 200); told && text != "" {
		said = ": " + text
	}
	f := &failure{after: retryAfter(r.Header.Get("Retry-After"), n.Now())}
	switch {
	case r.StatusCode/100 == 3:
		f.err = fmt.Errorf("the target answers %d, a redirect, which is not followed: give the address that it leads to", r.StatusCode)
	case r.StatusCode == http.StatusGone:
		f.err, f.permanent = fmt.Errorf("the target answers 410: it is gone for good%s", said), true
	default:
		f.err = fmt.Errorf("the target answers %d %s%s", r.StatusCode, http.StatusText(r.StatusCode), said)
	}
	return f
}

// retryAfter reads seconds or a date; 0 where there is neither. Source: RFC 9110 section 10.2.3.
func retryAfter(v string, now time.Time) time.Duration {
	if s, err := strconv.Atoi(v); err == nil {
		return time.Duration(min(max(s, 0), 1<<20)) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
