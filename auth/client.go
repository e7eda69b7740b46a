package auth

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// maxAnswer bounds what is read from an issuer or a sign-in provider, in bytes.
const maxAnswer = 1 << 20

// newClient reaches issuers: with short limits, and without following redirects to other places than were configured.
func newClient() *http.Client {
	return &http.Client{
		Timeout:   10 * time.Second,
		Transport: limited{http.DefaultTransport},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > 3 || r.URL.Host != via[0].URL.Host || r.URL.Scheme != via[0].URL.Scheme {
				return errors.New("the issuer redirects elsewhere")
			}
			return nil
		},
	}
}

// limited cuts off answers that are too long: they then fail to parse.
type limited struct{ next http.RoundTripper }

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}
