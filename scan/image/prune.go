package image

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
)

const (
	tempPrefix = "tmp-"
	// staleTemp is how old a temporary file must be to be a dead process's.
	staleTemp = time.Hour
	diskBlock = 4096
)

// onDisk is what a file of n bytes occupies on common file systems.
func onDisk(n int64) int64 { return (n + diskBlock - 1) / diskBlock * diskBlock }

type cached struct {
	name string
	size int64
	used time.Time
}

// Prune removes what was not used for longest until the cache is nine tenths full at most, and what dead processes
// left half written. Below its bound it removes nothing. Another process may prune at the same time.
func (c *Cache) Prune() error {
	c.written.Store(0)
	all, total, err := c.entries()
	if err != nil {
		return fmt.Errorf("pruning the cache: %w", err)
	}
	if total <= c.maxBytes {
		return nil
	}
	slices.SortFunc(all, func(a, b cached) int { return a.used.Compare(b.used) })
	for _, f := range all {
		if total <= c.maxBytes/10*9 {
			break
		}
		if err := c.root.Remove(f.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("pruning the cache: %w", err)
		}
		total -= f.size
	}
	return nil
}

// Usage is how much a cache holds.
type Usage struct {
	Entries int
	Bytes   int64 // on disk
}

// Usage counts what the cache holds.
func (c *Cache) Usage() (Usage, error) {
	all, total, err := c.entries()
	return Usage{Entries: len(all), Bytes: total}, err
}

// Clean removes every entry. What another process stores meanwhile may stay.
func (c *Cache) Clean() error {
	all, _, err := c.entries()
	for _, f := range all {
		if rmErr := c.root.Remove(f.name); rmErr != nil && !errors.Is(rmErr, fs.ErrNotExist) {
			err = errors.Join(err, rmErr)
		}
	}
	return err
}

// entries lists everything that the cache holds, with its size on disk.
func (c *Cache) entries() (all []cached, total int64, err error) {
	for _, dir := range []string{layersDir, verifiedDir} {
		files, err := c.list(dir)
		if err != nil {
			return nil, 0, err
		}
		all = append(all, files...)
	}
	for _, f := range all {
		total += f.size
	}
	return all, total, nil
}

// list returns the entries of a directory, and removes stale temporary files.
func (c *Cache) list(dir string) ([]cached, error) {
	d, err := c.root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	infos, err := d.Readdir(-1)
	var files []cached
	for _, st := range infos {
		name := dir + "/" + st.Name()
		if strings.HasPrefix(st.Name(), tempPrefix) {
			if time.Since(st.ModTime()) > staleTemp {
				c.root.Remove(name)
			}
			continue
		}
		files = append(files, cached{name, onDisk(st.Size()), st.ModTime()})
	}
	return files, err
}
