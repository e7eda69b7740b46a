// Package durable replaces small files so that a reader sees the old one or the new one, whole, also after a crash.
//
// It leaves out locking: of two writers at a time the last one wins.
package durable

import (
	"errors"
	"os"
	"path/filepath"
)

// Write replaces the file, readable by its owner alone, and returns when the disk has it. The directory must exist.
func Write(name string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".new*") // mode 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(content)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return SyncDir(filepath.Dir(name))
}

// SyncDir has the disk know which files a directory has.
func SyncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
