package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Open finds out what ref is and opens it. In this order:
//
//	docker:NAME podman:NAME containerd:NAME   the engine's image
//	registry:NAME                             the registry's image
//	dir:PATH                                  a root file system directory, whatever it holds
//	PATH                                      a file or directory that exists: an OCI layout, docker save's tar,
//	                                          a root file system; tars also packed with gzip, zstd, xz or bzip2,
//	                                          or coming through a pipe (/dev/stdin)
//	NAME                                      the local engines that run and have it, then the registry
//
// Manifests and configurations are read and verified; layers are not read. The caller closes the Source.
// Options.Engine limits the engines that a bare name is looked for in.
func Open(ctx context.Context, ref string, o Options) (*Source, error) {
	o.Limits = o.Limits.withDefaults()
	if o.Platform != "" {
		if _, err := parsePlatform(o.Platform); err != nil {
			return nil, err
		}
	}
	s := &Source{}
	if err := s.open(ctx, ref, &o); err != nil {
		s.Close()
		return nil, fmt.Errorf("opening %s: %w", ref, err)
	}
	return s, nil
}

func (s *Source) open(ctx context.Context, ref string, o *Options) error {
	scheme, name, ok := strings.Cut(ref, ":")
	if ok {
		switch scheme {
		case "docker", "podman", "containerd":
			if !isPort(name) {
				return s.openEngine(ctx, Engine(scheme), name, ref, o)
			}
		case "registry":
			return s.openRegistry(ctx, name, ref, o)
		case "dir":
			return s.openRootDir(name, ref)
		}
	}
	st, err := os.Stat(ref)
	switch {
	case err == nil && st.IsDir():
		return s.openDir(ctx, ref, o)
	case err == nil && st.Mode()&fs.ModeNamedPipe != 0:
		return s.openPipe(ctx, ref, o)
	case err == nil:
		return s.openFile(ctx, ref, o)
	case looksLikePath(ref):
		return err
	}
	return s.openName(ctx, ref, o)
}

// isPort: "docker:5000/app" is an image of a registry that is called docker.
func isPort(s string) bool {
	n := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	return n > 0 && s[n] == '/'
}

func looksLikePath(ref string) bool {
	return strings.HasPrefix(ref, "/") || strings.HasPrefix(ref, "./") || strings.HasPrefix(ref, "../") ||
		strings.HasSuffix(ref, ".tar") || strings.Contains(ref, ".tar.")
}

// openDir tells a layout from a root file system.
func (s *Source) openDir(ctx context.Context, path string, o *Options) error {
	root, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	st := &dirStore{root, path}
	_, index := st.blob("index.json")
	_, marker := st.blob("oci-layout")
	if index != nil || marker != nil {
		root.Close()
		return s.openRootDir(path, path)
	}
	s.onClose(root.Close)
	s.Kind = KindLayout
	return s.resolve(ctx, st, path, o)
}

func (s *Source) openRootDir(path, ref string) error {
	st, err := os.Stat(path)
	if err == nil && !st.IsDir() {
		err = errors.New("not a directory")
	}
	if err != nil {
		return err
	}
	s.Kind = KindRootDir
	s.Images = []*Image{{Ref: ref, IDKind: IDTree, OS: "linux", RootDir: path}}
	return nil
}

// resolve opens the images of a store by Kind.
func (s *Source) resolve(ctx context.Context, st store, ref string, o *Options) (err error) {
	r := &resolver{opts: o, lim: o.Limits, ref: ref}
	if s.Kind == KindDockerArchive {
		s.Images, err = openDockerArchive(st, r)
	} else {
		s.Images, err = openLayout(ctx, st, r)
	}
	s.Notes = r.notes
	return err
}

// openFile opens a tar, packed or not.
func (s *Source) openFile(ctx context.Context, path string, o *Options) error {
	f, size, packed, err := openTarFile(path)
	if err != nil {
		return err
	}
	s.onClose(f.Close)
	if packed == Plain {
		return s.openTar(ctx, f, path, size, path, o)
	}
	isRoot, err := sniffPacked(ctx, f, size, &o.Limits)
	if err != nil {
		return err
	}
	if isRoot {
		return s.rootTar(Blob{Path: path, Length: size, open: sharedFile(f)}, path)
	}
	spooled, n, err := spool(ctx, io.NewSectionReader(f, 0, size), o.tempDir(), &o.Limits)
	if err != nil {
		return err
	}
	s.onClose(spooled.Close)
	return s.openTar(ctx, spooled, "", n, path, o)
}

// openPipe spools what comes through a pipe.
func (s *Source) openPipe(ctx context.Context, path string, o *Options) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	spooled, n, err := spool(ctx, f, o.tempDir(), &o.Limits)
	if err != nil {
		return err
	}
	s.onClose(spooled.Close)
	return s.openTar(ctx, spooled, "", n, path, o)
}

func openTarFile(path string) (*os.File, int64, Compression, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, Plain, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	head := make([]byte, magicLen)
	if err == nil {
		_, err = f.ReadAt(head, 0)
	}
	if err == io.EOF {
		err = fmt.Errorf("%w: the file is too short", ErrNotImage)
	}
	if err != nil {
		f.Close()
		return nil, 0, Plain, err
	}
	return f, st.Size(), detect(head), nil
}

// openTar tells the archives apart. name is "" for a spooled file.
func (s *Source) openTar(ctx context.Context, f *os.File, name string, size int64, ref string, o *Options) error {
	x, err := indexTar(ctx, f, name, size, &o.Limits)
	if err != nil {
		return err
	}
	switch {
	case x.rootFS:
		return s.rootTar(Blob{Path: name, Length: size, open: sharedFile(f)}, ref)
	case x.has("index.json"):
		return s.openLayoutTar(ctx, x, ref, o)
	case x.has("manifest.json"):
		s.Kind = KindDockerArchive
		return s.resolve(ctx, x, ref, o)
	}
	return fmt.Errorf("%w: the tar holds neither index.json nor manifest.json nor a root file system", ErrNotImage)
}

// openLayoutTar prefers the layout of an archive that is both, for its manifest digests, and falls back to docker
// save's manifest.json where the index points at content that was never pulled.
func (s *Source) openLayoutTar(ctx context.Context, x *tarIndex, ref string, o *Options) error {
	s.Kind = KindLayoutTar
	err := s.resolve(ctx, x, ref, o)
	if x.has("manifest.json") {
		if err == nil {
			addSavedTags(x, s.Images, &o.Limits)
			return nil
		}
		if errors.Is(err, fs.ErrNotExist) {
			s.Kind = KindDockerArchive
			return s.resolve(ctx, x, ref, o)
		}
	}
	return err
}

// rootTar makes an image with one layer that nothing describes.
func (s *Source) rootTar(b Blob, ref string) error {
	s.Kind = KindRootTar
	s.Images = []*Image{{Ref: ref, IDKind: IDTree, OS: "linux", Layers: []Layer{{Size: b.Length, Blob: b}}}}
	return nil
}

// sniffEntries is how many entries of a packed tar are looked at: a root file system shows itself at once.
const sniffEntries = 64

// sniffPacked reports whether a packed tar begins like a root file system. Such a tar is walked as it is; anything
// else is spooled, since the layers of an archive have to be sought.
func sniffPacked(ctx context.Context, f *os.File, size int64, lim *Limits) (bool, error) {
	in := Input{Section: io.NewSectionReader(f, 0, size), Size: size, Trusted: true}
	l, err := openLayer(ctx, in, lim)
	if err != nil {
		return false, err
	}
	defer l.close()
	tr := tar.NewReader(l.tar)
	for n := range sniffEntries {
		h, err := tr.Next()
		if err == io.EOF {
			return false, nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			if n == 0 {
				err = fmt.Errorf("%w: %w", ErrNotImage, tarError(err))
			}
			return false, err
		}
		if name, err := cleanPath(h.Name, lim.MaxPath); err != nil || isRootName(name) {
			return err == nil, err
		}
	}
	return false, nil
}

// openName looks for a bare name in the engines, then in the registry, and tells what was tried.
func (s *Source) openName(ctx context.Context, ref string, o *Options) error {
	var tried []error
	for _, e := range o.engines() {
		err := s.openEngine(ctx, e, ref, ref, o)
		if err == nil || ctx.Err() != nil {
			return err
		}
		tried = append(tried, fmt.Errorf("%s: %w", e, err))
	}
	err := s.openRegistry(ctx, ref, ref, o)
	if err == nil || len(tried) == 0 && ctx.Err() != nil {
		return err
	}
	tried = append([]error{fmt.Errorf("file: %w", fs.ErrNotExist)}, tried...)
	return fmt.Errorf("not found anywhere; tried %w", joinLine(append(tried, fmt.Errorf("registry: %w", err))))
}

// lineError joins errors on one line.
type lineError []error

func joinLine(errs []error) error { return lineError(errs) }

func (e lineError) Error() string {
	var parts []string
	for _, err := range e {
		parts = append(parts, err.Error())
	}
	return strings.Join(parts, "; ")
}

func (e lineError) Unwrap() []error { return e }
