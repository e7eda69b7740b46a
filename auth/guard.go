package auth

import (
	"net/netip"
	"time"
)

const (
	// A user's failures are free up to freeFailures; then each doubles the pause, from firstPause to lastPause.
	freeFailures = 5
	firstPause   = 5 * time.Second
	lastPause    = 5 * time.Minute
	// An address has addressFailures failures, and gets one back every addressRefill.
	addressFailures = 20
	addressRefill   = 6 * time.Second
)

// guard bounds how often passwords are guessed: by address here, by user in the store, and for names that no user has
// as if they had one. Its tables are bounded; when one is full, what was longest unused is forgotten.
type guard struct {
	addresses *recent[netip.Prefix, bucket]
	strangers *recent[string, stranger]
	// friends are the addresses from which a user signed in since the start, by user.
	friends *recent[friend, struct{}]
}

// bucket holds how many failures an address has left, at a time.
type bucket struct {
	spent float64
	at    time.Time
	// told is when its refusal was recorded last.
	told time.Time
}

type stranger struct {
	failures int
	until    time.Time
}

type friend struct {
	user    string
	network netip.Prefix
}

func newGuard() *guard {
	return &guard{
		addresses: newRecent[netip.Prefix, bucket](10_000),
		strangers: newRecent[string, stranger](10_000),
		friends:   newRecent[friend, struct{}](10_000),
	}
}

// pause is how long sign-in is refused after so many failures in a row.
func pause(failures int) time.Duration {
	if failures < freeFailures {
		return 0
	}
	return min(lastPause, firstPause<<min(failures-freeFailures, 10))
}

// network is what one person holds: an IPv4 address or an IPv6 /64. Text that is no address counts as one network.
func network(address string) netip.Prefix {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}
	}
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p
}

func (b bucket) filled(now time.Time) bucket {
	back := float64(now.Sub(b.at)) / float64(addressRefill)
	b.spent, b.at = max(0, b.spent-max(0, back)), now
	return b
}

// blocked returns how long an address has to wait, and whether that is worth a record: at most one a minute is.
func (g *guard) blocked(address string, now time.Time) (wait time.Duration, tell bool) {
	n := network(address)
	if _, ok := g.addresses.get(n); !ok {
		return 0, false
	}
	g.addresses.change(n, func(b bucket) bucket {
		b = b.filled(now)
		if b.spent > addressFailures-1 {
			wait = time.Duration((b.spent - addressFailures + 1) * float64(addressRefill))
			if tell = now.Sub(b.told) >= time.Minute; tell {
				b.told = now
			}
		}
		return b
	})
	return wait, tell
}

// failed charges an address.
func (g *guard) failed(address string, now time.Time) {
	g.addresses.change(network(address), func(b bucket) bucket {
		b = b.filled(now)
		b.spent++
		return b
	})
}

// strangerBlocked is for a name that no user has what LockedUntil is for a user.
func (g *guard) strangerBlocked(name string) time.Time {
	s, _ := g.strangers.get(name)
	return s.until
}

func (g *guard) strangerFailed(name string, now time.Time) {
	g.strangers.change(name, func(s stranger) stranger {
		s.failures++
		s.until = now.Add(pause(s.failures))
		return s
	})
}

func (g *guard) befriend(user, address string) {
	g.friends.put(friend{user, network(address)}, struct{}{})
}

// knows reports whether a user signed in from the network before, or the request comes from the hub's own machine: such
// addresses are not kept out by other people's failures.
func (g *guard) knows(user, address string) bool {
	if a, err := netip.ParseAddr(address); err == nil && a.Unmap().IsLoopback() {
		return true
	}
	_, ok := g.friends.get(friend{user, network(address)})
	return ok
}

// wait rounds up to full seconds.
func wait(d time.Duration) *Paused {
	return &Paused{For: max(time.Second, (d + time.Second - 1).Truncate(time.Second))}
}
