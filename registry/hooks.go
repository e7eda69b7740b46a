package registry

import (
	"context"
	"net/http"
	"time"
)

// Action is what a request wants to do with a repository, in the words of the Docker token protocol.
type Action string

const (
	Pull   Action = "pull"
	Push   Action = "push"
	Delete Action = "delete"
	List   Action = "list" // all repositories: Need.Repository is ""
)

// Need is one thing that a request has to be allowed.
type Need struct {
	Repository string
	Action     Action
}

// Hooks are what the registry asks before it acts, and tells when it acted. They are called with the context that
// Authorize returned, or with the one that a direct method was given.
type Hooks interface {
	// Authorize decides whether a request may do all that it needs; no needs at all ask whether it is signed in.
	// The context that it returns is used from there on. A *Challenge is answered 401, a *Refused as it says.
	Authorize(q *http.Request, needs []Need) (context.Context, error)
	// Visible says whether the listing of repositories names this one.
	Visible(ctx context.Context, repository string) bool

	// ServeManifest and ServeBlob say whether content is served: nil, a *Held, or ErrGone, which is answered as if
	// there were no such thing. They are asked for HEAD too, and decide about manifests that they were never told of.
	ServeManifest(ctx context.Context, repository, digest string) error
	ServeBlob(ctx context.Context, repository, digest string) error

	// BeforePut may refuse a blob or a manifest, by a *Refused, before it is linked into the repository.
	BeforePut(ctx context.Context, p Put) error
	// Pushed is told of a manifest that is stored, before its tags move and before the push is acknowledged: an error
	// fails the push. It is told again when the same manifest is pushed again.
	Pushed(ctx context.Context, m Manifest) error
	// Deleted and Untagged are told before anything changes: an error leaves everything as it is.
	Deleted(ctx context.Context, repository, digest string) error
	Untagged(ctx context.Context, repository, tag, digest string) error
	// Pulled is told of every manifest that was sent, by GET. It must not block.
	Pulled(ctx context.Context, repository, digest string)
}

// Put is what is about to be stored in a repository.
type Put struct {
	Repository string
	Digest     string
	Size       int64
	// Manifest is set for manifests; the fields below are of manifests only.
	Manifest     bool
	Tags         []string // that will point to it
	MediaType    string
	ArtifactType string
	Subject      string
	Runs         bool // as Manifest has it
	// Moves lists the tags of Tags that point at another digest now.
	Moves []string
}

// Manifest is a manifest that is stored, with what it says.
type Manifest struct {
	Repository string
	Digest     string
	Tags       []string // that were pushed with it; not all that point to it
	MediaType  string
	// ArtifactType as the referrers API has it: the manifest's own, else the media type of its configuration.
	ArtifactType string
	Subject      string // the digest that it refers to
	Index        bool   // it lists other manifests
	Size         int64  // of the manifest and of the blobs that it names, in bytes
	Length       int64  // of the manifest, in bytes
	Config       string // digest of the configuration; "" for an index
	ConfigType   string // media type of the configuration
	Foreign      bool   // a layer is kept elsewhere, and not here
	Runs         bool   // an engine may run it, whatever its types say: see runs
	Blobs        []string
	BlobSizes    []int64 // of Blobs, in bytes
	Children     []Child
	Platform     string    // os/arch[/variant], of images
	Created      time.Time // as an image's configuration tells it
	Annotations  map[string]string
}

// Child is a manifest that an index lists.
type Child struct {
	Digest    string
	MediaType string
	Platform  string // os/arch[/variant], "" where the index does not say
	Size      int64
}

// Open is Hooks that allow everything and keep nothing. Embed it to implement only some.
type Open struct{}

func (Open) Authorize(q *http.Request, _ []Need) (context.Context, error)  { return q.Context(), nil }
func (Open) Visible(context.Context, string) bool                          { return true }
func (Open) ServeManifest(context.Context, string, string) error           { return nil }
func (Open) ServeBlob(context.Context, string, string) error               { return nil }
func (Open) BeforePut(context.Context, Put) error                          { return nil }
func (Open) Pushed(context.Context, Manifest) error                        { return nil }
func (Open) Deleted(ctx context.Context, repository, digest string) error  { return nil }
func (Open) Untagged(ctx context.Context, repository, tag, d string) error { return nil }
func (Open) Pulled(context.Context, string, string)                        {}
