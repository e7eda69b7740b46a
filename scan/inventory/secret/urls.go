package secret

import (
	"bytes"
	"net/url"
	"strings"
)

// databaseURL reads scheme://user:password@host, where at is the scheme's start.
func databaseURL(text []byte, at int, v *view) (hit, bool) {
	start, end, ok := urlPassword(text, at)
	if v.binary || !ok {
		return hit{}, false
	}
	return hit{"database-url", start, end}, true
}

// urlPassword finds the password in the URL at text[at:], with host and user that are no examples (RFC 3986, 3.2).
func urlPassword(text []byte, at int) (start, end int, ok bool) {
	authority := bytes.Index(text[at:min(len(text), at+16)], []byte("://"))
	if authority < 0 {
		return 0, 0, false
	}
	from := at + authority + 3
	rest := text[from:min(len(text), from+512)]
	if stop := bytes.IndexAny(rest, " \t\r\n\"'`<>/\\|,;()[]"); stop >= 0 {
		rest = rest[:stop]
	}
	sign := bytes.LastIndexByte(rest, '@')
	colon := bytes.IndexByte(rest, ':')
	if colon < 0 || sign < colon+2 {
		return 0, 0, false
	}
	user, password, host := string(rest[:colon]), string(rest[colon+1:sign]), string(rest[sign+1:])
	if exampleHost(host) || user == password || !secretValue(unescape(password)) {
		return 0, 0, false
	}
	return from + colon + 1, from + sign, true
}

func unescape(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// exampleHost knows hosts that no other machine reaches, and the names that RFC 2606 sets aside.
func exampleHost(host string) bool {
	host, _, _ = strings.Cut(strings.ToLower(host), ":")
	switch host {
	case "", "host", "hostname", "localhost", "127.0.0.1", "server":
		return true
	}
	return strings.Contains(host, "example.") || strings.HasSuffix(host, ".example") ||
		strings.HasSuffix(host, ".test") || strings.HasSuffix(host, ".invalid") || strings.ContainsAny(host, "{}$%<>*")
}

// urlsIn finds every URL of http or https with a password in it.
func urlsIn(rule string, text []byte) []hit {
	var hits []hit
	for at := 0; len(hits) < maxPerFile; {
		next := bytes.Index(text[at:], []byte("http"))
		if next < 0 {
			return hits
		}
		at += next
		if start, end, ok := urlPassword(text, at); ok {
			hits = append(hits, hit{rule, start, end})
		}
		at += len("http")
	}
	return hits
}
