package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

type file struct {
	path    string // without leading slash, as in an image
	content []byte
}

const maxFile = 4 << 20

// load reads the text files below dirs, in the order of their names, until limit bytes are reached.
// A file that cannot be read is left out: the measurement needs much text, not all of it.
func load(dirs []string, limit int64) ([]file, int64, error) {
	var files []file
	var size int64
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return nil
			}
			if size >= limit {
				return fs.SkipAll
			}
			if content := text(path, d); content != nil {
				files = append(files, file{strings.TrimPrefix(path, "/"), content})
				size += int64(len(content))
			}
			return nil
		})
		if err != nil {
			return nil, 0, err
		}
	}
	return files, size, nil
}

// programs has load take files with NUL bytes too.
var programs bool

// text returns the content of a file without NUL in its first kilobytes, nil for any other.
func text(path string, d fs.DirEntry) []byte {
	if info, err := d.Info(); err != nil || info.Size() > maxFile && !programs || info.Size() == 0 {
		return nil
	}
	content, err := os.ReadFile(path)
	if err != nil || !programs && bytes.IndexByte(content[:min(len(content), 8000)], 0) >= 0 {
		return nil
	}
	return content
}
