package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// load is what each registry gets in each run, with the same content for all.
type load struct{ runs, mib, large, small int }

const (
	atLarge = 2 // large blobs at a time
	atSmall = 8 // small ones
	name    = "bench/app"
)

// registry is one that is measured. Pushes are as engines do them: POST, PATCH, PUT.
type registry struct {
	name, url string
	login     *process // who to ask for a token; nil: the registry is open
	token     string
	client    *http.Client

	push, pull, pushSmall, pullSmall []float64 // MiB/s, and blobs/s
	gets                             []time.Duration
}

type blob struct {
	digest string
	data   []byte
}

func newBlobs(n, size int) []blob {
	out := make([]blob, n)
	for i := range out {
		p := make([]byte, size)
		rand.Read(p)
		out[i] = blob{fmt.Sprintf("sha256:%x", sha256.Sum256(p)), p}
	}
	return out
}

// compare lets each registry go first in turn; the first run is for warming up.
func (l load) compare(all []*registry) error {
	for n := range l.runs + 1 {
		large, small := newBlobs(l.large, l.mib<<20), newBlobs(l.small, 1<<10)
		for k := range all {
			if err := all[(n+k)%len(all)].measure(large, small, n > 0); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *registry) measure(large, small []blob, counts bool) error {
	if err := r.authorize(); err != nil {
		return fmt.Errorf("%s: token: %w", r.name, err)
	}
	for _, c := range []struct {
		blobs []blob
		at    int
		do    func(blob) error
		into  *[]float64
		unit  float64 // bytes of one
	}{
		{large, atLarge, r.pushBlob, &r.push, 1 << 20}, {large, atLarge, r.pullBlob, &r.pull, 1 << 20},
		{small, atSmall, r.pushBlob, &r.pushSmall, 1 << 10}, {small, atSmall, r.pullBlob, &r.pullSmall, 1 << 10},
	} {
		took, err := each(c.blobs, c.at, c.do)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		if counts {
			*c.into = append(*c.into, float64(len(c.blobs)*len(c.blobs[0].data))/c.unit/took.Seconds())
		}
	}
	gets, err := r.readManifests(small[0])
	if err != nil {
		return fmt.Errorf("%s: manifest: %w", r.name, err)
	}
	if counts {
		r.gets = append(r.gets, gets...)
	}
	return nil
}

// authorize gets a registry token, as docker login and docker push do.
func (r *registry) authorize() error {
	if r.login == nil {
		return nil
	}
	q, err := http.NewRequest("GET", r.url+"/token?service=seawall&scope=repository:"+name+":pull,push", nil)
	if err != nil {
		return err
	}
	q.SetBasicAuth("admin", password)
	a, err := r.client.Do(q)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	var t struct{ Token string }
	if err := json.NewDecoder(a.Body).Decode(&t); err != nil || t.Token == "" {
		return fmt.Errorf("%s gave no token: %w", r.url, err)
	}
	r.token = t.Token
	return nil
}

// each does something with every blob, some at a time, and tells how long all took.
func each(blobs []blob, at int, do func(blob) error) (time.Duration, error) {
	work := make(chan blob)
	errs := make(chan error, len(blobs))
	start := time.Now()
	var workers sync.WaitGroup
	for range at {
		workers.Go(func() {
			for b := range work {
				errs <- do(b)
			}
		})
	}
	for _, b := range blobs {
		work <- b
	}
	close(work)
	workers.Wait()
	took := time.Since(start)
	close(errs)
	for err := range errs {
		if err != nil {
			return 0, err
		}
	}
	return took, nil
}

func (r *registry) do(method, url string, body []byte, want int, header ...string) (*http.Response, error) {
	if strings.HasPrefix(url, "/") {
		url = r.url + url
	}
	q, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if r.token != "" {
		q.Header.Set("Authorization", "Bearer "+r.token)
	}
	for i := 0; i < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	a, err := r.client.Do(q)
	if err != nil {
		return nil, err
	}
	if a.StatusCode != want {
		p, _ := io.ReadAll(io.LimitReader(a.Body, 500))
		a.Body.Close()
		return nil, fmt.Errorf("%s %s: %s %s", method, url, a.Status, p)
	}
	return a, nil
}

// finish reads an answer to its end, so that its connection is used again.
func finish(a *http.Response, err error) (*http.Response, int64, error) {
	if err != nil {
		return nil, 0, err
	}
	defer a.Body.Close()
	n, err := io.Copy(io.Discard, a.Body)
	return a, n, err
}

func (r *registry) pushBlob(b blob) error {
	a, _, err := finish(r.do("POST", "/v2/"+name+"/blobs/uploads/", nil, http.StatusAccepted))
	if err != nil {
		return err
	}
	a, _, err = finish(r.do("PATCH", a.Header.Get("Location"), b.data, http.StatusAccepted, "Content-Type", "application/octet-stream"))
	if err != nil {
		return err
	}
	to, sep := a.Header.Get("Location"), "?"
	if strings.Contains(to, "?") {
		sep = "&"
	}
	_, _, err = finish(r.do("PUT", to+sep+"digest="+b.digest, nil, http.StatusCreated))
	return err
}

func (r *registry) pullBlob(b blob) error {
	_, n, err := finish(r.do("GET", "/v2/"+name+"/blobs/"+b.digest, nil, http.StatusOK))
	if err == nil && n != int64(len(b.data)) {
		err = fmt.Errorf("%d of %d bytes", n, len(b.data))
	}
	return err
}

// readManifests pushes a manifest and reads it by tag for two seconds, 50 times a second.
func (r *registry) readManifests(b blob) ([]time.Duration, error) {
	const mediaType = "application/vnd.oci.image.manifest.v1+json"
	d := fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%d}`, b.digest, len(b.data))
	m := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[]}`, mediaType, d)
	if _, _, err := finish(r.do("PUT", "/v2/"+name+"/manifests/latest", []byte(m), http.StatusCreated, "Content-Type", mediaType)); err != nil {
		return nil, err
	}
	var out []time.Duration
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 100 {
		<-tick.C
		start := time.Now()
		if _, _, err := finish(r.do("GET", "/v2/"+name+"/manifests/latest", nil, http.StatusOK, "Accept", mediaType)); err != nil {
			return nil, err
		}
		out = append(out, time.Since(start))
	}
	return out, nil
}

func report(all []*registry, l load) {
	fmt.Printf("\n%d blobs of %d MiB, %d at a time; %d of 1 KiB, %d at a time; medians of %d runs, ratios to %s\n",
		l.large, l.mib, atLarge, l.small, atSmall, l.runs, all[0].name)
	fmt.Printf("%-18s %14s %14s %16s %16s %12s\n", "registry", "push MiB/s", "pull MiB/s", "push 1 KiB/s", "pull 1 KiB/s", "GET p99 ms")
	first := all[0]
	for _, r := range all {
		slices.Sort(r.gets)
		p99 := r.gets[len(r.gets)*99/100]
		cell := func(v, of []float64) string {
			return fmt.Sprintf("%.0f %6.2fx", median(v), median(v)/median(of))
		}
		fmt.Printf("%-18s %14s %14s %16s %16s %12.2f\n", r.name, cell(r.push, first.push), cell(r.pull, first.pull),
			cell(r.pushSmall, first.pushSmall), cell(r.pullSmall, first.pullSmall), float64(p99.Microseconds())/1000)
	}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
