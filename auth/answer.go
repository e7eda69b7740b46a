package auth

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

func errorAttr(err error) slog.Attr { return slog.Any("error", err) }

func retryAfter(w http.ResponseWriter, err error) {
	var paused *Paused
	switch {
	case errors.As(err, &paused):
		w.Header().Set("Retry-After", strconv.Itoa(int(paused.For/time.Second)))
	case errors.Is(err, ErrBusy), errors.Is(err, errUnreachable):
		w.Header().Set("Retry-After", "1")
	}
}

func writeJSON(w http.ResponseWriter, contentType string, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "the answer could not be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(body)
}

// writeProblem answers in the form of RFC 9457.
func writeProblem(w http.ResponseWriter, status int, err error) {
	writeJSON(w, "application/problem+json", status, map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": err.Error(),
	})
}

type ociError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// ociErrors has the codes of the distribution specification.
func ociErrors(status int, err error) []ociError {
	code := "UNAUTHORIZED"
	switch status {
	case http.StatusForbidden, http.StatusBadRequest:
		code = "DENIED"
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		code = "TOOMANYREQUESTS"
	case http.StatusInternalServerError:
		code = "UNKNOWN"
	}
	return []ociError{{code, err.Error()}}
}

func writeOCI(w http.ResponseWriter, status int, err error) {
	writeJSON(w, "application/json", status, map[string]any{"errors": ociErrors(status, err)})
}
