package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// content is where manifests, configurations and layers come from: a layout or a registry.
type content interface {
	// metadata returns the bytes that d names, checked against its digest and at most limit long.
	// What is not there is fs.ErrNotExist.
	metadata(ctx context.Context, d descriptor, limit int64) ([]byte, error)
	// layer returns a layer's blob without reading it.
	layer(d descriptor) (Blob, error)
	// has reports whether the content of d may be there: cheap, and true where only asking would tell.
	has(d descriptor) bool
}

// maxIndexDepth bounds indexes within indexes. Nobody needs more than two.
const maxIndexDepth = 8

// resolver goes from descriptors to images.
type resolver struct {
	content content
	opts    *Options
	lim     Limits
	ref     string
	notes   []string
	seen    int
}

// leaf is one platform manifest of the tree of indexes.
type leaf struct {
	desc     descriptor
	raw      []byte // nil until fetched
	group    string // leaves of one group are platforms of one image
	tags     []string
	indexes  []string // digests of the indexes above
	platform platform
}

// images resolves the top descriptors: those of index.json, or the one that a registry gave.
func (r *resolver) images(ctx context.Context, top []descriptor) ([]*Image, error) {
	var leaves []leaf
	for _, d := range top {
		l := leaf{desc: d, group: d.name()}
		if l.group != "" {
			l.tags = []string{l.group}
		}
		if err := r.expand(ctx, l, 0, &leaves); err != nil {
			return nil, err
		}
	}
	chosen, err := r.choose(ctx, leaves)
	if err != nil {
		return nil, err
	}
	var images []*Image
	for i := range chosen {
		img, err := r.load(ctx, &chosen[i])
		if err != nil {
			return nil, fmt.Errorf("manifest %s: %w", chosen[i].desc.Digest, err)
		}
		images = append(images, img)
	}
	return images, nil
}

// expand appends the platform manifests under l. A manifest is not fetched before it is chosen, unless its
// descriptor does not say what it is.
func (r *resolver) expand(ctx context.Context, l leaf, depth int, out *[]leaf) error {
	if r.seen++; r.seen > r.lim.MaxImages {
		return fmt.Errorf("manifests of the index: %w of %d", ErrLimit, r.lim.MaxImages)
	}
	if depth > maxIndexDepth {
		return fmt.Errorf("indexes within indexes: %w of %d", ErrLimit, maxIndexDepth)
	}
	if err := checkDigest(l.desc.Digest); err != nil {
		return err
	}
	if l.desc.isAttachment() {
		r.note("%s is an attestation, not an image", l.desc.Digest)
		return nil
	}
	if l.desc.Platform != nil {
		l.platform = l.desc.Platform.normal()
	}
	if isImageType(l.desc.MediaType) || !r.content.has(l.desc) {
		*out = append(*out, l)
		return nil
	}
	return r.expandFetched(ctx, l, depth, out)
}

func (r *resolver) expandFetched(ctx context.Context, l leaf, depth int, out *[]leaf) error {
	m, err := r.fetch(ctx, &l)
	if err != nil {
		return fmt.Errorf("manifest %s: %w", l.desc.Digest, err)
	}
	if !m.isIndex() {
		*out = append(*out, l)
		return nil
	}
	for _, d := range *m.Manifests {
		child := leaf{desc: d, group: l.group, tags: l.tags, indexes: append(slices.Clip(l.indexes), l.desc.Digest)}
		if err := r.expand(ctx, child, depth+1, out); err != nil {
			return err
		}
	}
	return nil
}

func (r *resolver) fetch(ctx context.Context, l *leaf) (*manifest, error) {
	if l.raw == nil {
		raw, err := r.content.metadata(ctx, l.desc, r.lim.MaxMetadata)
		if err != nil {
			return nil, err
		}
		l.raw = raw
	}
	return parseManifest(l.raw)
}

// choose picks the wanted platform of each group.
func (r *resolver) choose(ctx context.Context, leaves []leaf) ([]leaf, error) {
	leaves, err := r.present(leaves)
	if err != nil {
		return nil, err
	}
	if leaves, err = r.withPlatforms(ctx, leaves); err != nil || r.opts.AllPlatforms {
		return leaves, err
	}
	want, explicit := hostPlatform(), r.opts.Platform != ""
	if explicit {
		if want, err = parsePlatform(r.opts.Platform); err != nil {
			return nil, err
		}
	}
	var chosen []leaf
	for _, group := range byGroup(leaves) {
		best := bestOf(group, want)
		if len(best) == 0 && len(group) == 1 && !explicit {
			best = group
		}
		if len(best) == 0 {
			return nil, fmt.Errorf("no image for platform %s: there is %s; choose one with Platform (--platform)", want, platformsOf(group))
		}
		chosen = append(chosen, best...)
	}
	return chosen, nil
}

// present drops what an archive lists without holding it: docker save writes the whole index of an image of which
// only one platform was pulled.
func (r *resolver) present(leaves []leaf) ([]leaf, error) {
	var have []leaf
	for _, l := range leaves {
		if r.content.has(l.desc) {
			have = append(have, l)
		} else {
			r.note("%s %s is listed, but its content is not here", l.desc.Digest, l.platform)
		}
	}
	switch {
	case len(leaves) == 0:
		return nil, fmt.Errorf("%w: the index lists no image", ErrNotImage)
	case len(have) == 0:
		return nil, fmt.Errorf("manifest %s: %w", leaves[0].desc.Digest, fs.ErrNotExist)
	}
	return have, nil
}

// withPlatforms asks the configurations of those whose descriptor tells no platform, and drops artifacts.
func (r *resolver) withPlatforms(ctx context.Context, leaves []leaf) ([]leaf, error) {
	if len(leaves) == 1 && r.opts.Platform == "" {
		return leaves, nil
	}
	var kept []leaf
	for _, l := range leaves {
		if l.platform.unknown() {
			c, err := r.peekConfig(ctx, &l)
			if errors.Is(err, ErrNotImage) && len(leaves) > 1 {
				r.note("%s is not an image: %v", l.desc.Digest, err)
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("manifest %s: %w", l.desc.Digest, err)
			}
			if l.platform, err = parsePlatformOrNone(c.Platform); err != nil {
				return nil, err
			}
		}
		kept = append(kept, l)
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("%w: the index lists only artifacts", ErrNotImage)
	}
	return kept, nil
}

func parsePlatformOrNone(s string) (platform, error) {
	if s == "" {
		return platform{}, nil
	}
	return parsePlatform(s)
}

func (r *resolver) peekConfig(ctx context.Context, l *leaf) (*Image, error) {
	m, err := r.fetch(ctx, l)
	if err != nil {
		return nil, err
	}
	img, _, err := r.config(ctx, m)
	return img, err
}

func byGroup(leaves []leaf) [][]leaf {
	var groups [][]leaf
	at := map[string]int{}
	for _, l := range leaves {
		i, ok := at[l.group]
		if !ok {
			i = len(groups)
			at[l.group] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], l)
	}
	return groups
}

// bestOf returns the leaves that match want best; none if none does.
func bestOf(group []leaf, want platform) []leaf {
	best := noMatch
	for _, l := range group {
		best = max(best, l.platform.match(want))
	}
	if best == noMatch {
		return nil
	}
	var out []leaf
	for _, l := range group {
		if l.platform.match(want) == best {
			out = append(out, l)
		}
	}
	return out
}

func platformsOf(group []leaf) string {
	var names []string
	for _, l := range group {
		names = append(names, l.platform.String())
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > 20 {
		names = append(names[:20], "…")
	}
	return strings.Join(names, ", ")
}

// load makes the image of a chosen manifest.
func (r *resolver) load(ctx context.Context, l *leaf) (*Image, error) {
	m, err := r.fetch(ctx, l)
	if err != nil {
		return nil, err
	}
	if m.isIndex() {
		return nil, errors.New("an index where its descriptor promises an image")
	}
	img, configDigest, err := r.config(ctx, m)
	if err != nil {
		return nil, err
	}
	if img.Platform == "" {
		img.Platform, img.OS = l.platform.String(), l.platform.OS
	}
	img.Ref, img.ID, img.IDKind = r.ref, l.desc.Digest, IDManifest
	img.Tags = slices.Clone(l.tags)
	img.Aliases = append(slices.Clone(l.indexes), configDigest)
	return img, r.layers(img, m)
}

// config reads the configuration that a manifest names.
func (r *resolver) config(ctx context.Context, m *manifest) (*Image, string, error) {
	if m.Config == nil || !isImageConfig(m.Config.MediaType) {
		kind := m.ArtifactType
		if m.Config != nil && kind == "" {
			kind = m.Config.MediaType
		}
		return nil, "", fmt.Errorf("%w: an artifact of type %.100q", ErrNotImage, kind)
	}
	d := *m.Config
	if d.MediaType == "" {
		d.MediaType = configType // registries serve manifests and blobs from two places
	}
	raw, err := r.content.metadata(ctx, d, r.lim.MaxMetadata)
	if err != nil {
		return nil, "", fmt.Errorf("configuration %.160s: %w", m.Config.Digest, err)
	}
	img, err := imageOf(raw, &r.lim)
	return img, m.Config.Digest, err
}

// layers gives the image's layers their blobs.
func (r *resolver) layers(img *Image, m *manifest) error {
	if len(m.Layers) != len(img.Layers) {
		return fmt.Errorf("the manifest lists %d layers, the configuration %d diff ids", len(m.Layers), len(img.Layers))
	}
	for i, d := range m.Layers {
		l := &img.Layers[i]
		l.Digest, l.Size = d.Digest, d.Size
		blob, err := r.layerBlob(img, d)
		if err != nil {
			return fmt.Errorf("%s: %w", l.Name(), err)
		}
		l.Blob = blob
	}
	return nil
}

func (r *resolver) layerBlob(img *Image, d descriptor) (Blob, error) {
	if err := checkDigest(d.Digest); err != nil {
		return Blob{}, err
	}
	if strings.HasSuffix(d.MediaType, "+encrypted") {
		return Blob{}, errors.New("the layer is encrypted: decrypt the image first")
	}
	blob, err := r.content.layer(d)
	if d.isForeign() && (err != nil || !blob.Local()) {
		// Windows bases are made of these: such an image is still worth naming, nobody reads its layers.
		if img.OS == "windows" {
			return Blob{Length: d.Size, broken: ErrForeignLayer}, nil
		}
		return Blob{}, ErrForeignLayer
	}
	if err != nil {
		return Blob{}, err
	}
	if blob.Local() && d.Size > 0 && blob.Length != d.Size {
		return Blob{}, fmt.Errorf("%w: the blob has %d bytes, the manifest says %d", ErrDigest, blob.Length, d.Size)
	}
	return blob, nil
}

// maxNotes keeps a hostile index from filling reports.
const maxNotes = 50

func (r *resolver) note(format string, args ...any) {
	if len(r.notes) < maxNotes {
		r.notes = append(r.notes, fmt.Sprintf(format, args...))
	}
}
