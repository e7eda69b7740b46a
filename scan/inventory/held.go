package inventory

import "github.com/seawall/seawall/finding"

// held is a package in the merged tree. The Package itself belongs to its Layer and is not changed.
type held struct {
	*Package
	layer    *finding.LayerRef
	licences []string
	path     string // where it differs from the package's, because of a hard link
}

// named gives the package of the inventory. A distribution's package gets the ecosystem and URL that need the
// distribution.
func (h *held) named(d *finding.Distro) finding.Package {
	x := h.Package.Package
	x.Layer, x.Licenses = h.layer, h.licences
	if h.path != "" {
		x.Path = h.path
	}
	if isDistroType(x.Type) {
		x.Ecosystem = ecosystemFor(x.Type, d.Ecosystem)
		x.PURL = distroPURL(&x, d)
	}
	return x
}

// olderList finds packages in the list that a file held before an upper layer wrote it anew. Both lists mostly agree
// and have the same order, so it looks at the next place first.
type olderList struct {
	list  []held
	next  int // all before it have been found or passed by
	byKey map[packageKey]*held
}

type packageKey struct{ typ, name, version, arch string }

func (p *Package) key() packageKey { return packageKey{p.Type, p.Name, p.Version, p.Arch} }

// find returns the package of the same name, version and architecture, or nil.
func (o *olderList) find(p *Package) *held {
	if o.next < len(o.list) {
		old := &o.list[o.next]
		if same := old.Name == p.Name; same && old.key() == p.key() {
			o.next++
			return old
		} else if same { // another version, most likely
			o.next++
		}
	}
	if o.next == len(o.list) && o.byKey == nil {
		return nil // what is new stands at the end
	}
	if o.byKey == nil {
		o.byKey = make(map[packageKey]*held, len(o.list))
		for i := range o.list {
			o.byKey[o.list[i].key()] = &o.list[i]
		}
	}
	return o.byKey[p.key()]
}
