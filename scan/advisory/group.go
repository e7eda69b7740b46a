package advisory

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/seawall/seawall/finding"
)

// grouper turns the hits of a package into rows, one per vulnerability. docs/decisions/0010-advisory-groups.md
// says why it merges as it does. It remembers names and records of one run.
type grouper struct {
	db               *DB
	firstCVE, endCVE uint32 // the places of ids that begin with "CVE-"
	ids              map[uint32]string
	records          map[uint32]*known
	scores           map[uint32]*foundScore // best score of others by place of a CVE, nil for none
	titles           titleCache
	lists            map[*byte]map[uint32]bool // records by where a package's entries begin
	knowns           room[known]
	places           room[uint32]
	scratch          []uint32
}

func newGrouper(db *DB) (g grouper, err error) {
	g = grouper{
		db: db, ids: map[uint32]string{}, records: map[uint32]*known{}, scores: map[uint32]*foundScore{},
		titles: titleCache{}, lists: map[*byte]map[uint32]bool{},
	}
	if g.firstCVE, _, err = db.findName("CVE-"); err != nil {
		return g, err
	}
	g.endCVE, _, err = db.findName("CVE.") // the byte after "-"
	return g, err
}

func (g *grouper) isCVE(place uint32) bool { return g.firstCVE <= place && place < g.endCVE }

// member is one record in a group, with its hits on the package.
type member struct {
	*known
	hits   []hit
	cves   []uint32 // distinct CVEs among id, aliases and upstream
	bundle bool     // only attached: it speaks of other vulnerabilities too
}

// group is a row to be.
type group struct {
	id      string
	cves    []uint32 // that the row is about
	members []*member
}

func (g *grouper) id(place uint32) (string, error) {
	if s, ok := g.ids[place]; ok {
		return s, nil
	}
	s, err := g.db.name(place)
	g.ids[place] = s
	return s, err
}

// record reads a record without its id: most are only asked for a score.
func (g *grouper) record(rec uint32) (*known, error) {
	if k, ok := g.records[rec]; ok {
		return k, nil
	}
	k := &g.knowns.take(1)[0]
	err := g.db.recordInto(k, rec, &g.places)
	g.records[rec] = k
	return k, err
}

// rows groups the hits of one package.
func (g *grouper) rows(l *looked, eco string) ([]finding.Finding, error) {
	members, err := g.members(l)
	if err != nil || len(members) == 0 {
		return nil, err
	}
	groups, err := g.group(members)
	if err != nil {
		return nil, err
	}
	rows := make([]finding.Finding, len(groups))
	for i, gr := range groups {
		if err = g.row(&rows[i], gr, eco); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func byRecord(a, b hit) int { return cmp.Compare(a.rec, b.rec) }

// members joins the hits of each record, in the order of record ids. A withdrawn record never matches, also not in
// a file that lists it.
func (g *grouper) members(l *looked) ([]*member, error) {
	hits := l.hits
	if !slices.IsSortedFunc(hits, byRecord) {
		slices.SortStableFunc(hits, byRecord)
	}
	all := make([]member, 0, len(hits))
	out := make([]*member, 0, len(hits))
	for len(hits) > 0 {
		n := 1
		for n < len(hits) && hits[n].rec == hits[0].rec {
			n++
		}
		k, err := g.record(hits[0].rec)
		if err != nil {
			return nil, err
		}
		m := member{known: k, hits: hits[:n:n]}
		hits = hits[n:]
		if !k.withdrawn.IsZero() {
			continue
		}
		if k.id, err = g.id(k.place); err != nil {
			return nil, err
		}
		if m.cves, err = g.cvesOf(k); err != nil {
			return nil, err
		}
		overruled, err := g.overruled(&m, l.ordinary)
		if err != nil {
			return nil, err
		}
		if !overruled {
			all = append(all, m)
			out = append(out, &all[len(all)-1])
		}
	}
	return out, nil
}

// overruled: only extended support's data says that the package is affected, and the release's own advisories speak
// of the same vulnerabilities of this package: their word counts.
func (g *grouper) overruled(m *member, ordinary [][]byte) (bool, error) {
	if m.hits = preferOrdinary(m.hits); !m.hits[0].subject.eco.extended {
		return false, nil
	}
	if g.anyLists(ordinary, m.rec) {
		return true, nil
	}
	for _, cve := range m.cves {
		n, err := g.db.entryAt(cve, &g.places)
		if err != nil {
			return false, err
		}
		spoken := n.rec >= 0 && g.anyLists(ordinary, uint32(n.rec)) ||
			slices.ContainsFunc(n.refs, func(rec uint32) bool { return g.anyLists(ordinary, rec) })
		if !spoken {
			return false, nil
		}
	}
	return len(m.cves) > 0, nil
}

// preferOrdinary leaves hits of extended support out where there are others.
func preferOrdinary(hits []hit) []hit {
	extended := func(h hit) bool { return h.subject.eco.extended }
	if !slices.ContainsFunc(hits, extended) || !slices.ContainsFunc(hits, func(h hit) bool { return !extended(h) }) {
		return hits
	}
	return slices.DeleteFunc(slices.Clone(hits), extended)
}

// unread names the records whose versions could not be read and that did not hit by what could.
func (g *grouper) unread(l *looked) (ids []string, err error) {
	slices.Sort(l.unread)
	for _, rec := range slices.Compact(l.unread) {
		if slices.ContainsFunc(l.hits, func(h hit) bool { return h.rec == rec }) {
			continue
		}
		k, err := g.record(rec)
		if err != nil {
			return nil, err
		}
		id, err := g.id(k.place)
		if err != nil {
			return nil, err
		}
		if k.withdrawn.IsZero() {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// cvesOf names the vulnerabilities that a record is about. One that names no CVE is about those that the records
// which it names as aliases are about.
func (g *grouper) cvesOf(k *known) ([]uint32, error) {
	cves := g.ownCVEs(k)
	if len(cves) > 0 {
		return cves, nil
	}
	for _, list := range [][]uint32{k.aliases, k.upstream} {
		for _, place := range list {
			n, err := g.db.entryAt(place, &g.places)
			if err != nil {
				return nil, err
			}
			if n.rec < 0 {
				continue
			}
			other, err := g.record(uint32(n.rec))
			if err != nil {
				return nil, err
			}
			cves = append(cves, g.ownCVEs(other)...)
		}
	}
	slices.Sort(cves)
	return slices.Compact(cves), nil
}

// ownCVEs are the CVEs that the record itself names, as places. They are worked out once.
func (g *grouper) ownCVEs(k *known) []uint32 {
	if k.hasCVEs {
		return k.cves
	}
	found := g.scratch[:0]
	if g.isCVE(k.place) {
		found = append(found, k.place)
	}
	for _, list := range [][]uint32{k.aliases, k.upstream} {
		for _, place := range list {
			if g.isCVE(place) {
				found = append(found, place)
			}
		}
	}
	slices.Sort(found)
	g.scratch = found
	found = slices.Compact(found)
	k.hasCVEs, k.cves = true, g.places.take(len(found))
	copy(k.cves, found)
	return k.cves
}

// group builds the rows: one per CVE that a record is about alone; those without a CVE join by shared ids; those
// that bundle several CVEs are attached to the rows of each, or stand alone.
func (g *grouper) group(members []*member) ([]*group, error) {
	groups := make([]*group, 0, len(members))
	byCVE := make(map[uint32]*group, len(members))
	for _, m := range members {
		if len(m.cves) != 1 {
			continue
		}
		gr := byCVE[m.cves[0]]
		if gr == nil {
			id, err := g.id(m.cves[0])
			if err != nil {
				return nil, err
			}
			gr = &group{id: id, cves: m.cves}
			byCVE[m.cves[0]] = gr
			groups = append(groups, gr)
		}
		gr.members = append(gr.members, m)
	}
	groups, err := g.groupOthers(groups, members)
	if err != nil {
		return nil, err
	}
	return g.groupBundles(groups, byCVE, members)
}

// groupOthers places the records that are about no CVE.
func (g *grouper) groupOthers(groups []*group, members []*member) ([]*group, error) {
	if !slices.ContainsFunc(members, func(m *member) bool { return len(m.cves) == 0 }) {
		return groups, nil
	}
	owners := map[string][]*group{} // by id
	claim := func(m *member, gr *group) error {
		ids, err := g.idsOf(m)
		for _, id := range ids {
			if !slices.Contains(owners[id], gr) {
				owners[id] = append(owners[id], gr)
			}
		}
		return err
	}
	for _, gr := range groups {
		for _, m := range gr.members {
			if err := claim(m, gr); err != nil {
				return nil, err
			}
		}
	}
	for _, m := range members {
		if len(m.cves) != 0 {
			continue
		}
		ids, err := g.idsOf(m)
		if err != nil {
			return nil, err
		}
		mine := joinOthers(&groups, owners, ids)
		for _, gr := range mine {
			gr.members = append(gr.members, m)
			if err := claim(m, gr); err != nil {
				return nil, err
			}
		}
	}
	for _, gr := range groups {
		if len(gr.cves) == 0 {
			gr.id = g.bestID(gr)
		}
	}
	return groups, nil
}

// joinOthers returns the groups that share one of the ids. Groups without a CVE become one; where there is none at
// all, a new one.
func joinOthers(groups *[]*group, owners map[string][]*group, ids []string) (mine []*group) {
	for _, id := range ids {
		for _, gr := range owners[id] {
			if !slices.Contains(mine, gr) {
				mine = append(mine, gr)
			}
		}
	}
	withCVE := slices.DeleteFunc(slices.Clone(mine), func(gr *group) bool { return len(gr.cves) == 0 })
	if len(withCVE) > 0 {
		return withCVE
	}
	if len(mine) == 0 {
		gr := &group{}
		*groups = append(*groups, gr)
		return []*group{gr}
	}
	first := mine[0]
	for _, gr := range mine[1:] {
		first.members = append(first.members, gr.members...)
		*groups = slices.DeleteFunc(*groups, func(x *group) bool { return x == gr })
		for id, have := range owners {
			for i := range have {
				if have[i] == gr {
					owners[id][i] = first
				}
			}
		}
	}
	return []*group{first}
}

// groupBundles attaches each bundle to the rows of its CVEs. CVEs of a bundle that no other record of the package
// speaks of keep a row of the bundle's own; one of which another record says that this version is not affected
// has been decided by that record.
func (g *grouper) groupBundles(groups []*group, byCVE map[uint32]*group, members []*member) ([]*group, error) {
	alone := map[string]*group{}
	for _, m := range members {
		if len(m.cves) < 2 {
			continue
		}
		var left []uint32
		for _, cve := range m.cves {
			if gr := byCVE[cve]; gr != nil {
				attached := *m
				attached.bundle = true
				gr.members = append(gr.members, &attached)
				continue
			}
			spoken, err := g.spokenOf(cve, m)
			if err != nil {
				return nil, err
			}
			if !spoken {
				left = append(left, cve)
			}
		}
		if len(left) == 0 {
			continue
		}
		key := placesKey(left)
		if gr := alone[key]; gr != nil {
			gr.members = append(gr.members, m)
			continue
		}
		gr := &group{id: m.id, cves: left, members: []*member{m}}
		alone[key] = gr
		groups = append(groups, gr)
	}
	return groups, nil
}

func placesKey(places []uint32) string {
	var b []byte
	for _, p := range places {
		b = append(b, byte(p), byte(p>>8), byte(p>>16), byte(p>>24))
	}
	return string(b)
}

// spokenOf: another record of this package is about the CVE alone, so that its word and not the bundle's counts.
func (g *grouper) spokenOf(cve uint32, m *member) (bool, error) {
	n, err := g.db.entryAt(cve, &g.places)
	if err != nil {
		return false, err
	}
	refs := n.refs
	if n.rec >= 0 {
		refs = append(refs, uint32(n.rec))
	}
	for _, rec := range refs {
		if rec == m.rec || !g.listed(m.hits, rec) {
			continue
		}
		k, err := g.record(rec)
		if err != nil {
			return false, err
		}
		if cves := g.ownCVEs(k); len(cves) == 1 && cves[0] == cve {
			return true, nil
		}
	}
	return false, nil
}

// listed: the record has an entry about the package of one of the hits.
func (g *grouper) listed(hits []hit, rec uint32) bool {
	return slices.ContainsFunc(hits, func(h hit) bool { return g.inList(h.payload, rec) })
}

func (g *grouper) anyLists(payloads [][]byte, rec uint32) bool {
	return slices.ContainsFunc(payloads, func(p []byte) bool { return g.inList(p, rec) })
}

// inList: the record has an entry in what the database holds of a package. That is read once: kernels have thousands
// of entries, and bundles of a hundred CVEs ask for each.
func (g *grouper) inList(payload []byte, rec uint32) bool {
	set, ok := g.lists[&payload[0]]
	if !ok {
		set = recordsOf(payload)
		g.lists[&payload[0]] = set
	}
	return set[rec]
}

// recordsOf leaves out records whose versions could not be read: they decide nothing.
func recordsOf(payload []byte) map[uint32]bool {
	set := map[uint32]bool{}
	c := cursor{b: payload}
	skipRefs(&c)
	var few [8]interval
	for rec := uint32(0); !c.done(); {
		rec += uint32(c.uvarint())
		if order, _, _ := readEntry(&c, few[:0]); !c.bad && order != orderUnread {
			set[rec] = true
		}
	}
	return set
}

// idsOf are the ids by which a record may be the same as another: never those that are only related.
func (g *grouper) idsOf(m *member) ([]string, error) {
	ids := []string{m.id}
	for _, place := range append(slices.Clone(m.aliases), m.upstream...) {
		id, err := g.id(place)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// bestID names a group without a CVE: a GHSA where there is one, else the first record.
func (g *grouper) bestID(gr *group) string {
	best := ""
	for _, m := range gr.members {
		ids, _ := g.idsOf(m) // read before, from memory
		for _, id := range ids {
			if strings.HasPrefix(id, "GHSA-") && (best == "" || id < best) {
				best = id
			}
		}
	}
	return cmp.Or(best, gr.members[0].id)
}

// row fills a finding in, all but package, paths and layer.
func (g *grouper) row(f *finding.Finding, gr *group, eco string) (err error) {
	f.ID = gr.id
	if f.Aliases, err = g.aliases(gr); err != nil {
		return err
	}
	f.Advisories = make([]string, len(gr.members))
	for i, m := range gr.members {
		f.Advisories[i] = m.id
		f.Published = earlier(f.Published, m.published)
		f.Modified = later(f.Modified, m.modified)
	}
	slices.Sort(f.Advisories)
	f.Advisories = slices.Compact(f.Advisories)
	if f.Fixed, err = fixedVersion(hitsOf(gr)); err != nil {
		return err
	}
	f.State = stateOf(gr, f.Fixed)
	if f.State == finding.StateMalware {
		f.Fixed = ""
	}
	f.CWE = cwesOf(gr)
	if err = g.describe(f, gr); err != nil {
		return err
	}
	if err = g.rate(f, gr, eco); err != nil {
		return err
	}
	return g.exploited(f, gr)
}

func hitsOf(gr *group) (hits []hit) {
	if len(gr.members) == 1 {
		return gr.members[0].hits
	}
	for _, m := range gr.members {
		hits = append(hits, m.hits...)
	}
	return hits
}

// aliases are all other ids of the group; a bundle that is only attached gives none: its other CVEs have rows of
// their own. Places are in the order of ids.
func (g *grouper) aliases(gr *group) (out []string, err error) {
	all := append(g.scratch[:0], gr.cves...)
	for _, m := range gr.members {
		if m.bundle {
			continue
		}
		for _, list := range [][]uint32{{m.place}, m.aliases, m.upstream} {
			for _, place := range list {
				// A bundle's CVEs that have rows of their own are not this row's.
				if len(m.cves) < 2 || !g.isCVE(place) {
					all = append(all, place)
				}
			}
		}
	}
	slices.Sort(all)
	g.scratch = all
	for _, place := range slices.Compact(all) {
		id, err := g.id(place)
		if err != nil {
			return nil, err
		}
		if id != gr.id {
			out = append(out, id)
		}
	}
	return out, nil
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// stateRank orders the decisions of a distribution where several records of a group differ: the more final wins.
var stateRank = map[finding.State]int{
	finding.StateUnfixed: 1, finding.StateDeferred: 2, finding.StateUnimportant: 3, finding.StateWontFix: 4,
	finding.StateEndOfLife: 5,
}

func stateOf(gr *group, fixed string) finding.State {
	state := finding.StateUnfixed
	for _, m := range gr.members {
		if m.malware {
			return finding.StateMalware
		}
		for i := range m.hits {
			a := m.hits[i].attrs
			s := a.state
			switch a.urgency {
			case "unimportant":
				s = cmp.Or(s, finding.StateUnimportant)
			case "end-of-life":
				s = cmp.Or(s, finding.StateEndOfLife)
			}
			if stateRank[s] > stateRank[state] {
				state = s
			}
		}
	}
	if fixed != "" {
		return finding.StateFixed
	}
	return state
}

// describe takes title and address from the first member that has a title, bundles last.
func (g *grouper) describe(f *finding.Finding, gr *group) error {
	for _, bundles := range []bool{false, true} {
		for _, m := range gr.members {
			if m.bundle != bundles || f.Title != "" {
				continue
			}
			title, url, err := g.db.title(m.known, g.titles)
			if err != nil {
				return err
			}
			f.Title = title
			if f.URL == "" || title != "" {
				f.URL = url
			}
		}
	}
	if strings.HasPrefix(f.URL, osvAddress) {
		f.URL = addressOf(f.ID)
	}
	return nil
}
