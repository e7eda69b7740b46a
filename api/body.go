package api

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
)

// body reads the request's JSON. Fields that are not known are refused by name.
func body[T any](c *call) (T, error) {
	var v T
	if m, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || m != "application/json" {
		return v, errMedia
	}
	d := json.NewDecoder(http.MaxBytesReader(c.w, c.r.Body, c.s.Limits.Body))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, malformed(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return v, bad("", "the body must be one JSON value and nothing after it")
	}
	return v, nil
}

// optionalBody is body, where an empty one is the zero value.
func optionalBody[T any](c *call) (T, error) {
	if c.r.ContentLength == 0 {
		var v T
		return v, nil
	}
	return body[T](c)
}

// malformed turns the decoder's errors into ones that name the field.
func malformed(err error) error {
	var (
		kind   *json.UnmarshalTypeError
		syntax *json.SyntaxError
		large  *http.MaxBytesError
	)
	switch {
	case errors.As(err, &large):
		return err
	case errors.As(err, &kind):
		return bad(kind.Field, "must not be a "+kind.Value)
	case errors.As(err, &syntax):
		return bad("", "not JSON: "+syntax.Error())
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return bad("", "the body is empty or breaks off")
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return bad(strings.Trim(name, `"`), "there is no such field")
	}
	return bad("", strings.TrimPrefix(err.Error(), "json: "))
}

// bad is a body that is not what was asked for at all (400); wrong is one with a value that cannot be (422).
func bad(field, message string) error {
	return &invalid{http.StatusBadRequest, []FieldError{{field, message}}}
}

// check gathers what is wrong with a body.
type check struct{ fields []FieldError }

// that notes a field for which ok does not hold.
func (k *check) that(ok bool, field, message string) {
	if !ok {
		k.fields = append(k.fields, FieldError{field, message})
	}
}

// err notes a field whose check failed.
func (k *check) err(err error, field string) {
	if err != nil {
		k.fields = append(k.fields, FieldError{field, err.Error()})
	}
}

// text notes a text that is missing, too long or has control characters.
func (k *check) text(value, field string, needed bool, max int) {
	k.that(!needed || strings.TrimSpace(value) != "", field, "is needed")
	k.that(len(value) <= max, field, "is too long")
	k.that(!strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }), field, "has control characters")
}

func (k *check) done() error {
	if len(k.fields) == 0 {
		return nil
	}
	return &invalid{http.StatusUnprocessableEntity, k.fields}
}

// bytes reads a body as it is, up to max bytes.
func (c *call) bytes(max int64) ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, max))
	switch {
	case err != nil:
		return nil, err
	case len(b) == 0:
		return nil, bad("", "the body is empty")
	}
	return b, nil
}
