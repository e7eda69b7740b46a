package keys

import (
	"bytes"
	"errors"
	"testing"
)

func TestSeal(t *testing.T) {
	b := openBench(t)
	p := b.Purpose("state")
	for _, text := range []string{"", "x", "a longer text with ünicode"} {
		sealed, err := p.Seal(t.Context(), []byte(text), []byte("aad"))
		if err != nil {
			t.Fatal(err)
		}
		if text != "" && bytes.Contains(sealed, []byte(text)) && len(text) > 1 {
			t.Error("the text stands in what was sealed")
		}
		got, err := p.Open(t.Context(), sealed, []byte("aad"))
		if err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
		if _, err := p.Open(t.Context(), sealed, []byte("other")); !errors.Is(err, ErrSealed) {
			t.Errorf("with other additional data: %v", err)
		}
		if _, err := b.Purpose("audit").Open(t.Context(), sealed, []byte("aad")); err == nil {
			t.Error("another purpose opened it")
		}
		for i := range sealed {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1
			if _, err := p.Open(t.Context(), bad, []byte("aad")); err == nil {
				t.Errorf("byte %d changed unnoticed", i)
			}
			if _, err := p.Open(t.Context(), sealed[:i], []byte("aad")); err == nil {
				t.Errorf("cut to %d bytes unnoticed", i)
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte{1, 13, 'k'})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if head, id, err := sealHead(sealed); err == nil && (len(id) > maxKeyID || len(head) != 2+len(id)) {
			t.Errorf("head %x, id %q", head, id)
		}
	})
}

func FuzzParseRing(f *testing.F) {
	f.Add([]byte(`{"format":1,"revision":1,"provider":"file:/x","rotated":"2026-11-20T08:00:00Z","keys":[{"id":"k0123456789ab","purpose":"ring","created":"2026-11-20T08:00:00Z","wrapped":"AAAA"}],"mac":"AAAA"}`))
	f.Add([]byte(`{"format":1,"rotated":"9999-12-31T23:59:59.999999999-23:59"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := parseRing(raw)
		if err != nil {
			return
		}
		if v.authentic(make([]byte, KeySize)) {
			t.Error("authentic by chance")
		}
	})
}

func FuzzParseKEKs(f *testing.F) {
	f.Add([]byte(fileNote + kekOf(make([]byte, KeySize)).line()))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := parseKEKs(text)
		if err == nil && len(keys) == 0 {
			t.Error("no key and no error")
		}
		for _, k := range keys {
			if len(k.key) != KeySize {
				t.Errorf("a key of %d bytes", len(k.key))
			}
		}
	})
}
