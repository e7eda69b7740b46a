package sbom

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

const (
	// maxEntry bounds one entry of a list and one member that is not a list, in bytes: what it becomes in memory is
	// several times that.
	maxEntry = 16 << 20
	// maxEntries bounds a list, whatever its entries are: empty ones cost time too.
	maxEntries = 4 * maxPackages
)

// member reads the value of one top-level member of an object.
type member func(*json.Decoder) error

// members walks the top-level members of an object in one pass, reading those that are asked for. A large document
// costs no more memory than the longest entry of its lists.
func members(data []byte, want map[string]member) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("want an object")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		if read := want[name]; read != nil {
			err = read(d)
		} else {
			var skip json.RawMessage
			err = d.Decode(&skip)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	_, err := d.Token()
	return err
}

// into reads a member into v.
func into(v any) member {
	return func(d *json.Decoder) error { return decode(d, v) }
}

func decode(d *json.Decoder, v any) error {
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return err
	}
	if len(raw) > maxEntry {
		return fmt.Errorf("larger than %d MiB", maxEntry>>20)
	}
	return json.Unmarshal(raw, v)
}

// each reads a member that is a list and calls visit for every element. null has none.
func each[T any](visit func(*T) error) member {
	return func(d *json.Decoder) error {
		t, err := d.Token()
		if err != nil || t == nil {
			return err
		}
		if t != json.Delim('[') {
			return errors.New("want a list")
		}
		for n := 1; d.More(); n++ {
			v := new(T)
			err := decode(d, v)
			if err == nil && n > maxEntries {
				err = fmt.Errorf("more than %d", maxEntries)
			}
			if err == nil {
				err = visit(v)
			}
			if err != nil {
				return fmt.Errorf("entry %d: %w", n, err)
			}
		}
		_, err = d.Token()
		return err
	}
}

// eachOf is each for a list that has been read already.
func eachOf[T any](list json.RawMessage, visit func(*T) error) error {
	if len(list) == 0 {
		return nil
	}
	return each(visit)(json.NewDecoder(bytes.NewReader(list)))
}
