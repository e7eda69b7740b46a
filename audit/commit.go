package audit

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	// maxText bounds each string of a canonical record, in bytes, and maxDetails the facts of Detail, so that a record
	// stays far below a megabyte whatever somebody sends as a name. What is longer is shortened and ends with its SHA-256.
	maxText    = 1024
	maxDetails = 64
)

// Canonical returns the bytes of the record that the log commits to: its JSON on one line, with the time in UTC to the
// microsecond, and every string valid UTF-8 and of bounded length. An entry that was stored and read again has the same
// bytes.
func (e Entry) Canonical() ([]byte, error) {
	b, err := json.Marshal(e.normal())
	if err != nil {
		return nil, fmt.Errorf("writing audit record %s: %w", e.ID, err)
	}
	return b, nil
}

// normal is e as every store gives it back. It is idempotent.
func (e Entry) normal() Entry {
	e.Time = e.Time.UTC().Truncate(time.Microsecond)
	if y := e.Time.Year(); y < 1 || y > 9999 { // cannot be written, and must not keep the log waiting
		e.Time = time.Time{}
	}
	for _, s := range []*string{&e.ID, &e.Act, (*string)(&e.Actor.Kind), &e.Actor.ID, &e.Actor.Name, &e.Actor.Via, &e.Actor.Address,
		&e.Action, &e.Object.Kind, &e.Object.Name, (*string)(&e.Outcome), &e.Reason, &e.Request} {
		*s = valid(*s)
	}
	e.Detail = validDetail(e.Detail)
	return e
}

func validDetail(in map[string]string) map[string]string {
	out, rest := map[string]string{}, sha256.New()
	for n, name := range slices.Sorted(maps.Keys(in)) {
		if n >= maxDetails-1 && len(in) > maxDetails {
			fmt.Fprintf(rest, "%q:%q\n", name, in[name])
			out[more] = fmt.Sprintf("sha256:%x", rest.Sum(nil))
			continue
		}
		out[valid(name)] = valid(in[name])
	}
	return out
}

// more names what stands for the facts that are too many. It sorts behind all letters, so that they stay.
const more = "\uFFFDmore"

// valid replaces what is not UTF-8, and zero bytes, which PostgreSQL's texts cannot hold, and shortens.
func valid(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if len(s) <= maxText {
		return s
	}
	end := fmt.Sprintf("… sha256:%x", sha256.Sum256([]byte(s)))
	return strings.ToValidUTF8(s[:maxText-len(end)], "") + end
}

// commitPrefix keeps a commitment from standing for anything else that is hashed.
const commitPrefix = "seawall audit record v1\n"

// Commit returns the commitment to a record: SHA-256 over a fixed line and the record's canonical bytes. It hides the
// record from everybody who does not know the record's random ID, and binds whoever shows the record later.
func Commit(canonical []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte(commitPrefix))
	h.Write(canonical)
	return [sha256.Size]byte(h.Sum(nil))
}
