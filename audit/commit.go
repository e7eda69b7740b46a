package audit

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Canonical returns the bytes of the record that the log commits to: its JSON on one line, with the time in UTC to the
// microsecond and every string valid UTF-8. An entry that was stored and read again has the same bytes.
func (e Entry) Canonical() ([]byte, error) {
	b, err := json.Marshal(e.normal())
	if err != nil {
		return nil, fmt.Errorf("writing audit record %s: %w", e.ID, err)
	}
	return b, nil
}

// normal is e as every store gives it back.
func (e Entry) normal() Entry {
	e.Time = e.Time.UTC().Truncate(time.Microsecond)
	if y := e.Time.Year(); y < 1 || y > 9999 { // cannot be written, and must not keep the log waiting
		e.Time = time.Time{}
	}
	for _, s := range []*string{&e.ID, &e.Act, (*string)(&e.Actor.Kind), &e.Actor.ID, &e.Actor.Name, &e.Actor.Via, &e.Actor.Address,
		&e.Action, &e.Object.Kind, &e.Object.Name, (*string)(&e.Outcome), &e.Reason, &e.Request} {
		*s = valid(*s)
	}
	detail := make(map[string]string, len(e.Detail))
	for name, value := range e.Detail {
		detail[valid(name)] = valid(value)
	}
	e.Detail = detail
	return e
}

// valid replaces what is not UTF-8, and zero bytes, which PostgreSQL's texts cannot hold.
func valid(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
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
