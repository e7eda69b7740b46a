package sbom

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// maxEntry bounds one entry of a list, in bytes: what it becomes in memory is several times that.
const maxEntry = 64 << 20

// each calls visit for every element of a JSON array, one at a time, so that a list costs no more than its longest
// element. An absent list and null have no elements.
func each(list json.RawMessage, visit func(json.RawMessage) error) error {
	if len(list) == 0 || bytes.Equal(list, []byte("null")) {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(list))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return errors.New("want a list")
	}
	for d.More() {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		if len(raw) > maxEntry {
			return fmt.Errorf("an entry is larger than %d MiB", maxEntry>>20)
		}
		if err := visit(raw); err != nil {
			return err
		}
	}
	return nil
}

// eachOf is each for elements of type T.
func eachOf[T any](list json.RawMessage, what string, visit func(*T) error) error {
	n := 0
	err := each(list, func(raw json.RawMessage) error {
		n++
		v := new(T)
		if err := json.Unmarshal(raw, v); err != nil {
			return err
		}
		return visit(v)
	})
	if err != nil {
		return fmt.Errorf("%s, entry %d: %w", what, n, err)
	}
	return nil
}
