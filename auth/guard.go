package auth

import (
	"context"
	"fmt"
	"hash/maphash"
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
	// friends are the networks from which a user signed in since the start, with their own failures.
	friends *recent[friend, stranger]
	// inside bounds the attempts at a time; lanes let one attempt for a name in at a time, so that many at once are not
	// all let in before the first has failed. Which names share a lane, nobody outside can know.
	inside chan struct{}
	lanes  [64]chan struct{}
	seed   maphash.Seed
}

// attemptsAtOnce bounds the attempts that are checked or wait to be.
const attemptsAtOnce = 256

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
	g := &guard{
		addresses: newRecent[netip.Prefix, bucket](10_000),
		strangers: newRecent[string, stranger](10_000),
		friends:   newRecent[friend, stranger](10_000),
		inside:    make(chan struct{}, attemptsAtOnce),
		seed:      maphash.MakeSeed(),
	}
	for i := range g.lanes {
		g.lanes[i] = make(chan struct{}, 1)
	}
	return g
}

// enter waits until no other attempt for the name is being checked. An attempt of a friend does not wait for those of
// strangers.
func (g *guard) enter(ctx context.Context, name, address string) (leave func(), err error) {
	select {
	case g.inside <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	if g.knows("user:"+name, address) {
		name += "\x00" + network(address).String()
	}
	lane := g.lanes[maphash.String(g.seed, name)%uint64(len(g.lanes))]
	select {
	case lane <- struct{}{}:
		return func() { <-lane; <-g.inside }, nil
	case <-ctx.Done():
		<-g.inside
		return nil, fmt.Errorf("waiting to sign in: %w", ctx.Err())
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

// charge takes a failure from an address before it is known whether it is one, so that many attempts at once count too;
// refund gives it back. With none left it returns how long the address has to wait, and whether that is worth a record:
// at most one a minute is.
func (g *guard) charge(address string, now time.Time) (wait time.Duration, tell bool) {
	g.addresses.change(network(address), func(b bucket) bucket {
		b = b.filled(now)
		if b.spent <= addressFailures-1 {
			b.spent++
			return b
		}
		wait = time.Duration((b.spent - addressFailures + 1) * float64(addressRefill))
		if tell = now.Sub(b.told) >= time.Minute; tell {
			b.told = now
		}
		return b
	})
	return wait, tell
}

func (g *guard) refund(address string, now time.Time) {
	g.addresses.change(network(address), func(b bucket) bucket {
		b = b.filled(now)
		b.spent = max(0, b.spent-1)
		return b
	})
}

// until is when the next attempt is taken: for a friend of the user, for the user, or for a name that no user has.
func (g *guard) until(a attempt, u User) time.Time {
	if g.knows(u.ID, a.address) {
		f, _ := g.friends.get(friend{u.ID, network(a.address)})
		return f.until
	}
	if u.ID != "" {
		return u.LockedUntil
	}
	s, _ := g.strangers.get(a.name)
	return s.until
}

func (s stranger) failed(now time.Time) stranger {
	s.failures++
	s.until = now.Add(pause(s.failures))
	return s
}

// befriend forgets the failures from the network, too.
func (g *guard) befriend(user, address string) {
	g.friends.put(friend{user, network(address)}, stranger{})
}

// knows reports whether a user signed in from the network before, or the request comes from the hub's own machine: such
// addresses are not kept out by other people's failures, only by their own.
func (g *guard) knows(user, address string) bool {
	if user == "" {
		return false
	}
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
