package main

import (
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/seawall/seawall/auth"
)

// inproc is a transport that hands requests to a handler of this process, as a principal of the hub's own. The scanner
// reads images through it: the same protocol, no socket, no password.
type inproc struct {
	handler http.Handler
	as      auth.Principal
}

// RoundTrip returns as soon as the handler has written its header; the body is a pipe.
func (t *inproc) RoundTrip(req *http.Request) (*http.Response, error) {
	in := req.Clone(auth.With(req.Context(), t.as))
	in.RequestURI = in.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:0"
	in.Host = req.URL.Host
	if in.Body == nil {
		in.Body = http.NoBody
	}
	body, w := io.Pipe()
	rw := &pipeWriter{header: http.Header{}, body: w, head: req.Method == http.MethodHead, ready: make(chan struct{})}
	go func() {
		defer func() {
			if p := recover(); p != nil {
				rw.WriteHeader(http.StatusInternalServerError)
				w.CloseWithError(io.ErrUnexpectedEOF)
			}
		}()
		t.handler.ServeHTTP(rw, in)
		rw.WriteHeader(http.StatusOK)
		w.Close()
	}()
	select {
	case <-rw.ready:
	case <-req.Context().Done():
		body.CloseWithError(req.Context().Err())
		return nil, req.Context().Err()
	}
	return &http.Response{
		Status: http.StatusText(rw.status), StatusCode: rw.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: rw.sent, Body: body, ContentLength: contentLength(rw.sent), Request: req,
	}, nil
}

// pipeWriter is a http.ResponseWriter whose body is read at the other end of a pipe.
type pipeWriter struct {
	header, sent http.Header
	status       int
	body         *io.PipeWriter
	head         bool // nobody reads the body
	once         sync.Once
	ready        chan struct{}
}

func (w *pipeWriter) Header() http.Header { return w.header }

func (w *pipeWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.ready)
	})
}

func (w *pipeWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.head {
		return len(p), nil
	}
	return w.body.Write(p)
}

func contentLength(h http.Header) int64 {
	n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}
