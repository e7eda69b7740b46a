package main

import (
	"sync"

	"github.com/seawall/seawall/catalog"
)

// rulesBefore remembers the rules that were last acted upon.
type rulesBefore struct {
	mu    sync.Mutex
	rules []catalog.Rule
}

// swap remembers after and returns what was remembered.
func (b *rulesBefore) swap(after []catalog.Rule) []catalog.Rule {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.rules
	b.rules = after
	return before
}
