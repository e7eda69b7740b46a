package keys

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestRotateToAnotherProvider(t *testing.T) {
	b := openBench(t)
	id, key := current(t, b.Ring, "state")
	s, err := b.Rotate(t.Context(), Rotation{Provider: "fake:b"})
	if err != nil || s.Provider != "fake:b" || s.State != Answers {
		t.Fatalf("%+v, %v", s, err)
	}
	b.cache.purge(func(string, *entry) bool { return true })
	if got, err := b.Purpose("state").Key(t.Context(), id); err != nil || !bytes.Equal(got, key) {
		t.Errorf("after the rotation: %x, %v", got, err)
	}
	if again, _ := current(t, b.Ring, "state"); again != id {
		t.Error("a rotation without DataKeys made a new data key")
	}
	b.cfg.Provider = "fake:b"
	if got, err := b.reopen(t, b.cfg).Purpose("state").Key(t.Context(), id); err != nil || !bytes.Equal(got, key) {
		t.Errorf("with the new provider: %x, %v", got, err)
	}
	b.cfg.Provider = "fake:a"
	if _, err := Open(t.Context(), b.cfg); !errors.Is(err, ErrUnavailable) {
		t.Errorf("the former provider still opens the ring: %v", err)
	}
	if got := b.alerts.states(); got != "" && got != "refuses" { // the last Open reports to the same list
		t.Errorf("alerts %q", got)
	}
}

func TestRotateDataKeys(t *testing.T) {
	b := openBench(t)
	id, key := current(t, b.Ring, "state")
	sealed, err := b.Purpose("state").Seal(t.Context(), []byte("text"), []byte("row 1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Rotate(t.Context(), Rotation{DataKeys: true}); err != nil {
		t.Fatal(err)
	}
	newer, other := current(t, b.Ring, "state")
	if newer == id || bytes.Equal(key, other) {
		t.Error("no new data key")
	}
	r := b.reopen(t, b.cfg)
	if got, err := r.Purpose("state").Open(t.Context(), sealed, []byte("row 1")); err != nil || string(got) != "text" {
		t.Errorf("what was written before: %q, %v", got, err)
	}
}

func TestAFailedRotationChangesNothing(t *testing.T) {
	for name, spoil := range map[string]func(*fake){
		"it does not wrap":         func(f *fake) { f.wrapErr = errRefused },
		"it does not unwrap again": func(f *fake) { f.err = errRefused },
	} {
		b := openBench(t)
		id, _ := current(t, b.Ring, "state")
		path := filepath.Join(b.cfg.Dir, RingFile)
		before, _ := os.ReadFile(path)
		spoil(b.next)
		if _, err := b.Rotate(t.Context(), Rotation{Provider: "fake:b"}); err == nil {
			t.Errorf("%s: rotated", name)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Errorf("%s: the ring was written", name)
		}
		b.cache.purge(func(string, *entry) bool { return true })
		if _, err := b.Purpose("state").Key(t.Context(), id); err != nil {
			t.Errorf("%s: the old provider does not serve any more: %v", name, err)
		}
	}
}

func TestRotateInAnotherProcessIsTakenOver(t *testing.T) {
	b := openBench(t)
	current(t, b.Ring, "state")
	two := b.reopen(t, b.cfg)
	if _, err := two.Rotate(t.Context(), Rotation{DataKeys: true}); err != nil {
		t.Fatal(err)
	}
	want, _ := current(t, two, "state")
	b.Check(t.Context())
	if got, _ := current(t, b.Ring, "state"); got != want {
		t.Errorf("current key %s, the other hub's is %s", got, want)
	}
}

func TestSaveLosesNothingOfAnotherProcess(t *testing.T) {
	d := directory(t.TempDir())
	if err := d.Save(t.Context(), nil, []byte("one")); err != nil {
		t.Fatal(err)
	}
	for _, old := range []string{"", "two"} {
		if err := d.Save(t.Context(), []byte(old), []byte("three")); !errors.Is(err, ErrChanged) {
			t.Errorf("replacing %q: %v", old, err)
		}
	}
	if err := d.Save(t.Context(), []byte("one"), []byte("two")); err != nil {
		t.Fatal(err)
	}
	if b, err := d.Load(t.Context()); err != nil || string(b) != "two" {
		t.Errorf("%q, %v", b, err)
	}
}
