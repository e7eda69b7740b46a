package api

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
)

// contentRoutes are about what was found in one image.
func (s *Server) contentRoutes() []route {
	routes := []route{}
	for part, handle := range map[string]func(*call) (reply, error){
		"findings": (*call).imageFindings, "packages": (*call).packages, "executables": (*call).executables,
		"secrets": (*call).secrets, "checks": (*call).checks, "layers": (*call).layers, "result": (*call).wholeResult,
		"sbom": (*call).sbom, "custody": (*call).custody,
	} {
		routes = append(routes, route{method: "GET", path: imagePath + "/" + part, need: onImage(auth.ImageList), handle: handle})
	}
	return routes
}

// result is the newest of the image; an image that has none is told from one that is not there.
func (c *call) result() (finding.Result, error) {
	r, err := c.s.Catalog.Result(c.ctx(), c.path("repository"), c.path("digest"))
	if !errors.Is(err, catalog.ErrNotFound) {
		return r, err
	}
	if _, gone := c.manifest(); gone != nil {
		return r, gone
	}
	return r, errUnscanned
}

func (c *call) wholeResult() (reply, error) {
	r, err := c.result()
	if err != nil {
		return nil, err
	}
	return tagged(r), nil
}

// sbom is made as a whole before the first byte goes out: its media type is known only then.
func (c *call) sbom() (reply, error) {
	q := c.query()
	format := oneOf(q, "format", "cyclonedx", "spdx")
	if err := q.err(); err != nil {
		return nil, err
	}
	if format == "" {
		format = "cyclonedx"
	}
	r, err := c.result()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	mediaType, err := c.s.Actions.SBOM(c.ctx(), &r, format, &b)
	if err != nil {
		return nil, err
	}
	name := strings.NewReplacer("/", "-", `"`, "", "\\", "").Replace(c.path("repository")) + "." + format + ".json"
	return blob{mediaType, name, b.Bytes()}, nil
}

// part answers one list of the image's inventory, searched by text.
func part[T any](c *call, t table[T], pick func(*finding.Result) []T, text func(*T) []string) (reply, error) {
	q := c.query()
	search, at := strings.ToLower(q.text("search")), q.span()
	if err := q.err(); err != nil {
		return nil, err
	}
	r, err := c.result()
	if err != nil {
		return nil, err
	}
	items := pick(&r)
	if search != "" {
		items = slices.DeleteFunc(slices.Clone(items), func(v T) bool {
			return !slices.ContainsFunc(text(&v), func(s string) bool { return strings.Contains(strings.ToLower(s), search) })
		})
	}
	return listing(c, t, at, func(at span) (List[T], error) { return slice(items, at) })
}

// several is part for lists that have no pages.
func several[T any](c *call, t table[T], pick func(*finding.Result) []T) (reply, error) {
	if err := c.query().err(); err != nil {
		return nil, err
	}
	r, err := c.result()
	if err != nil {
		return nil, err
	}
	return listing(c, t, span{}, func(span) (List[T], error) { return all(pick(&r)), nil })
}

var packageTable = table[finding.Package]{"packages", []column[finding.Package]{
	{"name", func(p *finding.Package) any { return p.Name }},
	{"version", func(p *finding.Package) any { return p.Version }},
	{"type", func(p *finding.Package) any { return p.Type }},
	{"ecosystem", func(p *finding.Package) any { return p.Ecosystem }},
	{"source", func(p *finding.Package) any { return p.SourceName }},
	{"purl", func(p *finding.Package) any { return p.PURL }},
	{"licenses", func(p *finding.Package) any { return p.Licenses }},
	{"path", func(p *finding.Package) any { return p.Path }},
}}

func (c *call) packages() (reply, error) {
	return part(c, packageTable, func(r *finding.Result) []finding.Package { return r.Inventory.Packages },
		func(p *finding.Package) []string { return []string{p.Name, p.Version, p.SourceName, p.PURL, p.Path} })
}

var executableTable = table[finding.Executable]{"executables", []column[finding.Executable]{
	{"path", func(x *finding.Executable) any { return x.Path }},
	{"sha256", func(x *finding.Executable) any { return x.SHA256 }},
	{"size", func(x *finding.Executable) any { return x.Size }},
	{"mode", func(x *finding.Executable) any { return int(x.Mode) }},
	{"interpreter", func(x *finding.Executable) any { return x.Interpreter }},
	{"owner", func(x *finding.Executable) any { return x.Owner }},
	{"capabilities", func(x *finding.Executable) any { return x.Capabilities }},
}}

func (c *call) executables() (reply, error) {
	return part(c, executableTable, func(r *finding.Result) []finding.Executable { return r.Inventory.Executables },
		func(x *finding.Executable) []string { return []string{x.Path, x.Owner, x.SHA256} })
}

var secretTable = table[finding.Secret]{"secrets", []column[finding.Secret]{
	{"rule", func(s *finding.Secret) any { return s.Rule }},
	{"title", func(s *finding.Secret) any { return s.Title }},
	{"severity", func(s *finding.Secret) any { return s.Severity.String() }},
	{"path", func(s *finding.Secret) any { return s.Path }},
	{"where", func(s *finding.Secret) any { return s.Where }},
	{"line", func(s *finding.Secret) any { return s.Line }},
	{"masked", func(s *finding.Secret) any { return s.Masked }},
	{"deleted", func(s *finding.Secret) any { return s.Deleted }},
	{"suppressed", func(s *finding.Secret) any { return s.Suppressed != nil }},
}}

func (c *call) secrets() (reply, error) {
	return several(c, secretTable, func(r *finding.Result) []finding.Secret { return r.Inventory.Secrets })
}

var checkTable = table[finding.Check]{"checks", []column[finding.Check]{
	{"id", func(k *finding.Check) any { return k.ID }},
	{"title", func(k *finding.Check) any { return k.Title }},
	{"severity", func(k *finding.Check) any { return k.Severity.String() }},
	{"detail", func(k *finding.Check) any { return k.Detail }},
	{"fix", func(k *finding.Check) any { return k.Fix }},
	{"paths", func(k *finding.Check) any { return k.Paths }},
	{"suppressed", func(k *finding.Check) any { return k.Suppressed != nil }},
}}

func (c *call) checks() (reply, error) {
	return several(c, checkTable, func(r *finding.Result) []finding.Check { return r.Inventory.Checks })
}

var layerTable = table[ImageLayer]{"layers", []column[ImageLayer]{
	{"index", func(l *ImageLayer) any { return l.Index }},
	{"diffId", func(l *ImageLayer) any { return l.DiffID }},
	{"digest", func(l *ImageLayer) any { return l.Digest }},
	{"size", func(l *ImageLayer) any { return l.Size }},
	{"base", func(l *ImageLayer) any { return l.Base }},
	{"createdBy", func(l *ImageLayer) any { return l.CreatedBy }},
	{"packages", func(l *ImageLayer) any { return l.Packages }},
	{"findings", func(l *ImageLayer) any { return l.Counts.Total() }},
}}

func (c *call) layers() (reply, error) { return several(c, layerTable, layersOf) }

// layersOf credits packages, secrets and findings that count to the layers that brought them.
func layersOf(r *finding.Result) []ImageLayer {
	layers := make([]ImageLayer, len(r.Inventory.Image.Layers))
	at := map[int]*ImageLayer{}
	for i, l := range r.Inventory.Image.Layers {
		layers[i].Layer = l
		at[l.Index] = &layers[i]
	}
	credit := func(ref *finding.LayerRef, add func(*ImageLayer)) {
		if ref != nil && at[ref.Index] != nil {
			add(at[ref.Index])
		}
	}
	for i := range r.Inventory.Packages {
		credit(r.Inventory.Packages[i].Layer, func(l *ImageLayer) { l.Packages++ })
	}
	for i := range r.Inventory.Secrets {
		credit(r.Inventory.Secrets[i].Layer, func(l *ImageLayer) { l.Secrets++ })
	}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Suppressed == nil {
			credit(f.Layer, func(l *ImageLayer) { l.Counts.Add(f.Severity) })
		}
	}
	return layers
}

var imageFindingTable = table[ImageFinding]{"findings", []column[ImageFinding]{
	{"id", func(f *ImageFinding) any { return f.ID }},
	{"severity", func(f *ImageFinding) any { return f.Severity.String() }},
	{"score", func(f *ImageFinding) any { return f.Score }},
	{"exploited", func(f *ImageFinding) any { return f.KEV != nil }},
	{"package", func(f *ImageFinding) any { return f.Package.Name }},
	{"version", func(f *ImageFinding) any { return f.Package.Version }},
	{"fixed", func(f *ImageFinding) any { return f.Fixed }},
	{"state", func(f *ImageFinding) any { return string(f.State) }},
	{"title", func(f *ImageFinding) any { return f.Title }},
	{"url", func(f *ImageFinding) any { return f.URL }},
	{"paths", func(f *ImageFinding) any { return f.Paths }},
	{"suppressed", func(f *ImageFinding) any { return f.Suppressed != nil }},
	{"firstSeen", func(f *ImageFinding) any { return f.track().FirstSeen }},
	{"due", func(f *ImageFinding) any { return f.track().Due }},
	{"owner", func(f *ImageFinding) any { return f.track().Owner }},
}}

func (f *ImageFinding) track() Track {
	if f.Tracked == nil {
		return Track{}
	}
	return *f.Tracked
}

func (c *call) imageFindings() (reply, error) {
	q := c.query()
	least, search, suppressed := q.severity(), strings.ToLower(q.text("search")), q.flag("suppressed")
	if err := q.err(); err != nil {
		return nil, err
	}
	r, err := c.result()
	if err != nil {
		return nil, err
	}
	tracked, err := c.tracked(c.path("repository"), c.path("digest"))
	if err != nil {
		return nil, err
	}
	found := besides(c.path("repository"), &r, tracked)
	found.Items = slices.DeleteFunc(found.Items, func(f ImageFinding) bool {
		return f.Severity < least || suppressed != nil && !*suppressed && f.Suppressed != nil || !f.about(search)
	})
	found.Total = len(found.Items)
	if c.wantsCSV() {
		return listing(c, imageFindingTable, span{}, func(span) (List[ImageFinding], error) { return all(found.Items), nil })
	}
	return ok(found), nil
}

func (f *ImageFinding) about(search string) bool {
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), search) }
	return search == "" || has(f.ID) || has(f.Package.Name) || has(f.Title) || slices.ContainsFunc(f.Aliases, has)
}

// maxTracked bounds the findings of one image, in items.
const maxTracked = 50_000

// tracked are the findings over time of one image, those of other scanners too.
func (c *call) tracked(repository, digest string) ([]catalog.Tracked, error) {
	var found []catalog.Tracked
	q := catalog.Findings{Repository: repository, Digest: digest, Limit: maxLimit}
	for len(found) < maxTracked {
		p, err := c.s.Catalog.Findings(c.ctx(), q, c.now)
		if err != nil {
			return nil, err
		}
		found = append(found, p.Items...)
		if q.Cursor = p.Next; q.Cursor == "" {
			break
		}
	}
	return found, nil
}

// ourSource is the source of findings of the hub's own scanner.
const ourSource = "seawall"

// besides sets the newest result beside what is known over time.
func besides(repository string, r *finding.Result, tracked []catalog.Tracked) ImageFindings {
	byKey := map[string]*catalog.Tracked{}
	out := ImageFindings{
		Items: make([]ImageFinding, len(r.Findings)), Upgrades: orEmpty(r.Upgrades), Coverage: orEmpty(r.Coverage),
		Gaps: orEmpty(r.Inventory.Gaps), Distro: r.Inventory.Distro, Database: r.Database, Verdict: r.Verdict,
		Tool: r.Tool, ScannedAt: r.ScannedAt, Imported: []catalog.Tracked{},
	}
	for i := range tracked {
		if t := &tracked[i]; t.Source == ourSource || t.Source == "" {
			byKey[t.Key] = t
		} else {
			out.Imported = append(out.Imported, *t)
		}
	}
	for i := range r.Findings {
		out.Items[i] = ImageFinding{r.Findings[i], trackOf(&r.Findings[i], repository, byKey)}
	}
	return out
}

func trackOf(f *finding.Finding, repository string, byKey map[string]*catalog.Tracked) *Track {
	for _, key := range f.Keys(repository) {
		if t := byKey[key]; t != nil {
			return &Track{Key: t.Key, State: t.State, FirstSeen: t.FirstSeen, Due: t.Due, Owner: t.Owner, Exception: t.Exception}
		}
	}
	return nil
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
