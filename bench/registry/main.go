// Command registry measures pushes and pulls of registries side by side.
//
// It promises the same content and the same requests for each, in turns, so that a disk that is busy is busy for all:
// blobs are pushed as engines do (POST, PATCH, PUT), pulled whole, and a small manifest is read at a fixed rate. It
// prints the medians, and ratios to the first registry. It leaves out who may: registries are open and on loopback.
package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	runs := flag.Int("n", 5, "timed `runs` of each")
	size := flag.Int("size", 64, "MiB of each blob")
	count := flag.Int("blobs", 4, "blobs of a run")
	at := flag.Int("at", 2, "blobs at a time")
	flag.Parse()
	if err := run(flag.Args(), *runs, *size<<20, *count, *at); err != nil {
		fmt.Fprintln(os.Stderr, "registry:", err)
		os.Exit(1)
	}
}

// registry is one that is measured: "name=http://127.0.0.1:5000".
type registry struct {
	name, url  string
	push, pull []float64 // MiB/s
	gets       []time.Duration
}

func run(args []string, runs, size, count, at int) error {
	if len(args) == 0 {
		return fmt.Errorf("name registries: name=http://127.0.0.1:5000 …")
	}
	var all []*registry
	for _, a := range args {
		name, url, ok := strings.Cut(a, "=")
		if !ok {
			return fmt.Errorf("%q is not name=url", a)
		}
		all = append(all, &registry{name: name, url: url})
	}
	for n := range runs + 1 {
		blobs := make([]blob, count)
		for i := range blobs {
			blobs[i] = newBlob(size)
		}
		for k := range all { // each goes first in turn
			if err := all[(n+k)%len(all)].measure(blobs, at, n > 0); err != nil {
				return err
			}
		}
	}
	report(all, size*count>>20)
	return nil
}

type blob struct {
	digest string
	data   []byte
}

func newBlob(size int) blob {
	p := make([]byte, size)
	rand.Read(p)
	return blob{fmt.Sprintf("sha256:%x", sha256.Sum256(p)), p}
}

// measure pushes and pulls once; the first time is for warming up.
func (r *registry) measure(blobs []blob, at int, counts bool) error {
	var bytes float64
	for _, b := range blobs {
		bytes += float64(len(b.data)) / (1 << 20)
	}
	push, err := each(blobs, at, r.pushBlob)
	if err != nil {
		return fmt.Errorf("%s: push: %w", r.name, err)
	}
	pull, err := each(blobs, at, r.pullBlob)
	if err != nil {
		return fmt.Errorf("%s: pull: %w", r.name, err)
	}
	gets, err := r.readManifests(blobs[0])
	if err != nil {
		return fmt.Errorf("%s: manifest: %w", r.name, err)
	}
	if counts {
		r.push = append(r.push, bytes/push.Seconds())
		r.pull = append(r.pull, bytes/pull.Seconds())
		r.gets = append(r.gets, gets...)
	}
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
	for i := 0; i < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	a, err := http.DefaultClient.Do(q)
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

func (r *registry) pushBlob(b blob) error {
	a, err := r.do("POST", "/v2/bench/blobs/uploads/", nil, http.StatusAccepted)
	if err != nil {
		return err
	}
	a.Body.Close()
	a, err = r.do("PATCH", a.Header.Get("Location"), b.data, http.StatusAccepted, "Content-Type", "application/octet-stream")
	if err != nil {
		return err
	}
	a.Body.Close()
	to := a.Header.Get("Location")
	sep := "?"
	if strings.Contains(to, "?") {
		sep = "&"
	}
	a, err = r.do("PUT", to+sep+"digest="+b.digest, nil, http.StatusCreated)
	if err != nil {
		return err
	}
	return a.Body.Close()
}

func (r *registry) pullBlob(b blob) error {
	a, err := r.do("GET", "/v2/bench/blobs/"+b.digest, nil, http.StatusOK)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	n, err := io.Copy(io.Discard, a.Body)
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
	a, err := r.do("PUT", "/v2/bench/manifests/latest", []byte(m), http.StatusCreated, "Content-Type", mediaType)
	if err != nil {
		return nil, err
	}
	a.Body.Close()
	var out []time.Duration
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 100 {
		<-tick.C
		start := time.Now()
		a, err := r.do("GET", "/v2/bench/manifests/latest", nil, http.StatusOK, "Accept", mediaType)
		if err != nil {
			return nil, err
		}
		io.Copy(io.Discard, a.Body)
		a.Body.Close()
		out = append(out, time.Since(start))
	}
	return out, nil
}

func report(all []*registry, mib int) {
	fmt.Printf("%d MiB a run, medians; ratios to %s\n", mib, all[0].name)
	fmt.Printf("%-24s %14s %14s %12s\n", "registry", "push MiB/s", "pull MiB/s", "GET p99 ms")
	for _, r := range all {
		slices.Sort(r.gets)
		p99 := r.gets[len(r.gets)*99/100]
		fmt.Printf("%-24s %7.0f %5.2fx %7.0f %5.2fx %12.2f\n", r.name,
			median(r.push), median(r.push)/median(all[0].push), median(r.pull), median(r.pull)/median(all[0].pull), float64(p99.Microseconds())/1000)
	}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
