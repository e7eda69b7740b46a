package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/gate"
	"github.com/seawall/seawall/scan"
	"github.com/seawall/seawall/scan/advisory"
	"github.com/seawall/seawall/scan/database"
)

// judge holds the advisory database that is in place and decides by it. A database that is swapped while somebody reads
// is closed when the last reader is done.
type judge struct {
	dir string

	mu sync.RWMutex
	db *advisory.DB

	parsed   sync.Mutex
	policies map[string]*gate.Policy // by the gate file's text
}

func openJudge(dir string) (*judge, error) {
	db, err := database.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the advisory database: %w", err)
	}
	return &judge{dir: dir, db: db}, nil
}

// Reload opens the database that is in place now and reports whether it is another one than before.
func (j *judge) Reload() (changed bool, err error) {
	db, err := database.Open(j.dir)
	if err != nil {
		return false, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if db.Info().Digest == j.db.Info().Digest {
		return false, db.Close()
	}
	old := j.db
	j.db = db
	return true, old.Close()
}

func (j *judge) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.db.Close()
}

// Database says which database decides.
func (j *judge) Database() finding.Database { return j.Info().Database }

// Info is all that the database says of itself.
func (j *judge) Info() advisory.Info {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.db.Info()
}

// Lookup returns the records that have or name an id.
func (j *judge) Lookup(id string) ([]advisory.Entry, error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.db.Lookup(id)
}

// Use calls f with the database, which stays open until f returns.
func (j *judge) Use(f func(*advisory.DB) error) error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return f(j.db)
}

// Evaluate matches an inventory and asks the gate by the gate file in policy, "" for the default.
func (j *judge) Evaluate(inv finding.Inventory, policy string, s []finding.Suppression, now time.Time) (finding.Result, error) {
	p, err := j.policy(policy)
	if err != nil {
		return finding.Result{}, err
	}
	j.mu.RLock()
	defer j.mu.RUnlock()
	return scan.Evaluate(inv, tool(), &scan.Rules{Database: j.db, Policy: p, Suppressions: s}, now)
}

// CheckPolicy reports what is wrong with a gate file.
func (j *judge) CheckPolicy(policy string) error {
	_, err := j.policy(policy)
	return err
}

func (j *judge) policy(text string) (*gate.Policy, error) {
	if text == "" {
		return gate.Default(), nil
	}
	j.parsed.Lock()
	defer j.parsed.Unlock()
	if p, ok := j.policies[text]; ok {
		return p, nil
	}
	p, err := gate.Parse("gate", []byte(text))
	if err != nil {
		return nil, fmt.Errorf("the rule's gate file: %w", err)
	}
	if j.policies == nil || len(j.policies) >= maxPolicies {
		j.policies = map[string]*gate.Policy{}
	}
	j.policies[text] = p
	return p, nil
}

// maxPolicies bounds the gate files that are kept parsed: rules are few, but they change.
const maxPolicies = 64

func tool() string { return "seawall " + version }
