package image

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// saved is an entry of manifest.json. Source: moby/docker-image-spec, v1.2, Combined Image JSON + Filesystem
// Changeset Format.
type saved struct {
	Config   string         `json:"Config"`
	RepoTags listed[string] `json:"RepoTags"`
	Layers   listed[string] `json:"Layers"`
}

func readSaved(st store, lim *Limits) ([]saved, error) {
	raw, err := readAll(st, "manifest.json", lim.MaxMetadata)
	if err != nil {
		return nil, err
	}
	var list listed[saved]
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("parsing manifest.json: %w", err)
	}
	if len(list) > lim.MaxImages {
		return nil, fmt.Errorf("images of manifest.json: %w of %d", ErrLimit, lim.MaxImages)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: manifest.json lists no image", ErrNotImage)
	}
	return list, nil
}

// openDockerArchive makes an image of each entry of manifest.json.
func openDockerArchive(st store, r *resolver) ([]*Image, error) {
	list, err := readSaved(st, &r.lim)
	if err != nil {
		return nil, err
	}
	var images []*Image
	for _, s := range list {
		img, err := s.image(st, &r.lim)
		if err != nil {
			return nil, fmt.Errorf("image %.200q of manifest.json: %w", s.Config, err)
		}
		img.Ref = r.ref
		images = append(images, img)
	}
	return r.wantedOf(images)
}

func (s *saved) image(st store, lim *Limits) (*Image, error) {
	raw, err := readAll(st, s.Config, lim.MaxMetadata)
	if err != nil {
		return nil, err
	}
	img, err := imageOf(raw, lim)
	if err != nil {
		return nil, err
	}
	img.ID, img.IDKind, img.Tags = sha256Of(raw), IDConfig, s.RepoTags
	if named := s.configDigest(); named != "" {
		if err := compareDigest("the configuration", named, img.ID); err != nil {
			return nil, err
		}
	}
	if len(s.Layers) != len(img.Layers) {
		return nil, fmt.Errorf("manifest.json lists %d layers, the configuration %d diff ids", len(s.Layers), len(img.Layers))
	}
	for i, name := range s.Layers {
		l := &img.Layers[i]
		if l.Blob, err = st.blob(name); err != nil {
			return nil, fmt.Errorf("%s: %w", l.Name(), err)
		}
		l.Size = l.Blob.Length
	}
	return img, nil
}

// configDigest is the digest that the configuration's file name claims; "" when it is named otherwise.
func (s *saved) configDigest() string {
	base := strings.TrimSuffix(path.Base(s.Config), ".json")
	digest := "sha256:" + strings.TrimPrefix(base, "sha256:")
	if checkDigest(digest) != nil {
		return ""
	}
	return digest
}

// wantedOf drops what is not for the wanted platform, if one is asked for: an archive holds one platform of each
// image.
func (r *resolver) wantedOf(images []*Image) ([]*Image, error) {
	if r.opts.Platform == "" || r.opts.AllPlatforms {
		return images, nil
	}
	want, err := parsePlatform(r.opts.Platform)
	if err != nil {
		return nil, err
	}
	var kept []*Image
	for _, img := range images {
		p, err := parsePlatformOrNone(img.Platform)
		if err != nil {
			return nil, err
		}
		if p.match(want) != noMatch {
			kept = append(kept, img)
		}
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("no image for platform %s: there is %s", want, images[0].Platform)
	}
	return kept, nil
}

// addSavedTags gives images of a layout the names that manifest.json has for them: docker save writes both.
func addSavedTags(st store, images []*Image, lim *Limits) {
	list, err := readSaved(st, lim)
	if err != nil {
		return
	}
	for _, s := range list {
		for _, img := range images {
			if !slices.Contains(img.Aliases, s.configDigest()) {
				continue
			}
			img.Tags = slices.Compact(slices.Sorted(slices.Values(append(img.Tags, s.RepoTags...))))
		}
	}
}
