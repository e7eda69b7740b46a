package intake

import (
	"context"
	"fmt"
	"sync"

	"github.com/seawall/seawall/catalog"
)

// pullCounts gathers pulls, which are stored every few seconds and not awaited.
type pullCounts struct {
	mu sync.Mutex
	by map[[2]string]*catalog.Pull
	// Dropped counts pulls that came when maxRemembered images were waiting to be stored.
	dropped int64
}

// Pulled notes that a manifest was served.
func (s *Service) Pulled(repository, digest string) {
	now := s.now()
	c := &s.pulls
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[[2]string]*catalog.Pull{}
	}
	key := [2]string{repository, digest}
	p := c.by[key]
	if p == nil {
		if len(c.by) >= maxRemembered {
			c.dropped++
			return
		}
		p = &catalog.Pull{Repository: repository, Digest: digest}
		c.by[key] = p
	}
	p.Count++
	p.Last = now
}

// FlushPulls stores the pulls that were gathered. Call it every few seconds and at the end. dropped counts those that
// could not be kept since the start.
func (s *Service) FlushPulls(ctx context.Context) (dropped int64, err error) {
	c := &s.pulls
	c.mu.Lock()
	by := c.by
	c.by = nil
	dropped = c.dropped
	c.mu.Unlock()
	if len(by) == 0 {
		return dropped, nil
	}
	pulls := make([]catalog.Pull, 0, len(by))
	for _, p := range by {
		pulls = append(pulls, *p)
	}
	if err := s.Catalog.NotePulls(ctx, pulls); err != nil {
		s.putBack(by)
		return dropped, fmt.Errorf("storing pulls: %w", err)
	}
	return dropped, nil
}

// putBack keeps pulls that could not be stored for the next time.
func (s *Service) putBack(by map[[2]string]*catalog.Pull) {
	c := &s.pulls
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[[2]string]*catalog.Pull{}
	}
	for key, p := range by {
		switch have := c.by[key]; {
		case have != nil:
			have.Count += p.Count
		case len(c.by) >= maxRemembered:
			c.dropped += p.Count
		default:
			c.by[key] = p
		}
	}
}
