// Package image goes from a reference to layers, and from a layer's bytes to its entries.
//
// It promises that what it hands out is what the image names: manifests and configurations are checked against
// their digests when an image is opened, layers against their digest and diff id while they are walked. Each byte is
// read once, in bounded memory, and hostile input gives an error that names the layer: never a panic, never a file
// outside of Options.TempDir and the cache.
//
// It leaves out what files mean: it merges no layers, resolves no links and parses nothing but tars, manifests and
// configurations. Nothing is ever unpacked.
package image

import (
	"errors"
	"net/http"
	"os"
	"time"
)

// Kind says what a reference turned out to be.
type Kind string

const (
	KindRegistry      Kind = "registry"       // pulled from a registry
	KindLayout        Kind = "oci-layout"     // an OCI image layout directory
	KindLayoutTar     Kind = "oci-archive"    // an OCI image layout in a tar
	KindDockerArchive Kind = "docker-archive" // the tar that docker save writes
	KindEngine        Kind = "engine"         // exported by a local container engine
	KindRootTar       Kind = "root-tar"       // a tar of a root file system
	KindRootDir       Kind = "root-dir"       // a root file system directory
)

// IDKind values say what Image.ID is the digest of.
const (
	IDManifest = "manifest" // the platform manifest
	IDConfig   = "config"   // the configuration: a docker-save archive has no manifest
	IDTree     = "tree"     // a root file system
)

// Source is an opened reference. Its images share its files: Close it when they are no longer needed.
type Source struct {
	Kind   Kind
	Images []*Image
	// Notes are sentences on what the source lists and Images leaves out: attestations, platforms without content.
	Notes []string

	closers []func() error
}

// Close releases the files that the source holds open.
func (s *Source) Close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	s.closers = nil
	return errors.Join(errs...)
}

func (s *Source) onClose(f func() error) { s.closers = append(s.closers, f) }

// Image is one image for one platform.
type Image struct {
	// Ref is how the user named it.
	Ref string
	// ID is the image's key, "sha256:…": see IDKind. For a root file system ID is "" until it has been walked: it
	// is then Stats.DiffID of its only layer or of WalkDir.
	ID     string
	IDKind string
	// Aliases are the other digests that mean this image: index, manifest, configuration. ID is not among them.
	Aliases []string
	// Tags are the names that the archive, engine or registry gives it.
	Tags []string
	// Platform is os/arch[/variant]; "" when unknown.
	Platform string
	// OS is "linux" or what the configuration says; "" when unknown.
	OS      string
	Created time.Time
	Config  Config
	// Layers are those with content, the bottom one first. A live directory has none.
	Layers []Layer
	// RootDir is the directory of a live root file system, for WalkDir; "" otherwise.
	RootDir string
}

// Layer is one layer with content, not yet read.
type Layer struct {
	// Index counts from 0, the bottom layer.
	Index int
	// DiffID is the digest of the uncompressed tar as the configuration claims it; "" when nothing claims one.
	DiffID string
	// Digest is that of the blob as the manifest claims it; "" when nothing claims one.
	Digest string
	// Size is that of the blob in bytes; -1 when unknown.
	Size int64
	// CreatedBy is the build instruction, cleaned of shell wrapping; "" when the history does not tell.
	CreatedBy string
	Blob      Blob
}

// Config is the part of an image's configuration that a scan looks at.
// Source: OCI image specification 1.1, config.md; Healthcheck is Docker's extension.
type Config struct {
	User         string
	Env          []string // NAME=value
	Entrypoint   []string
	Cmd          []string
	WorkingDir   string
	ExposedPorts []string // "22/tcp", sorted
	Volumes      []string // sorted
	Labels       map[string]string
	Healthcheck  []string  // nil: none; ["NONE"]: disabled
	History      []History // oldest first, as written
}

// History is one instruction of the build.
type History struct {
	Created    time.Time
	CreatedBy  string
	Comment    string
	EmptyLayer bool
}

// Options says how to open a reference. The zero value works: the host's platform, any engine, TLS, os.TempDir.
type Options struct {
	// Platform wanted, as os/arch[/variant]; "" takes linux on the host's architecture, or the only one there is.
	Platform string
	// AllPlatforms opens every platform of an index. Platform is then not looked at.
	AllPlatforms bool
	// Insecure allows plain HTTP and certificates that do not verify, for registries.
	Insecure bool
	// CAFile is a PEM file of certificates that are trusted beside the system's, for registries.
	CAFile string
	// Engine says which local engines a bare name may be taken from. "" is EngineAuto.
	Engine Engine
	// EngineSocket is the unix socket of the Docker or Podman API ("/path" or "unix:///path"), or containerd's;
	// "" tries the usual places. It belongs to Engine; with EngineAuto, to Docker.
	EngineSocket string
	// ContainerdNamespace defaults to "default"; Kubernetes uses "k8s.io".
	ContainerdNamespace string
	// TempDir is where compressed archives and engine exports are spooled, as files without a name.
	// "" is os.TempDir().
	TempDir string
	Limits  Limits
	// Transport, when not nil, is how registries are reached: in the place of the network, without credentials.
	Transport http.RoundTripper
}

// Engine names a local container engine.
type Engine string

const (
	EngineAuto       Engine = "auto" // whichever is there: Docker, Podman, containerd
	EngineNone       Engine = "none" // bare names mean files and registries only
	EngineDocker     Engine = "docker"
	EnginePodman     Engine = "podman"
	EngineContainerd Engine = "containerd"
)

func (o *Options) tempDir() string {
	if o.TempDir != "" {
		return o.TempDir
	}
	return os.TempDir()
}
