package finding

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Key is the identity of the finding over time: the same for every rebuild of an image.
// scope is the repository or workload that the image belongs to.
func (f *Finding) Key(scope string) string {
	return key(scope, f.ID, f.Package.Type, f.Package.Name)
}

// Keys are all identities under which the finding may have been known: Key, then the same for each alias, because a
// group's canonical id changes when a CVE is assigned to it.
func (f *Finding) Keys(scope string) []string {
	keys := []string{f.Key(scope)}
	for _, alias := range f.Aliases {
		keys = append(keys, key(scope, alias, f.Package.Type, f.Package.Name))
	}
	return keys
}

// Key is the identity of the secret over time. The line is not part of it; the masked value is, so that another
// secret in the same place is another one.
func (x *Secret) Key(scope string) string {
	return key(scope, "secret", x.Rule, x.Path, x.Where, x.Masked)
}

// Keys are the identities of the check over time: one for each of its paths, or one where it has none.
func (c *Check) Keys(scope string) []string {
	if len(c.Paths) == 0 {
		return []string{key(scope, "check", c.ID, "")}
	}
	keys := make([]string, len(c.Paths))
	for i, p := range c.Paths {
		keys[i] = key(scope, "check", c.ID, p)
	}
	return keys
}

func key(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// Repository is the image's name without tag and digest: the scope of its findings. For a file or a directory it is
// the path as given.
func (i *Image) Repository() string {
	ref, _, _ := strings.Cut(i.Ref, "@")
	if c := strings.LastIndexByte(ref, ':'); c > strings.LastIndexByte(ref, '/') {
		ref = ref[:c]
	}
	return ref
}
