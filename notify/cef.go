package notify

import (
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/seawall/seawall/finding"
)

// cef writes an event in the Common Event Format, version 0, in at most so many bytes: whole extension fields are left
// out from the end, the most telling come first.
func cef(e *Event, most int) string {
	head := "CEF:0|Seawall|Seawall|" + cefHeader(version) + "|" + cefHeader(clip(oneLine(e.Kind), 64)) + "|" +
		cefHeader(clip(oneLine(orElse(e.Title, e.Kind)), 300)) + "|" + strconv.Itoa(cefSeverity(e.Severity)) + "|"
	var b strings.Builder
	b.WriteString(head)
	for i, f := range cefFields(e) {
		text := f.Name + "=" + f.Value
		if i > 0 {
			text = " " + text
		}
		if b.Len()+len(text) > most {
			break
		}
		b.WriteString(text)
	}
	return b.String()
}

// version is the hub's own, as its build tells it.
var version = func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}()

// cefSeverity is from 0 to 10.
func cefSeverity(s finding.Severity) int {
	switch s {
	case finding.SeverityCritical:
		return 10
	case finding.SeverityHigh:
		return 8
	case finding.SeverityMedium:
		return 5
	case finding.SeverityLow:
		return 3
	case finding.SeverityNegligible:
		return 1
	}
	return 0
}

// cefFields are the extension's fields, escaped: keys are those of the format's dictionary, and labelled custom
// strings for what it has no key for.
func cefFields(e *Event) []fact {
	var out []fact
	add := func(key, value string, most int) {
		if value != "" {
			out = append(out, fact{key, cefValue(clip(value, most))})
		}
	}
	custom := func(n int, label, value string, most int) {
		if value != "" {
			key := "cs" + strconv.Itoa(n)
			add(key+"Label", label, 64)
			add(key, value, most)
		}
	}
	add("rt", strconv.FormatInt(e.Time.UnixMilli(), 10), 32)
	add("externalId", e.ID, 64)
	add("cat", e.Kind, 64)
	custom(1, "repository", e.Repository, 255)
	custom(2, "digest", e.Digest, 140)
	custom(3, "advisories", strings.Join(firstOf(e.IDs, 10), ","), 512)
	add("request", e.Link, 600)
	add("msg", e.Text, 500)
	var details []string
	for _, k := range sortedKeys(e.Detail) {
		details = append(details, k+": "+e.Detail[k])
	}
	custom(4, "detail", strings.Join(details, "\n"), 1500)
	return out
}

// cefHeader escapes a field of the header: backslash and pipe. Line ends cannot be there at all.
func cefHeader(s string) string {
	return strings.NewReplacer(`\`, `\\`, `|`, `\|`, "\n", " ", "\r", " ").Replace(s)
}

// cefValue escapes a value of the extension: backslash, equals sign and line ends. Other control characters become
// spaces.
func cefValue(s string) string {
	s = strings.NewReplacer("\r\n", `\n`, "\n", `\n`, "\r", `\n`, "\u2028", `\n`, "\u2029", `\n`, `\`, `\\`, `=`, `\=`).Replace(s)
	return strings.Map(func(r rune) rune {
		if r < 32 || r >= 127 && r < 160 {
			return ' '
		}
		return r
	}, s)
}
