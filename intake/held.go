package intake

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/seawall/seawall/catalog"
)

// imagePage is the console's page of an image.
func imagePage(repository, digest string) string {
	return "/images/" + url.PathEscape(repository) + "/" + digest
}

// Held says to who pulls why an image is not served, in one line: "held: 2 critical findings; see https://…". The
// reasons are those of the status that counts.
func Held(status catalog.Status, reasons []catalog.Reason, console, repository, digest string) string {
	var b strings.Builder
	switch {
	case status == catalog.Received:
		b.WriteString("held: it is being scanned, try again in a moment")
	case len(reasons) == 0:
		fmt.Fprintf(&b, "held: %s", status)
	default:
		b.WriteString("held: " + reasonText(reasons))
	}
	if console != "" {
		b.WriteString("; see " + console + imagePage(repository, digest))
	}
	return b.String()
}

// reasonText joins the first reasons to a sentence. Messages may quote what an image says of itself.
func reasonText(reasons []catalog.Reason) string {
	const most = 3
	var texts []string
	for _, r := range reasons {
		if len(texts) == most {
			texts = append(texts, fmt.Sprintf("and %d more reasons", len(reasons)-most))
			break
		}
		texts = append(texts, clip(oneLine(r.Message), 200))
	}
	return strings.Join(texts, "; ")
}

// oneLine keeps control characters off terminals.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
}
