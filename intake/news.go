package intake

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/notify"
)

// news gathers which images are newly affected by what, to be told once for each advisory.
type news struct{ by map[string]*item }

// item is one advisory with the images that it newly affects.
type item struct {
	worst    finding.Finding // of its findings, the one that weighs most
	packages map[string]bool
	images   map[string]bool // by imageName
}

func newNews() *news { return &news{by: map[string]*item{}} }

func (n *news) add(f *finding.Finding, image string) {
	it := n.by[f.ID]
	if it == nil {
		it = &item{worst: *f, packages: map[string]bool{}, images: map[string]bool{}}
		n.by[f.ID] = it
	}
	if f.Severity > it.worst.Severity {
		it.worst = *f
	}
	it.packages[f.Package.Name] = true
	it.images[image] = true
}

// note notes what is new for an image: of the findings that the index says were added those that count, and where
// nothing was remembered those that the former result does not have under any name.
func (r *rematch) note(m *catalog.Manifest, before, after *finding.Result, changes []*Change) {
	wanted := map[[3]string]bool{}
	for _, c := range changes {
		for i := range c.Added {
			if !c.New && !r.all {
				wanted[findingName(&c.Added[i])] = true
			}
		}
	}
	var had map[[3]string]bool
	if before != nil {
		had = namesOf(before)
	}
	compare := before != nil && (r.all || slices.ContainsFunc(changes, func(c *Change) bool { return c.New }))
	name := imageName(m.Repository, m.Digest)
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range after.Findings {
		f := &after.Findings[i]
		if counts(f) && !r.told.has(f.ID, name) && (wanted[findingName(f)] || compare && !had[findingName(f)] && !hadAlias(had, f)) {
			r.news.add(f, name)
		}
	}
}

// findingName names a finding within one image: by advisory and package.
func findingName(f *finding.Finding) [3]string {
	return [3]string{f.ID, f.Package.Type, f.Package.Name}
}

// namesOf are the names of all findings, under each of their aliases.
func namesOf(r *finding.Result) map[[3]string]bool {
	had := make(map[[3]string]bool, len(r.Findings))
	for i := range r.Findings {
		f := &r.Findings[i]
		had[findingName(f)] = true
		for _, alias := range f.Aliases {
			had[[3]string{alias, f.Package.Type, f.Package.Name}] = true
		}
	}
	return had
}

func hadAlias(had map[[3]string]bool, f *finding.Finding) bool {
	return slices.ContainsFunc(f.Aliases, func(alias string) bool {
		return had[[3]string{alias, f.Package.Type, f.Package.Name}]
	})
}

// What one notification holds, and how many are raised by one change of the database, at most. The rest is summed up.
const (
	maxImagesTold = 50
	maxEvents     = 100
)

// events are the notifications, the weightiest first. Their ids follow from database, part and advisory, so that
// what is told twice after an interruption can be told apart.
func (n *news) events(database, part string, now time.Time, link func(string) string) []notify.Event {
	items := make([]*item, 0, len(n.by))
	for _, it := range n.by {
		items = append(items, it)
	}
	slices.SortFunc(items, func(a, b *item) int {
		return cmp.Or(cmp.Compare(b.worst.Severity, a.worst.Severity), cmp.Compare(len(b.images), len(a.images)), cmp.Compare(a.worst.ID, b.worst.ID))
	})
	var rest []*item
	if len(items) > maxEvents {
		items, rest = items[:maxEvents-1], items[maxEvents-1:]
	}
	events := make([]notify.Event, 0, len(items)+1)
	for _, it := range items {
		events = append(events, it.event(database+part, now, link))
	}
	if len(rest) > 0 {
		events = append(events, restEvent(rest, database+part, now, link))
	}
	return events
}

func (it *item) event(database string, now time.Time, link func(string) string) notify.Event {
	images := sorted(it.images)
	e := notify.Event{
		ID: eventID(database, it.worst.ID), Time: now, Kind: "newly-affected", Severity: it.worst.Severity,
		Title:  fmt.Sprintf("%s: newly affected: %s", it.worst.ID, plural(len(images), "image")),
		IDs:    append([]string{it.worst.ID}, it.worst.Aliases...),
		Link:   link("/advisories/" + it.worst.ID),
		Detail: map[string]string{"count": strconv.Itoa(len(images)), "packages": strings.Join(firstOf(sorted(it.packages), 20), ", ")},
	}
	e.Text = clip(it.worst.Title, 300)
	if it.worst.Fixed != "" {
		e.Detail["fixed"] = it.worst.Fixed
	}
	if it.worst.KEV != nil {
		e.Detail["exploited"] = "true"
	}
	e.Detail["images"] = strings.Join(firstOf(images, maxImagesTold), "\n")
	if len(images) == 1 {
		e.Repository, e.Digest, _ = strings.Cut(images[0], "@")
	} else {
		e.Repository = onlyRepository(images)
	}
	return e
}

// onlyRepository is the repository that all images are of, "" where there are several.
func onlyRepository(images []string) string {
	first, _, _ := strings.Cut(images[0], "@")
	for _, image := range images {
		if r, _, _ := strings.Cut(image, "@"); r != first {
			return ""
		}
	}
	return first
}

func restEvent(rest []*item, database string, now time.Time, link func(string) string) notify.Event {
	images := map[string]bool{}
	e := notify.Event{ID: eventID(database, "rest"), Time: now, Kind: "newly-affected", Severity: rest[0].worst.Severity, Link: link("/advisories")}
	for _, it := range rest {
		for image := range it.images {
			images[image] = true
		}
		if len(e.IDs) < maxImagesTold {
			e.IDs = append(e.IDs, it.worst.ID)
		}
	}
	e.Title = fmt.Sprintf("%s more: newly affected: %s", plural(len(rest), "advisory"), plural(len(images), "image"))
	e.Detail = map[string]string{"count": strconv.Itoa(len(images)), "advisories": strconv.Itoa(len(rest))}
	return e
}

// maxHeldTold is how many images that one change of the database had held are told one by one.
const maxHeldTold = 10

// heldEvents sums up images that became held, one notification for each status, where there are too many to be told
// one by one.
func heldEvents(all []notify.Event, link func(string) string) []notify.Event {
	if len(all) <= maxHeldTold {
		return all
	}
	var out []notify.Event
	for _, status := range []catalog.Status{catalog.Rejected, catalog.Quarantined} {
		kind := "image." + string(status)
		sum := notify.Event{ID: audit.NewID(), Kind: kind, Link: link("/images?status=" + string(status))}
		var images []string
		for i := range all {
			if e := &all[i]; e.Kind == kind {
				sum.Time, sum.Severity = e.Time, max(sum.Severity, e.Severity)
				images = append(images, imageName(e.Repository, e.Digest))
			}
		}
		if len(images) == 0 {
			continue
		}
		slices.Sort(images)
		sum.Title = fmt.Sprintf("%s became %s with new advisories", plural(len(images), "image"), status)
		sum.Repository = onlyRepository(images)
		sum.Detail = map[string]string{"count": strconv.Itoa(len(images)), "images": strings.Join(firstOf(images, maxImagesTold), "\n")}
		out = append(out, sum)
	}
	return out
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func eventID(database, advisory string) string {
	sum := sha256.Sum256([]byte("newly-affected\x00" + database + "\x00" + advisory))
	return hex.EncodeToString(sum[:16])
}

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for s := range set {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func firstOf(list []string, n int) []string { return list[:min(n, len(list))] }
