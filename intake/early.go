package intake

import (
	"context"
	"fmt"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

// tellFirst tells who is newly affected before any image is decided anew: what the index found is enough to know it, and
// to decide about thousands of images takes minutes. What cannot be known yet is told when the images are decided: of
// packages that nothing was remembered of, and where exceptions speak of paths.
func (r *rematch) tellFirst(ctx context.Context) error {
	r.told = newNews()
	if r.all {
		return nil
	}
	exceptions := map[string][]finding.Suppression{}
	for digest, changes := range r.changes {
		if !anyAdded(changes) {
			continue
		}
		images, err := r.s.Catalog.Locate(ctx, digest)
		if err != nil {
			return fmt.Errorf("looking for %s: %w", digest, err)
		}
		for i := range images {
			m := &images[i]
			if m.Digest != digest || m.Kind != catalog.KindImage || !m.Deleted.IsZero() || m.Scan == nil {
				continue
			}
			if _, known := exceptions[m.Repository]; !known {
				if exceptions[m.Repository], err = r.s.Catalog.Suppressions(ctx, m.Repository, r.start); err != nil {
					return fmt.Errorf("reading the exceptions of %s: %w", m.Repository, err)
				}
			}
			r.addTold(imageName(m.Repository, digest), changes, exceptions[m.Repository])
		}
	}
	for _, e := range r.told.events(r.target, "", r.s.now(), r.s.link) {
		r.s.Notify(e)
	}
	return nil
}

func anyAdded(changes []*Change) bool {
	for _, c := range changes {
		if !c.New && len(c.Added) > 0 {
			return true
		}
	}
	return false
}

func (r *rematch) addTold(image string, changes []*Change, exceptions []finding.Suppression) {
	for i := range exceptions {
		if exceptions[i].Path != "" || exceptions[i].Identity != "" {
			return
		}
	}
	for _, c := range changes {
		for i := range c.Added {
			if f := &c.Added[i]; !c.New && counts(f) && !r.excepted(f, exceptions) {
				r.told.add(f, image)
			}
		}
	}
}

func (r *rematch) excepted(f *finding.Finding, exceptions []finding.Suppression) bool {
	for i := range exceptions {
		if exceptions[i].Covers(f, r.start) {
			return true
		}
	}
	return false
}

// has reports whether an image is among those that an advisory newly affects.
func (n *news) has(advisory, image string) bool {
	it := n.by[advisory]
	return it != nil && it.images[image]
}
