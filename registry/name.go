package registry

import (
	"regexp"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Names as the distribution specification has them, section "Pulling manifests".
var (
	nameComponent = `[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*`
	namePattern   = regexp.MustCompile(`^` + nameComponent + `(?:/` + nameComponent + `)*$`)
	tagPattern    = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
)

// ValidName says whether a repository may have this name.
func ValidName(name string) bool { return len(name) <= 255 && namePattern.MatchString(name) }

// ValidTag says whether a tag may have this name.
func ValidTag(tag string) bool { return tagPattern.MatchString(tag) }

// parseDigest reads "sha256:…" or "sha512:…", in lower case as they must be.
func parseDigest(s string) (digest.Digest, error) {
	d, err := digest.Parse(s)
	if err != nil || (d.Algorithm() != digest.SHA256 && d.Algorithm() != digest.SHA512) {
		return "", errDigest("this is no digest: sha256:<64 hexadecimal digits> or sha512:<128>", s)
	}
	return d, nil
}

// The layout of the storage; docs/formats/registry-storage.md draws it.

func blobPath(d digest.Digest) string {
	return "/blobs/" + string(d.Algorithm()) + "/" + d.Encoded()[:2] + "/" + d.Encoded()
}

func trashPath(d digest.Digest) string {
	return "/trash/" + string(d.Algorithm()) + "/" + d.Encoded()[:2] + "/" + d.Encoded()
}

const markerPath = "/collecting"

func repoPath(repo string) string { return "/repositories/" + repo }

func linkPath(repo, what string, d digest.Digest) string {
	return repoPath(repo) + "/" + what + "/" + string(d.Algorithm()) + "/" + d.Encoded()
}

const (
	linkBlobs     = "_blobs"
	linkManifests = "_manifests"
	linkDeleted   = "_deleted"
	linkAside     = "_aside" // links of blobs that a running collection has taken away
)

func tagsPath(repo string) string     { return repoPath(repo) + "/_tags" }
func tagPath(repo, tag string) string { return tagsPath(repo) + "/" + tag }

func referrersPath(repo string, subject digest.Digest) string {
	return linkPath(repo, "_referrers", subject)
}

func referrerPath(repo string, subject, d digest.Digest) string {
	return referrersPath(repo, subject) + "/" + string(d.Algorithm()) + "-" + d.Encoded()
}

func uploadsPath(repo string) string    { return repoPath(repo) + "/_uploads" }
func uploadPath(repo, id string) string { return uploadsPath(repo) + "/" + id + "/data" }
func statePath(repo, id string) string  { return uploadsPath(repo) + "/" + id + "/state" }

// digestOfPath reads the digest that ends a path: <algorithm>/…/<hex>.
func digestOfPath(algorithm, hex string) (digest.Digest, bool) {
	d, err := parseDigest(algorithm + ":" + hex)
	return d, err == nil
}

func lastElement(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
