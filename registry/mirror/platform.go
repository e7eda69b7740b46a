package mirror

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// attestationOf is the annotation by which builders tie an attestation to the image that an index lists beside it.
const attestationOf = "vnd.docker.reference.digest"

// pick chooses the manifests of an index for platforms, with their attestations where there are several.
func pick(index *document, platforms []string) ([]v1.Descriptor, error) {
	var out []v1.Descriptor
	var there []string
	for _, m := range index.body.Manifests {
		p := platformOf(m.Platform)
		if m.Annotations[attestationOf] == "" && p != "" {
			there = append(there, p)
		}
		if slices.ContainsFunc(platforms, func(want string) bool { return p != "" && matches(want, p) }) {
			out = append(out, m)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: %s is asked for, the index lists %s", ErrNoPlatform, strings.Join(platforms, ", "), bounded(strings.Join(there, ", ")))
	}
	if len(out) == 1 {
		return out, nil
	}
	for _, m := range index.body.Manifests {
		of := m.Annotations[attestationOf]
		if of != "" && slices.ContainsFunc(out, func(d v1.Descriptor) bool { return string(d.Digest) == of }) {
			out = append(out, m)
		}
	}
	return out, nil
}

// matches says whether a platform is the one asked for; without a variant, any will do.
func matches(want, p string) bool {
	return p == want || strings.Count(want, "/") == 1 && strings.HasPrefix(p, want+"/")
}

func platformOf(p *v1.Platform) string {
	if p == nil || p.OS == "" || p.Architecture == "" {
		return ""
	}
	out := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		out += "/" + p.Variant
	}
	return out
}

// reduce makes an index of the same form that lists only some of the manifests.
func reduce(index *document, keep []v1.Descriptor) (*document, error) {
	var whole map[string]json.RawMessage
	var list struct {
		Manifests []json.RawMessage `json:"manifests"`
	}
	if err := json.Unmarshal(index.bytes, &whole); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(index.bytes, &list); err != nil {
		return nil, err
	}
	kept := []json.RawMessage{}
	for i, m := range index.body.Manifests {
		if slices.ContainsFunc(keep, func(d v1.Descriptor) bool { return d.Digest == m.Digest }) {
			kept = append(kept, list.Manifests[i])
		}
	}
	var err error
	if whole["manifests"], err = json.Marshal(kept); err != nil {
		return nil, err
	}
	p, err := json.Marshal(whole)
	if err != nil {
		return nil, err
	}
	return readDocument(digest.FromBytes(p), index.mediaType, p)
}
