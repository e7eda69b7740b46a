package report

import (
	"crypto/sha256"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/seawall/seawall/finding"
)

// Facts that several formats state: written once, so that they agree.

const (
	toolName = "Seawall"
	toolURL  = "https://github.com/seawall/seawall"
)

// toolVersion is the version of the tool that made r: the second word of Result.Tool.
func toolVersion(r *finding.Result) string {
	if _, v, ok := strings.Cut(r.Tool, " "); ok {
		return v
	}
	return "unknown"
}

// gap is one thing that was not evaluated.
type gap struct {
	Kind   finding.GapKind
	Where  string
	Detail string
}

// gaps lists what was not evaluated: ecosystems without advisories, then parts of the image.
func gaps(r *finding.Result) []gap {
	var all []gap
	for _, c := range r.Coverage {
		if c.Gap != "" {
			all = append(all, gap{c.Gap, c.Ecosystem, c.Detail})
		}
	}
	for _, g := range r.Inventory.Gaps {
		all = append(all, gap{g.Kind, g.Where, g.Detail})
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Kind < all[j].Kind })
	return all
}

// String is one line: "end-of-life: Debian:8: no advisories since 2020-06-30".
func (g gap) String() string {
	parts := []string{string(g.Kind)}
	for _, s := range []string{g.Where, g.Detail} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ": ")
}

// counts counts what counts: neither suppressed nor of kernel headers.
func counts(findings []finding.Finding) finding.Counts {
	var c finding.Counts
	for i := range findings {
		if f := &findings[i]; f.Suppressed == nil && !f.KernelHeaders {
			c.Add(f.Severity)
		}
	}
	return c
}

// countsText is "2 critical, 5 high"; "" for none.
func countsText(c finding.Counts) string {
	var parts []string
	for _, s := range finding.Severities {
		if n := c.Of(s); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, ", ")
}

// headersReason is why findings of kernel headers are set aside in formats that have no other place for them.
const headersReason = "the package carries only kernel headers: the kernel that they describe is not in the image"

func scope(o Options, r *finding.Result) string {
	if o.Scope != "" {
		return o.Scope
	}
	return r.Inventory.Image.Repository()
}

// plural is "1 package" or "2 packages".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// advice says what to do about f, in a sentence without a full stop.
func advice(f *finding.Finding) string {
	switch {
	case f.State == finding.StateMalware:
		return "Remove " + f.Package.Name + ": the package is malware"
	case f.Fixed != "":
		return "Upgrade " + f.Package.Name + " to " + f.Fixed
	}
	switch f.State {
	case finding.StateDeferred:
		return "No fixed version yet: the distribution has deferred it"
	case finding.StateWontFix:
		return "No fixed version: the distribution will not fix it"
	case finding.StateUnimportant:
		return "No fixed version: the distribution sees no security effect as packaged"
	case finding.StateEndOfLife:
		return "No fixed version: the distribution no longer supports it; move to a supported release"
	}
	return "No fixed version is known"
}

// title is the finding's title, or one made of what is known.
func title(f *finding.Finding) string {
	if f.Title != "" {
		return f.Title
	}
	return f.ID + " in " + f.Package.Name
}

// link is where to read more; "" for nothing. Only http and https pass: an advisory is foreign text.
func link(f *finding.Finding) string {
	if isWeb(f.URL) {
		return f.URL
	}
	switch {
	case strings.HasPrefix(f.ID, "CVE-"):
		return "https://www.cve.org/CVERecord?id=" + f.ID
	case f.ID != "":
		return "https://osv.dev/vulnerability/" + f.ID
	}
	return ""
}

func isWeb(u string) bool {
	if !strings.HasPrefix(u, "https://") && !strings.HasPrefix(u, "http://") {
		return false
	}
	return !strings.ContainsFunc(u, func(r rune) bool { return r <= ' ' || r == '"' || r == '<' || r == '>' || r >= 0x7f })
}

// uuid makes a UUID (RFC 9562 version 8: own content) out of parts: the same parts give the same one.
func uuid(parts ...string) string {
	b := hash(parts...)
	b[6] = b[6]&0x0f | 0x80
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

func hash(parts ...string) []byte {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return sum[:]
}

// documentID identifies the document that describes r: another scan of the same image is another document.
func documentID(r *finding.Result, format string) string {
	return uuid(format, r.Inventory.Image.Ref, r.Inventory.Image.ID, r.Tool, r.Database.Digest, stamp(r.ScannedAt))
}

// stamp is t in UTC to the second, as RFC 3339 has it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// where names the first place of the finding in the image.
func where(f *finding.Finding) string {
	if len(f.Paths) > 0 {
		return f.Paths[0]
	}
	return f.Package.Path
}
