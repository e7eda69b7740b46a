package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"syscall"

	"github.com/distribution/distribution/v3/registry/storage/driver"
)

// ErrNotFound says that there is no such repository, manifest, blob, tag or upload. The errors of this package match
// it with errors.Is where they say that something is missing.
var ErrNotFound = errors.New("not found")

// ErrGone is what Hooks answer for content that was deleted and still can be restored.
var ErrGone = errors.New("deleted")

// Error is an answer of the distribution specification: a status, a code of its table, and a sentence.
type Error struct {
	Status  int
	Code    string
	Message string
	Detail  any
	cause   error
}

func (e *Error) Error() string { return strings.ToLower(e.Code) + ": " + e.Message }

// Unwrap gives what was wrong below, and ErrNotFound for everything that is missing.
func (e *Error) Unwrap() error {
	if e.cause == nil && e.Status == http.StatusNotFound {
		return ErrNotFound
	}
	return e.cause
}

// Challenge is the answer to who has to sign in, or has to bring a token for more: 401 with WWW-Authenticate.
type Challenge struct {
	// Header is the whole value: `Bearer realm="…",service="…",scope="…"`.
	Header  string
	Message string
}

func (c *Challenge) Error() string { return "authentication required: " + c.Message }

// Refused is what Hooks answer to a request that is not allowed. Status 0 is 403, Code "" is DENIED.
type Refused struct {
	Status  int
	Code    string
	Message string
}

func (e *Refused) Error() string { return "refused: " + e.Message }

// Held is what Hooks answer for content that is there and not served.
type Held struct {
	Reason string // "2 critical findings (CVE-2024-1, CVE-2024-2)"
	Link   string // page of the console that tells more
}

func (e *Held) Error() string {
	if e.Link == "" {
		return "held: " + e.Reason
	}
	return "held: " + e.Reason + "; see " + e.Link
}

var errNotFound = &Error{Status: http.StatusNotFound, Code: "UNSUPPORTED", Message: "there is no such path in the distribution API"}

func errUnsupported(why string) *Error {
	return &Error{Status: http.StatusMethodNotAllowed, Code: "UNSUPPORTED", Message: why}
}

func errName(name string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "NAME_INVALID", Message: "this is no repository name: lower-case letters, digits and separators, at most 255 bytes", Detail: bounded(name)}
}

func errNameUnknown(name string) *Error {
	return &Error{Status: http.StatusNotFound, Code: "NAME_UNKNOWN", Message: "there is no such repository", Detail: name}
}

func errTag(tag string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "TAG_INVALID", Message: "this is no tag: letters, digits, '_', '.' and '-', at most 128 bytes", Detail: bounded(tag)}
}

func errDigest(why, d string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "DIGEST_INVALID", Message: why, Detail: bounded(d)}
}

func errSize(why string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "SIZE_INVALID", Message: why}
}

func errTooLarge(code, why string) *Error {
	return &Error{Status: http.StatusRequestEntityTooLarge, Code: code, Message: why}
}

func errRange(why string) *Error {
	return &Error{Status: http.StatusRequestedRangeNotSatisfiable, Code: "BLOB_UPLOAD_INVALID", Message: why}
}

func errBlobUnknown(d string) *Error {
	return &Error{Status: http.StatusNotFound, Code: "BLOB_UNKNOWN", Message: "there is no such blob in this repository", Detail: d}
}

func errUploadUnknown(id string) *Error {
	return &Error{Status: http.StatusNotFound, Code: "BLOB_UPLOAD_UNKNOWN", Message: "there is no such upload in this repository: start a new one", Detail: bounded(id)}
}

func errUploadInvalid(why string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "BLOB_UPLOAD_INVALID", Message: why}
}

func errManifestUnknown(ref string) *Error {
	return &Error{Status: http.StatusNotFound, Code: "MANIFEST_UNKNOWN", Message: "there is no such manifest in this repository", Detail: bounded(ref)}
}

func errManifest(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "MANIFEST_INVALID", Message: fmt.Sprintf(format, args...)}
}

func errManifestBlob(what, d string) *Error {
	return &Error{Status: http.StatusNotFound, Code: "MANIFEST_BLOB_UNKNOWN", Message: "the manifest names a " + what + " that is not in this repository: push it first", Detail: d}
}

// bounded keeps what a client sent from filling an answer.
func bounded(s string) string {
	if len(s) > 300 {
		return strings.ToValidUTF8(s[:300], "") + "…"
	}
	return strings.ToValidUTF8(s, "")
}

func isMissing(err error) bool {
	var p driver.PathNotFoundError
	return errors.As(err, &p)
}

// asError turns whatever went wrong into the answer to it; logged says whether it is our own fault.
func asError(err error) (out *Error, ours bool) {
	var (
		held    *Held
		refused *Refused
		answer  *Error
		bytes   *http.MaxBytesError
	)
	switch {
	case errors.As(err, &held):
		return &Error{Status: http.StatusForbidden, Code: "DENIED", Message: held.Error(), Detail: map[string]string{"reason": held.Reason, "link": held.Link}}, false
	case errors.As(err, &refused):
		return refused.answer(), false
	case errors.As(err, &answer):
		return answer, false
	case errors.As(err, &bytes):
		return errTooLarge("SIZE_INVALID", "the body is larger than is allowed here"), false
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return &Error{Status: http.StatusInsufficientStorage, Code: "UNKNOWN", Message: "the registry's storage is full: somebody who runs it has to make room"}, true
	case errors.Is(err, context.Canceled):
		return &Error{Status: 499, Code: "UNKNOWN", Message: "the request was given up"}, false
	}
	return &Error{Status: http.StatusInternalServerError, Code: "UNKNOWN", Message: "the registry could not do this; its log says why"}, true
}

func (e *Refused) answer() *Error {
	out := &Error{Status: e.Status, Code: e.Code, Message: e.Message}
	if out.Status == 0 {
		out.Status = http.StatusForbidden
	}
	if out.Code == "" {
		out.Code = "DENIED"
	}
	return out
}

// answer writes an error the way the specification has it: section "Error Codes".
func (r *Registry) answer(w http.ResponseWriter, q *http.Request, err error) {
	out, ours := asError(err)
	var challenge *Challenge
	if errors.As(err, &challenge) {
		w.Header().Set("Www-Authenticate", challenge.Header)
		out, ours = &Error{Status: http.StatusUnauthorized, Code: "UNAUTHORIZED", Message: challenge.Error()}, false
	}
	if ours {
		r.log.ErrorContext(q.Context(), "registry request failed", slog.String("method", q.Method), slog.String("path", q.URL.Path), slog.Any("error", err))
	}
	for _, h := range []string{"Etag", "Content-Length", "Docker-Content-Digest", "Cache-Control", "Accept-Ranges"} {
		w.Header().Del(h)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(out.Status)
	if q.Method == http.MethodHead {
		return
	}
	type one struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Detail  any    `json:"detail,omitempty"`
	}
	json.NewEncoder(w).Encode(map[string][]one{"errors": {{out.Code, out.Message, out.Detail}}})
}
