package inventory

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"sync"

	cpb "github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor/filesystem"
	javaarchive "github.com/google/osv-scalibr/extractor/filesystem/language/java/archive"
	"github.com/seawall/seawall/finding"
)

// Bounds of one Java archive and all that lie in it.
const (
	jarDepth    = 8         // archives in archives
	jarInner    = 128 << 20 // bytes of an inner archive, which is unpacked in memory
	jarTotal    = 1 << 30   // bytes of all inner archives together
	jarEntries  = 200_000   // files in one archive
	jarMetadata = 1 << 20   // bytes of a manifest or pom.properties
)

// jarParser reads Java archives. What an archive says of itself is read by osv-scalibr; walking into inner archives is
// done here, with the bounds above, because scalibr reads manifests and inner archives whole, however large.
func jarParser() *parser {
	create := sync.OnceValues(func() (filesystem.Extractor, error) {
		no := false
		return javaarchive.New(&cpb.PluginConfig{PluginSpecific: []*cpb.PluginSpecificConfig{{
			Config: &cpb.PluginSpecificConfig_JavaArchive{JavaArchive: &cpb.JavaArchiveConfig{MaxZipDepth: 1, HashJars: &no}},
		}}})
	})
	return &parser{name: "Java archive", run: func(ctx context.Context, f *file) (parsed, error) {
		j := jar{extractor: create, budget: jarTotal, seen: map[string]bool{}}
		err := j.read(ctx, &file{path: f.path, size: f.size, r: f.r}, 1)
		return j.got, err
	}}
}

type jar struct {
	extractor func() (filesystem.Extractor, error)
	budget    int64
	seen      map[string]bool // package URLs: a fat archive often has a library twice
	got       parsed
}

// read reads one archive and those in it. An error is about this archive; of inner ones it is a gap.
func (j *jar) read(ctx context.Context, f *file, depth int) error {
	z, err := zip.NewReader(f.r, f.size)
	if err != nil {
		return err
	}
	if err := checkJar(z); err != nil {
		return err
	}
	// Its errors are about inner archives, which it is told to leave alone.
	got, _ := extract(ctx, j.extractor, f)
	for _, p := range got.packages {
		if !j.seen[p.PURL] {
			j.seen[p.PURL] = true
			j.got.packages = append(j.got.packages, p)
		}
	}
	for _, inner := range z.File {
		if !javaarchive.IsArchive(inner.Name) || inner.FileInfo().IsDir() {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := j.inner(ctx, f.path, inner, depth); err != nil && len(j.got.gaps) < 20 {
			j.got.gaps = append(j.got.gaps, finding.Gap{Kind: gapOf(err), Detail: fmt.Sprintf("%s in it: %v", inner.Name, err)})
		}
	}
	return nil
}

var errOverLimit = errors.New("over the limit")

func gapOf(err error) finding.GapKind {
	if errors.Is(err, errOverLimit) {
		return finding.GapTooLarge
	}
	return finding.GapUnreadable
}

// checkJar refuses what would cost too much to read. archive/zip holds files to the sizes that it checks.
func checkJar(z *zip.Reader) error {
	if len(z.File) > jarEntries {
		return fmt.Errorf("%d files: %w", len(z.File), errOverLimit)
	}
	for _, f := range z.File {
		switch path.Base(f.Name) {
		case "MANIFEST.MF", "pom.properties":
			if f.UncompressedSize64 > jarMetadata {
				return fmt.Errorf("%s of %d bytes: %w", f.Name, f.UncompressedSize64, errOverLimit)
			}
		}
	}
	return nil
}

// inner unpacks an archive that lies in the one at outer, and reads it.
func (j *jar) inner(ctx context.Context, outer string, z *zip.File, depth int) error {
	size := int64(min(z.UncompressedSize64, jarInner+1))
	if depth == jarDepth || size > jarInner || size > j.budget {
		return fmt.Errorf("%d bytes at depth %d: %w", z.UncompressedSize64, depth+1, errOverLimit)
	}
	j.budget -= size
	r, err := z.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	content, err := io.ReadAll(io.LimitReader(r, size))
	if err != nil {
		return err
	}
	return j.read(ctx, &file{path: outer + "/" + z.Name, size: int64(len(content)), r: bytes.NewReader(content)}, depth+1)
}
