package mirror

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
)

// TestInterrupted: what a copy that was cut off has brought is not fetched again, and nothing of it is tagged.
func TestInterrupted(t *testing.T) {
	var blobs atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	host := broken(t, func(w http.ResponseWriter, q *http.Request, next http.Handler) {
		if isBlob(q) && blobs.Add(1) == 3 {
			stop()
			<-q.Context().Done()
			return
		}
		next.ServeHTTP(w, q)
	})
	d := push(t, host+"/app:1", image(t, 4))
	to := sink(t, nil)
	c := New(Config{Pause: 1, Parallel: 1})
	src, dst := Source{Ref: host + "/app:1"}, Dest{Repository: "app"}
	first, err := c.Copy(ctx, to, src, dst, nil)
	if err == nil || has(t, to, "app", "1") != "" || has(t, to, "app", d) != "" || first.Blobs != 2 {
		t.Fatalf("the first copy: %+v, %v", first, err)
	}
	second, err := c.Copy(t.Context(), to, src, dst, nil)
	if err != nil || second.Skipped != 2 || second.Blobs != 3 || has(t, to, "app", "1") != d {
		t.Errorf("the second copy: %+v, %v", second, err)
	}
}
