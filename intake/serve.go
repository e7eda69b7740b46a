package intake

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seawall/seawall/catalog"
)

// Answer says whether a pull is served.
type Answer struct {
	Serve bool
	// Status is the one that counts: to mark what is served in spite of it.
	Status catalog.Status
	// Stale: the verdict is older than the rules allow, and a new one was not there in time.
	Stale bool
	// Message is for who pulls, where Serve is false: "held: 2 critical findings; see https://…".
	Message string
}

// Touched forgets what is remembered about pulls of a repository, or with "" about all. Call it after a change that did
// not come through this service: a person's decision, a restored image.
func (s *Service) Touched(repository string) { s.answers.forget(repository) }

// Serve decides whether a manifest is served. held: who asks may pull what is held. The error wraps
// catalog.ErrNotFound for what is not there or deleted.
//
// An index is served where one of its platforms is: each platform is asked for by itself afterwards, and the index
// holds nothing but their digests.
func (s *Service) Serve(ctx context.Context, repository, digest string, held bool) (Answer, error) {
	return s.remembered(ctx, answerKey{repository: repository, digest: digest}, held, func(eff *catalog.Effective) (Answer, error) {
		m, err := s.present(ctx, repository, digest)
		if err != nil {
			return Answer{}, err
		}
		return s.serveManifest(ctx, eff, &m, 0)
	})
}

// ServeBlob decides whether a blob's content is served: it is if an image of the repository that names it is, or an
// artifact where no image does: else whoever pushes could let the content of what is held out by naming it once more. A
// blob that no manifest names yet is being pushed: under enforcement nobody has looked at it, and it is held.
func (s *Service) ServeBlob(ctx context.Context, repository, digest string, held bool) (Answer, error) {
	return s.remembered(ctx, answerKey{repository, digest, true}, held, func(eff *catalog.Effective) (Answer, error) {
		if eff.Mode == catalog.Observe {
			return Answer{Serve: true}, nil
		}
		holding, err := s.Catalog.Holding(ctx, repository, digest)
		if err != nil {
			return Answer{}, fmt.Errorf("asking what holds %s: %w", digest, err)
		}
		no := Answer{Message: "held: it is part of no image that was released"}
		holding = deciding(holding, digest)
		for i := range holding {
			a, err := s.serveManifest(ctx, eff, &holding[i], 0)
			if err != nil || a.Serve {
				return a, err
			}
			no = a
		}
		return no, nil
	})
}

// emptyBlob is the configuration of artifacts that have none: "{}". It is always the same, and whoever names it, too.
const emptyBlob = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

// deciding are the manifests that decide whether a blob is served: of those that are not deleted the images, where there
// are any.
func deciding(holding []catalog.Manifest, digest string) []catalog.Manifest {
	holding = slices.DeleteFunc(holding, func(m catalog.Manifest) bool { return !m.Deleted.IsZero() })
	isArtifact := func(m catalog.Manifest) bool { return m.Kind == catalog.KindArtifact }
	isNot := func(m catalog.Manifest) bool { return !isArtifact(m) }
	if digest == emptyBlob && slices.ContainsFunc(holding, isArtifact) || !slices.ContainsFunc(holding, isNot) {
		return slices.DeleteFunc(holding, isNot)
	}
	return slices.DeleteFunc(holding, isArtifact)
}

// remembered asks once for many pulls. Who may pull what is held is not asked about at all.
func (s *Service) remembered(ctx context.Context, k answerKey, held bool, ask func(*catalog.Effective) (Answer, error)) (Answer, error) {
	now := s.now()
	kept, at, ok := s.answers.get(k, now)
	if ok {
		return kept, nil
	}
	eff, err := s.effective(ctx, k.repository)
	if err != nil {
		return Answer{}, err
	}
	if held {
		eff.Mode, eff.VerdictMaxAge = catalog.Observe, 0
	}
	a, err := ask(&eff)
	if err == nil && a.Serve && !held && !a.Stale {
		s.answers.put(k, at, a, now)
	}
	return a, err
}

// present reads a manifest that is not deleted.
func (s *Service) present(ctx context.Context, repository, digest string) (catalog.Manifest, error) {
	m, err := s.Catalog.Manifest(ctx, repository, digest)
	if err == nil && !m.Deleted.IsZero() {
		err = catalog.ErrNotFound
	}
	if err != nil {
		return m, fmt.Errorf("reading %s: %w", imageName(repository, digest), err)
	}
	return m, nil
}

// maxNesting bounds indexes within indexes.
const maxNesting = 4

func (s *Service) serveManifest(ctx context.Context, eff *catalog.Effective, m *catalog.Manifest, depth int) (Answer, error) {
	switch m.Kind {
	case catalog.KindArtifact:
		return Answer{Serve: true, Status: catalog.NotScanned}, nil
	case catalog.KindIndex:
		return s.serveIndex(ctx, eff, m, depth)
	}
	return s.serveImage(ctx, eff, m)
}

// serveIndex serves an index of which one platform is served. A person's decision about the index itself comes first,
// and reaches no further than the index.
func (s *Service) serveIndex(ctx context.Context, eff *catalog.Effective, m *catalog.Manifest, depth int) (Answer, error) {
	now := s.now()
	status := m.EffectiveStatus(now)
	if eff.Mode == catalog.Observe || m.Override != nil && status != m.Status {
		return s.answer(eff, m, status, now), nil
	}
	platforms := 0
	for _, digest := range m.Children {
		child, err := s.Catalog.Manifest(ctx, m.Repository, digest)
		if err != nil && !gone(err) {
			return Answer{}, fmt.Errorf("reading %s: %w", imageName(m.Repository, digest), err)
		}
		if err != nil || !child.Deleted.IsZero() || child.Kind == catalog.KindArtifact {
			continue
		}
		platforms++
		if depth >= maxNesting {
			continue
		}
		a, err := s.serveManifest(ctx, eff, &child, depth+1)
		if err != nil || a.Serve {
			return a, err
		}
	}
	a := s.answer(eff, m, status, now)
	a.Serve = platforms == 0 && a.Serve
	return a, nil
}

// serveImage serves an image by its status, after a fresh match where the rules ask for one.
func (s *Service) serveImage(ctx context.Context, eff *catalog.Effective, m *catalog.Manifest) (Answer, error) {
	now := s.now()
	if m.EffectiveStatus(now) != m.Status { // a person decided
		return s.answer(eff, m, m.EffectiveStatus(now), now), nil
	}
	stale := false
	switch {
	case m.Status == catalog.Received:
		if err := s.scanOnPull(ctx, eff, m); err != nil {
			return Answer{}, err
		}
	case s.stale(ctx, eff, m, now):
		stale = !s.freshen(ctx, m)
	}
	a := s.answer(eff, m, m.EffectiveStatus(now), now)
	if a.Stale = stale; stale && a.Serve && eff.Mode == catalog.Enforce {
		a.Serve, a.Message = false, "held: it is being matched against newer advisories, try again in a moment"
	}
	return a, nil
}

// answer is the one that the status gives.
func (s *Service) answer(eff *catalog.Effective, m *catalog.Manifest, status catalog.Status, now time.Time) Answer {
	a := Answer{Serve: eff.Serves(m, now), Status: status}
	if !a.Serve {
		reasons := m.Reasons
		if o := m.Override; o != nil && status != m.Status {
			reasons = []catalog.Reason{{Source: "person", Message: fmt.Sprintf("%s by %s: %s", status, o.By, o.Reason)}}
		}
		a.Message = Held(status, reasons, s.Console, m.Repository, m.Digest)
	}
	return a
}
