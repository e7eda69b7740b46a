package intake

import (
	"sync"
	"time"
)

// maxRemembered bounds what is kept in memory about repositories and about pulls.
const maxRemembered = 20_000

// answers remembers for a short while what is served, so that a node that pulls fifty layers asks once. Only "yes" is
// remembered. Whatever changes in a repository forgets its answers; the time limit is for changes by another hub.
type answers struct {
	keep time.Duration

	mu   sync.Mutex
	era  int64            // moves with every change of everything
	eras map[string]int64 // by repository
	yes  map[answerKey]answerKept
}

type answerKey struct {
	repository, digest string
	blob               bool
}

type answerKept struct {
	Answer
	at    moment
	until time.Time
}

// moment stands for what was known when a question was asked: an answer is not kept if something changed since.
type moment struct{ all, repository int64 }

func newAnswers(keep time.Duration) *answers {
	return &answers{keep: keep, eras: map[string]int64{}, yes: map[answerKey]answerKept{}}
}

func (a *answers) get(k answerKey, now time.Time) (Answer, moment, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := moment{a.era, a.eras[k.repository]}
	kept, ok := a.yes[k]
	if !ok || kept.at != at || now.After(kept.until) {
		return Answer{}, at, false
	}
	return kept.Answer, at, true
}

func (a *answers) put(k answerKey, at moment, v Answer, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if (moment{a.era, a.eras[k.repository]}) != at {
		return
	}
	if len(a.yes) >= maxRemembered {
		clear(a.yes)
	}
	a.yes[k] = answerKept{v, at, now.Add(a.keep)}
}

// forget drops what is known about a repository, or with "" about all.
func (a *answers) forget(repository string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if repository == "" || len(a.eras) >= maxRemembered {
		a.era++
		clear(a.eras)
		clear(a.yes)
		return
	}
	a.eras[repository]++
}
