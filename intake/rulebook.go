package intake

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/seawall/seawall/catalog"
)

// ruleBook remembers the rules, and what they come to for each repository, for a short while.
type ruleBook struct {
	mu        sync.Mutex
	read      time.Time
	rules     []catalog.Rule
	effective map[string]catalog.Effective
}

// effective is what holds for a repository. The answer is shared: do not change what its pointers lead to.
func (s *Service) effective(ctx context.Context, repository string) (catalog.Effective, error) {
	b := &s.rules
	b.mu.Lock()
	defer b.mu.Unlock()
	now := s.Now()
	if b.effective == nil || now.Sub(b.read) > s.Memory || now.Before(b.read) {
		rules, err := s.Catalog.Rules(ctx)
		if err != nil {
			return catalog.Effective{}, fmt.Errorf("reading the rules: %w", err)
		}
		b.rules, b.read, b.effective = rules, now, map[string]catalog.Effective{}
	}
	e, ok := b.effective[repository]
	if !ok {
		e = catalog.Resolve(repository, b.rules)
		if len(b.effective) < maxRemembered {
			b.effective[repository] = e
		}
	}
	return e, nil
}

func (b *ruleBook) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.effective = nil
}
