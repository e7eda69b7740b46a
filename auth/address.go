package auth

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Address returns where a request comes from: the peer, or where that is a trusted proxy the last address of
// X-Forwarded-For that is none. What stands before that one, anybody can write.
func (s *Authority) Address(r *http.Request) string {
	peer, ok := peerOf(r.RemoteAddr)
	if !ok {
		return ""
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusts(peer); i-- {
		hop, ok := peerOf(strings.TrimSpace(hops[i]))
		if !ok {
			break
		}
		peer = hop
	}
	return peer.String()
}

func (s *Authority) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(s.cfg.Proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

func peerOf(text string) (netip.Addr, bool) {
	if p, err := netip.ParseAddrPort(text); err == nil {
		return p.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(text)
	return a.Unmap().WithZone(""), err == nil
}
