package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A body that does not come ends the request; one that goes on does not, however long it takes as a whole.
func TestSteady(t *testing.T) {
	const within = 200 * time.Millisecond
	s := httptest.NewServer(steady(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			http.Error(w, "broken", http.StatusBadRequest)
			return
		}
		select { // the deadline must not end what is done with the body
		case <-r.Context().Done():
			http.Error(w, "ended", http.StatusConflict)
		case <-time.After(2 * within):
		}
	}), within, func(r *http.Request) bool { return r.URL.Path == "/large" }))
	defer s.Close()
	send := func(path string, parts int, end bool) int {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n", path)
		for range parts {
			time.Sleep(within / 2)
			io.WriteString(c, "x")
		}
		if end {
			io.WriteString(c, strings.Repeat("x", 8-parts))
		}
		a, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		return a.StatusCode
	}
	for _, c := range []struct {
		path  string
		parts int
		end   bool
		want  int
	}{{"/small", 0, true, 200}, {"/small", 0, false, 400}, {"/small", 7, true, 400}, {"/large", 7, true, 200}, {"/large", 2, false, 400}} {
		if got := send(c.path, c.parts, c.end); got != c.want {
			t.Errorf("%s, %d parts: %d; want %d", c.path, c.parts, got, c.want)
		}
	}
}
