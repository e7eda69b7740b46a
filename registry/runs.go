package registry

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/opencontainers/go-digest"
)

// runs says whether an engine may run what a manifest names. It goes by content: media types, subjects and tags are the
// pusher's to choose, and engines read past them. What engines cannot do without is a configuration with a root file
// system, or for manifests of Docker's kind any configuration, and layers that unpack.
func (r *Registry) runs(ctx context.Context, m *Manifest, config []byte, read bool) (bool, error) {
	if m.Index {
		return false, nil
	}
	if read && !isImageConfig(m.ConfigType) && m.MediaType != typeDockerImage && !hasRootFS(config) {
		return false, nil
	}
	if m.Foreign || len(m.Blobs) < 2 {
		return true, nil
	}
	for _, b := range m.Blobs {
		text, err := r.isText(ctx, digest.Digest(b))
		if err != nil || !text {
			return true, err
		}
	}
	return false, nil // signatures and attestations, with the configuration of an image or not
}

// hasRootFS says whether a configuration is a JSON object with a root file system, in any spelling that a reader of JSON
// may take. What begins as an object and cannot be read to its end is taken for one that has.
func hasRootFS(config []byte) bool {
	d := json.NewDecoder(bytes.NewReader(config))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return false
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return true
		}
		if name, _ := key.(string); strings.EqualFold(name, "rootfs") {
			return true
		}
		var skip json.RawMessage
		if d.Decode(&skip) != nil {
			return true
		}
	}
	return false
}

// textSize is how much of a layer is looked at: engines tell compression and a tar by its first block.
const textSize = 512

func (r *Registry) isText(ctx context.Context, d digest.Digest) (bool, error) {
	c, _, err := r.openBlob(ctx, d)
	if err != nil {
		return false, err
	}
	defer c.Close()
	p := make([]byte, textSize)
	n, err := io.ReadFull(c, p)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, fmt.Errorf("reading blob %s: %w", d, err)
	}
	return beginsAsText(p[:n]), nil
}

// beginsAsText reports that no engine finds an archive in what begins so. A tar's first block may be all letters, and
// bzip2 is known by three of them.
func beginsAsText(p []byte) bool {
	if bytes.HasPrefix(p, []byte("BZh")) {
		return false
	}
	for i := 0; i < len(p); {
		c, n := utf8.DecodeRune(p[i:])
		if c == utf8.RuneError && n == 1 && utf8.FullRune(p[i:]) || c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
		i += n
	}
	if len(p) < textSize {
		return true // less than a tar's header
	}
	_, err := tar.NewReader(bytes.NewReader(p)).Next()
	return errors.Is(err, tar.ErrHeader)
}
