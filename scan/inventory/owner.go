package inventory

import (
	"hash/maphash"
	"strings"
)

// maxClaims bounds what one layer's package databases may claim: some ten times a full desktop.
const maxClaims = 5_000_000

// claims says which distribution package installed which path. Paths are kept as seeded sums: the maker of an image
// does not know the seed, so cannot choose two that collide.
type claims struct {
	seed   maphash.Seed
	list   []claimed
	owners []string
}

type claimed struct {
	path  uint64
	owner int32
}

func newClaims() claims { return claims{seed: maphash.MakeSeed()} }

// add reports false where there are too many claims already.
func (c *claims) add(x claim) bool {
	if len(c.list)+len(x.paths) > maxClaims {
		return false
	}
	c.owners = append(c.owners, x.owner)
	for _, p := range x.paths {
		c.list = append(c.list, claimed{c.sum(p), int32(len(c.owners) - 1)})
	}
	return true
}

func (c *claims) sum(p string) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	p = strings.TrimPrefix(p, "/")
	if mergedIntoUsr(p) {
		h.WriteString("usr/")
	}
	h.WriteString(p)
	return h.Sum64()
}

// mergedIntoUsr reports whether p lies in one of the directories that distributions have made links into usr. Package
// databases may still list files there.
func mergedIntoUsr(p string) bool {
	dir, _, _ := strings.Cut(p, "/")
	switch dir {
	case "bin", "sbin", "lib", "lib32", "lib64", "libx32":
		return true
	}
	return false
}

// resolveOwners tells executables and language packages who installed them.
func (w *Writer) resolveOwners() {
	if len(w.claims.list) == 0 {
		return
	}
	wanted := make(map[uint64][]*result, len(w.results))
	for p, r := range w.results {
		if r.exec != nil || len(r.packages) > 0 {
			sum := w.claims.sum(p)
			wanted[sum] = append(wanted[sum], r)
		}
	}
	for _, c := range w.claims.list {
		for _, r := range wanted[c.path] {
			r.own(w.claims.owners[c.owner])
		}
	}
}

func (r *result) own(owner string) {
	if r.exec != nil {
		r.exec.Owner = owner
	}
	for i := range r.packages {
		if p := &r.packages[i]; !isDistroType(p.Type) {
			p.OwnedBy = owner
		}
	}
}
