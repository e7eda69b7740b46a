package intake

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/job"
)

// Pushed stores what a push or an import brought, with the jobs that follow from it, in one transaction. m says
// what the manifest says, with a Kind by KindOf; Pushed, PushedBy, PushedFrom and Status are filled in. request is the id
// of the HTTP request, "" for none.
//
// An image is scanned; an index takes its status from its children; something that refers to an image, such as a
// signature, has that image decided anew.
func (s *Service) Pushed(ctx context.Context, m catalog.Manifest, by audit.Actor, request string) error {
	now := s.now()
	m.Pushed, m.PushedFrom = now, by.Address
	if m.PushedBy = by.Name; m.PushedBy == "" {
		m.PushedBy = by.ID
	}
	m.Status = catalog.Received
	var jobs []job.Job
	switch m.Kind {
	case catalog.KindImage:
		jobs = append(jobs, newJob(KindScan, order{Repository: m.Repository, Digest: m.Digest}, promptly, by, now))
	case catalog.KindArtifact:
		m.Status = catalog.NotScanned
		jobs = s.referred(jobs, &m, by, now)
	case catalog.KindIndex:
	default:
		return fmt.Errorf("storing %s: it is of the unknown kind %q", imageName(m.Repository, m.Digest), m.Kind)
	}
	action := "image.push"
	if m.Origin != "" {
		action = "image.import"
	}
	e := audit.New(now, by, action, imageObject(m.Repository, m.Digest))
	e.Request, e.Detail = request, pushDetail(&m)
	if err := s.Catalog.PutManifest(ctx, m, jobs, e); err != nil {
		return fmt.Errorf("storing %s: %w", imageName(m.Repository, m.Digest), err)
	}
	s.Touched(m.Repository)
	if m.Kind == catalog.KindIndex {
		if err := s.settleIndex(ctx, &m); err != nil {
			return err
		}
	}
	s.Changed("image", imageName(m.Repository, m.Digest))
	return nil
}

func pushDetail(m *catalog.Manifest) map[string]string {
	d := map[string]string{"kind": string(m.Kind), "mediaType": m.MediaType}
	if m.Subject != "" {
		d["subject"] = m.Subject
	}
	if m.Origin != "" {
		d["origin"] = m.Origin
	}
	return d
}

// referred orders a decision about the image that m refers to. What the hub itself attached proves nothing new.
func (s *Service) referred(jobs []job.Job, m *catalog.Manifest, by audit.Actor, now time.Time) []job.Job {
	if m.Subject == "" || by.Kind == audit.ActorSystem && by.ID == system.ID {
		return jobs
	}
	return append(jobs, newJob(KindTrust, order{Repository: m.Repository, Digest: m.Subject}, soon, by, now))
}

// sidecar is the tag under which Cosign stores what belongs to an image, where the registry has no referrers.
var sidecar = regexp.MustCompile(`^(sha256|sha512)-([0-9a-f]{64,128})\.(sig|att|sbom)$`)

// subjectOfTag is the digest that a tag speaks of by its form, "" for an ordinary tag.
func subjectOfTag(tag string) string {
	if p := sidecar.FindStringSubmatch(tag); p != nil {
		return p[1] + ":" + p[2]
	}
	return ""
}

// Tagged stores that a tag points at a manifest.
func (s *Service) Tagged(ctx context.Context, repository, tag, digest string, by audit.Actor, request string) error {
	now := s.now()
	e := audit.New(now, by, "tag.set", audit.Object{Kind: "tag", Name: repository + ":" + tag})
	e.Request, e.Detail = request, map[string]string{"digest": digest}
	t := catalog.Tag{Repository: repository, Name: tag, Digest: digest, Updated: now, By: by.Name}
	if err := s.Catalog.PutTag(ctx, t, e); err != nil {
		return fmt.Errorf("storing the tag %s:%s: %w", repository, tag, err)
	}
	s.Touched(repository)
	s.Changed("repository", repository)
	return s.aboutSubject(ctx, repository, tag)
}

// Untagged removes a tag.
func (s *Service) Untagged(ctx context.Context, repository, tag string, by audit.Actor, request string) error {
	e := audit.New(s.now(), by, "tag.delete", audit.Object{Kind: "tag", Name: repository + ":" + tag})
	e.Request = request
	if err := s.Catalog.DeleteTag(ctx, repository, tag, e); err != nil {
		return fmt.Errorf("deleting the tag %s:%s: %w", repository, tag, err)
	}
	s.Touched(repository)
	s.Changed("repository", repository)
	return s.aboutSubject(ctx, repository, tag)
}

// aboutSubject has the image decided anew whose signatures lie under a tag.
func (s *Service) aboutSubject(ctx context.Context, repository, tag string) error {
	subject := subjectOfTag(tag)
	if subject == "" {
		return nil
	}
	return s.enqueue(ctx, KindTrust, repository, subject, soon)
}

// Deleted deletes a manifest softly. Where it was a signature, what it signed is decided anew.
func (s *Service) Deleted(ctx context.Context, repository, digest string, by audit.Actor, request, reason string) error {
	m, err := s.Catalog.Manifest(ctx, repository, digest)
	if err != nil {
		return fmt.Errorf("deleting %s: %w", imageName(repository, digest), err)
	}
	now := s.now()
	e := audit.New(now, by, "image.delete", imageObject(repository, digest))
	e.Request, e.Reason = request, reason
	if err := s.Catalog.DeleteManifest(ctx, repository, digest, now, e); err != nil {
		return fmt.Errorf("deleting %s: %w", imageName(repository, digest), err)
	}
	s.Touched(repository)
	s.Changed("image", imageName(repository, digest))
	for _, j := range s.referred(nil, &m, by, now) {
		if _, err := s.Jobs.Enqueue(ctx, j); err != nil {
			return fmt.Errorf("ordering a %s of %s: %w", j.Kind, j.Key, err)
		}
	}
	return nil
}
