package intake

import (
	"cmp"
	"slices"
	"time"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

// Removal is a manifest that retention lets go, with the reason in words.
type Removal struct {
	Repository string    `json:"repository"`
	Digest     string    `json:"digest"`
	Tags       []string  `json:"tags,omitempty"`
	Pushed     time.Time `json:"pushed"`
	Size       int64     `json:"size"`
	Reason     string    `json:"reason"`
}

// Keep decides what of one repository goes at now: everything that nothing keeps. images are all of its manifests that
// are not deleted.
//
// Tagged ones are kept if they are among the newest, were pushed or pulled lately, or have a tag that is kept; without
// any such rule all tagged ones are. Untagged ones go after some days unless pulled lately; without that rule they stay.
// What an index lists stays and goes with it, and what refers to an image (a signature, an SBOM) with the image.
func Keep(images []catalog.Manifest, rule *catalog.Retention, now time.Time) []Removal {
	if rule == nil {
		return nil
	}
	k := newKeeper(images, rule, now)
	k.roots()
	k.spread()
	var out []Removal
	for i := range images {
		m := &images[i]
		if k.kept[m.Digest] || !m.Deleted.IsZero() {
			continue
		}
		out = append(out, Removal{m.Repository, m.Digest, m.Tags, m.Pushed, m.Size, k.reason(m)})
	}
	return out
}

type keeper struct {
	images []catalog.Manifest
	rule   *catalog.Retention
	now    time.Time

	by      map[string]*catalog.Manifest
	parents map[string][]string // indexes that list a digest
	subject map[string]string   // what a digest refers to, of those that are there
	kept    map[string]bool
	newest  map[string]bool
}

func newKeeper(images []catalog.Manifest, rule *catalog.Retention, now time.Time) *keeper {
	k := &keeper{
		images: images, rule: rule, now: now, by: map[string]*catalog.Manifest{}, parents: map[string][]string{},
		subject: map[string]string{}, kept: map[string]bool{}, newest: map[string]bool{},
	}
	for i := range images {
		if images[i].Deleted.IsZero() {
			k.by[images[i].Digest] = &images[i]
		}
	}
	for digest, m := range k.by {
		for _, child := range m.Children {
			k.parents[child] = append(k.parents[child], digest)
		}
		if s := subjectOf(m); s != digest && k.by[s] != nil {
			k.subject[digest] = s
		}
	}
	for _, m := range k.newestTagged() {
		k.newest[m.Digest] = true
	}
	return k
}

// subjectOf is what a manifest refers to, by its subject or by the form of its only tags.
func subjectOf(m *catalog.Manifest) string {
	if m.Subject != "" {
		return m.Subject
	}
	if m.Kind == catalog.KindImage && len(m.Tags) == 0 {
		return ""
	}
	subject := ""
	for _, tag := range m.Tags {
		s := subjectOfTag(tag)
		if s == "" || subject != "" && s != subject {
			return ""
		}
		subject = s
	}
	return subject
}

// newestTagged are the n newest of those with a tag of their own.
func (k *keeper) newestTagged() []*catalog.Manifest {
	var tagged []*catalog.Manifest
	for digest, m := range k.by {
		if len(m.Tags) > 0 && k.subject[digest] == "" {
			tagged = append(tagged, m)
		}
	}
	slices.SortFunc(tagged, func(a, b *catalog.Manifest) int {
		return cmp.Or(b.Pushed.Compare(a.Pushed), cmp.Compare(a.Digest, b.Digest))
	})
	return tagged[:min(max(k.rule.KeepNewest, 0), len(tagged))]
}

// roots keeps what stays for its own sake.
func (k *keeper) roots() {
	for digest, m := range k.by {
		switch {
		case k.subject[digest] != "": // goes with its subject
		case len(m.Tags) > 0:
			k.kept[digest] = k.keepsTagged(m)
		case len(k.parents[digest]) > 0: // goes with its indexes, unless somebody pulls it
			k.kept[digest] = k.pulledLately(m)
		default:
			k.kept[digest] = k.rule.Untagged == 0 || k.within(m.Pushed, k.rule.Untagged) || k.pulledLately(m)
		}
	}
}

func (k *keeper) keepsTagged(m *catalog.Manifest) bool {
	r := k.rule
	if r.KeepNewest == 0 && r.KeepDays == 0 && r.KeepPulled == 0 && len(r.KeepTags) == 0 {
		return true
	}
	return k.newest[m.Digest] || r.KeepDays > 0 && k.within(m.Pushed, r.KeepDays) || k.pulledLately(m) ||
		slices.ContainsFunc(m.Tags, func(tag string) bool {
			return slices.ContainsFunc(r.KeepTags, func(p string) bool { return finding.MatchPath(p, tag) })
		})
}

func (k *keeper) pulledLately(m *catalog.Manifest) bool {
	return k.rule.KeepPulled > 0 && k.within(m.Pulled, k.rule.KeepPulled)
}

// within: the moment lies in the last n days.
func (k *keeper) within(at time.Time, days int) bool {
	return !at.IsZero() && at.After(k.now.AddDate(0, 0, -days))
}

// spread keeps what hangs on what is kept, until nothing is added.
func (k *keeper) spread() {
	var queue []string
	for digest, kept := range k.kept {
		if kept {
			queue = append(queue, digest)
		}
	}
	referrers := map[string][]string{}
	for digest, s := range k.subject {
		referrers[s] = append(referrers[s], digest)
	}
	for len(queue) > 0 {
		digest := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		m := k.by[digest]
		for _, next := range slices.Concat(m.Children, referrers[digest]) {
			if k.by[next] != nil && !k.kept[next] {
				k.kept[next] = true
				queue = append(queue, next)
			}
		}
	}
}

func (k *keeper) reason(m *catalog.Manifest) string {
	switch {
	case k.subject[m.Digest] != "":
		return "what it refers to goes"
	case len(m.Tags) > 0:
		return "no rule keeps it"
	case len(k.parents[m.Digest]) > 0:
		return "listed only by indexes that go"
	}
	return "untagged for longer than the rule keeps"
}

// defaultGrace is how many days a deleted image can be restored where the rule does not say.
const defaultGrace = 7

// Expired lists the deleted manifests of a repository whose grace has ended at now.
func Expired(images []catalog.Manifest, rule *catalog.Retention, now time.Time) []Removal {
	days := defaultGrace
	if rule != nil && rule.GraceDays > 0 {
		days = rule.GraceDays
	}
	var out []Removal
	for i := range images {
		m := &images[i]
		if !m.Deleted.IsZero() && !now.Before(m.Deleted.AddDate(0, 0, days)) {
			out = append(out, Removal{m.Repository, m.Digest, m.Tags, m.Pushed, m.Size, "deleted, and its grace has ended"})
		}
	}
	return out
}
