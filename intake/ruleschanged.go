package intake

import (
	"context"
	"fmt"
	"reflect"

	"github.com/seawall/seawall/catalog"
)

// RulesChanged orders what follows when the rules were before and are now after: the images of each repository for
// which the gate, trust, due dates or owner differ are decided anew. A change of mode needs no new decision and holds
// at once.
func (s *Service) RulesChanged(ctx context.Context, before, after []catalog.Rule) error {
	s.rules.forget()
	s.Touched("")
	err := s.repositories(ctx, func(name string) error {
		was, is := catalog.Resolve(name, before), catalog.Resolve(name, after)
		if sameDecision(&was, &is) {
			return nil
		}
		return s.enqueue(ctx, KindRedecide, name, "", later)
	})
	if err != nil {
		return fmt.Errorf("looking for the repositories of the changed rules: %w", err)
	}
	return nil
}

// sameDecision: an image is decided alike under both.
func sameDecision(a, b *catalog.Effective) bool {
	return a.Gate == b.Gate && a.Owner == b.Owner && reflect.DeepEqual(a.Due, b.Due) && reflect.DeepEqual(a.Trust, b.Trust)
}

// redecideBatch is how many images one job decides before it hands on to the next.
const redecideBatch = 500

// redecide is the handler of KindRedecide.
func (s *Service) redecide(ctx context.Context, o order, progress func(string)) error {
	q := catalog.Images{Repository: o.Repository, Kind: catalog.KindImage, Sort: "name", Cursor: o.Cursor, Limit: redecideBatch}
	page, err := s.Catalog.Manifests(ctx, q)
	if gone(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("listing the images of %s: %w", o.Repository, err)
	}
	for i := range page.Items {
		progress(fmt.Sprintf("image %d of %d", i+1, len(page.Items)))
		if err := s.match(ctx, o.Repository, page.Items[i].Digest); err != nil {
			return err
		}
	}
	if page.Next == "" {
		return nil
	}
	next := newJob(KindRedecide, order{Repository: o.Repository, Cursor: page.Next}, later, system, s.now())
	next.Key += "#" + digestOf([]byte(page.Next))[7:23] // not the key of a change that comes meanwhile
	if _, err := s.Jobs.Enqueue(ctx, next); err != nil {
		return fmt.Errorf("ordering the next images of %s: %w", o.Repository, err)
	}
	return nil
}
