package inventory

import (
	"context"
	"io"
	"io/fs"
	"path"
	"slices"
	"sync"
	"time"

	cpb "github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/depsjson"
	"github.com/google/osv-scalibr/extractor/filesystem/osv"
	"github.com/google/osv-scalibr/extractor/filesystem/simplefileapi"
	scalibrlog "github.com/google/osv-scalibr/log"
)

// newExtractor makes an extractor of osv-scalibr.
type newExtractor func(*cpb.PluginConfig) (filesystem.Extractor, error)

// maxManifest is the largest text file that an extractor is given, in bytes.
const maxManifest = 64 << 20

// installedBy makes a parser of an extractor that reads what is installed. It is constructed at first use.
func installedBy(create newExtractor, where func(string) bool) *parser {
	e := sync.OnceValues(func() (filesystem.Extractor, error) { return create(&cpb.PluginConfig{}) })
	return &parser{name: "package file", where: where, max: maxManifest,
		run: func(ctx context.Context, f *file) (parsed, error) { return extract(ctx, e, f) }}
}

// declaredBy makes a parser of an extractor that reads a lock file. See ownManifest.
func declaredBy(create newExtractor) *parser {
	p := installedBy(create, ownManifest)
	p.name = "lock file"
	read := p.run
	p.run = func(ctx context.Context, f *file) (parsed, error) {
		got, err := read(ctx, f)
		for i := range got.packages {
			got.packages[i].Declared = true
		}
		return got, err
	}
	return p
}

// archives makes a parser of an extractor that reads archives, which may be as large as any file.
func archives(create newExtractor) *parser {
	p := installedBy(create, nil)
	p.name, p.max = "archive", 0
	return p
}

// quiet keeps osv-scalibr from writing to the process's standard error. Its logger is one for the whole process.
var quiet = sync.OnceFunc(func() { scalibrlog.SetLogger(silent{}) })

// extract runs an extractor on f alone: none of those used here needs to see other files.
func extract(ctx context.Context, e func() (filesystem.Extractor, error), f *file) (got parsed, err error) {
	quiet()
	x, err := e()
	if err != nil {
		return got, err
	}
	info := fileInfo{name: path.Base(f.path), size: f.size}
	if !x.FileRequired(simplefileapi.New(f.path, info)) {
		return got, nil
	}
	inv, err := x.Extract(ctx, &filesystem.ScanInput{
		FS: noFiles{}, Path: f.path, Info: info, Reader: io.NewSectionReader(f.r, 0, f.size),
	})
	seen := map[[2]string]bool{}
	for _, p := range inv.Packages {
		if id := [2]string{p.Name, p.Version}; !seen[id] && p.Version != "" && !leftOut(p) {
			seen[id] = true
			got.packages = append(got.packages, fromScalibr(p))
		}
	}
	return got, err
}

// developmentGroups are the names under which lock files list what a running application does without.
var developmentGroups = []string{"dev", "development", "test"}

// leftOut: what is only there for development, and the projects of a .NET solution, which are its own code.
func leftOut(p *extractor.Package) bool {
	if m, ok := p.Metadata.(*depsjson.Metadata); ok && m.Type == "project" {
		return true
	}
	g, ok := p.Metadata.(osv.DepGroups)
	if !ok || len(g.DepGroups()) == 0 {
		return false
	}
	return !slices.ContainsFunc(g.DepGroups(), func(s string) bool { return !slices.Contains(developmentGroups, s) })
}

func fromScalibr(p *extractor.Package) Package {
	typ := p.PURLType
	if typ == "pacman" {
		typ = "alpm" // its name in the package URL specification
	}
	x := language(typ, p.Name, p.Version, p.Licenses)
	if isDistroType(typ) { // named when the distribution is known
		x.PURL, x.SourceName, x.SourceVersion = "", p.Name, p.Version
	}
	return x
}

// fileInfo says to an extractor what it asks of a file.
type fileInfo struct {
	name string
	size int64
}

func (i fileInfo) Name() string     { return i.name }
func (i fileInfo) Size() int64      { return i.size }
func (fileInfo) Mode() fs.FileMode  { return 0o644 }
func (fileInfo) ModTime() time.Time { return time.Time{} }
func (fileInfo) IsDir() bool        { return false }
func (fileInfo) Sys() any           { return nil }

// noFiles is a file system without files.
type noFiles struct{}

func (noFiles) Open(name string) (fs.File, error) { return nil, notThere("open", name) }
func (noFiles) Stat(name string) (fs.FileInfo, error) {
	return nil, notThere("stat", name)
}
func (noFiles) ReadDir(name string) ([]fs.DirEntry, error) { return nil, notThere("readdir", name) }

func notThere(op, name string) error {
	return &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
}

// silent drops what extractors log: what matters of it comes back as an error.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Error(...any)          {}
func (silent) Warnf(string, ...any)  {}
func (silent) Warn(...any)           {}
func (silent) Infof(string, ...any)  {}
func (silent) Info(...any)           {}
func (silent) Debugf(string, ...any) {}
func (silent) Debug(...any)          {}
