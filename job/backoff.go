package job

import (
	"math/rand/v2"
	"time"
)

// The pauses between attempts: they double from the first to the longest.
const (
	firstPause   = 5 * time.Second
	longestPause = time.Hour
)

// Backoff is the pause after so many attempts: 5 s, 10 s, 20 s, … up to an hour, each longer or shorter by up to a
// quarter, so that jobs that failed together do not come back together.
func Backoff(attempts int) time.Duration {
	pause := firstPause
	for range min(max(attempts, 1), 20) - 1 {
		pause = min(2*pause, longestPause)
	}
	return pause*3/4 + rand.N(pause/2)
}
