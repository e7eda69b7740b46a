// Package verify checks an exported audit log offline: that every record is the one that the log committed to, that none
// is missing, added or moved, and that all of it is what the log's key signed.
//
// It promises to name the first record that is wrong by its index and id, to read an export of any size in bounded
// memory, and to treat every byte of it as hostile. It needs neither the hub nor the log. It cannot know of records that
// were never in the log, nor tell that an export ends early: for that give an older checkpoint, or look at the last
// record's time.
package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Options say what an export is held against.
type Options struct {
	// Key is the log's public key, "name+hash+key", from elsewhere than the export. With "" the export's own is used,
	// and Report.KeyTrusted is false: then somebody who could sign with any key could have made all of it.
	Key string
	// Witnesses are public keys whose cosignatures count. Unknown ones are passed over.
	Witnesses []string
	// MinWitnesses is how many of them must have signed.
	MinWitnesses int
	// Older is a checkpoint from before, nil for none: the log must continue it.
	Older []byte
	// Progress is told how many of all records have been checked; it may be nil.
	Progress func(done, total int64)
}

// Report tells what was checked.
type Report struct {
	Origin string `json:"origin"`
	// Size is how many records the log has; those from From up to To are in the export.
	Size int64  `json:"size"`
	From int64  `json:"from"`
	To   int64  `json:"to"`
	Root string `json:"root"` // hexadecimal
	// KeyTrusted: the key was given, not taken from the export.
	KeyTrusted bool          `json:"keyTrusted"`
	KeyHash    string        `json:"keyHash"` // 8 hexadecimal digits
	Cosigned   []Cosignature `json:"cosigned,omitempty"`
	// Continues is the size of the older checkpoint that the log was found to continue; -1 where none was given, or
	// where it lies outside of the exported range.
	Continues int64     `json:"continues"`
	First     time.Time `json:"first,omitzero"` // of the first and the last record
	Last      time.Time `json:"last,omitzero"`
	// OpenIntents are acts whose outcome is not in the export: under way when it was made, or cut short by a crash. At
	// most MaxOpenIntents are listed.
	OpenIntents []Intent `json:"openIntents,omitempty"`
	Open        int64    `json:"open"` // how many there are
}

// Intent is an act that was begun.
type Intent struct {
	Index  int64     `json:"index"`
	ID     string    `json:"id"`
	Action string    `json:"action"`
	Time   time.Time `json:"time"`
}

// Dir checks the export in a directory. The error is a *Problem where the export does not hold, and another one where it
// could not be read. The report tells as much as was found.
func Dir(ctx context.Context, dir string, o Options) (Report, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Report{}, fmt.Errorf("opening the export: %w", err)
	}
	defer root.Close()
	v := &verifier{root: root, o: o}
	v.report.Continues = -1
	err = v.run(ctx)
	return v.report, err
}

// verifier is one run over one export.
type verifier struct {
	root       *os.Root
	o          Options
	manifest   Manifest
	checkpoint Checkpoint
	older      *Checkpoint
	report     Report
}

func (v *verifier) run(ctx context.Context) error {
	if err := v.readManifest(); err != nil {
		return err
	}
	if err := v.readCheckpoint(); err != nil {
		return err
	}
	bad, err := v.checkLeaves(ctx)
	if err != nil {
		return err
	}
	err = v.checkRecords(ctx)
	if bad == nil {
		return err
	}
	var p *Problem
	if errors.As(err, &p) && p.Index >= bad.from && p.Index < bad.to {
		return problem(BadLeaves, p.Index, p.ID, "record %d%s or its leaf was altered: the leaves %d to %d are not those that the checkpoint signs", p.Index, named(p.ID), bad.from, bad.to-1)
	}
	return problem(BadLeaves, bad.from, "", "at least one of the records %d to %d was altered together with its leaf: they are not those that the checkpoint signs", bad.from, bad.to-1)
}

func named(id string) string {
	if id == "" {
		return ""
	}
	return " (id " + id + ")"
}

func (v *verifier) readManifest() error {
	b, err := v.small(ManifestFile, maxManifest)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &v.manifest); err != nil {
		return damaged("%s is malformed: %v", ManifestFile, err)
	}
	v.report.Origin, v.report.Size, v.report.From, v.report.To = v.manifest.Origin, v.manifest.Size, v.manifest.From, v.manifest.To
	return v.manifest.check()
}

// readCheckpoint checks the signatures before anything is held against the checkpoint.
func (v *verifier) readCheckpoint() error {
	key, err := v.key()
	if err != nil {
		return err
	}
	v.report.KeyHash = fmt.Sprintf("%08x", key.KeyHash())
	witnesses, err := v.witnesses(key)
	if err != nil {
		return err
	}
	text, err := v.small(CheckpointFile, maxCheckpoint)
	if err != nil {
		return err
	}
	if v.checkpoint, err = OpenCheckpoint(text, key, witnesses...); err != nil {
		return err
	}
	c := v.checkpoint
	v.report.Origin, v.report.Root, v.report.Cosigned = c.Origin, fmt.Sprintf("%x", c.Root), c.Cosigned
	switch {
	case c.Origin != v.manifest.Origin:
		return problem(BadCheckpoint, -1, "", "the checkpoint is of the log %q, the export of %q", c.Origin, v.manifest.Origin)
	case c.Size != v.manifest.Size:
		return problem(BadCheckpoint, -1, "", "the checkpoint signs %d records, the export is of a log of %d", c.Size, v.manifest.Size)
	case len(c.Cosigned) < v.o.MinWitnesses:
		return problem(BadSignature, -1, "", "the checkpoint is signed by %d known witnesses, %d are asked for", len(c.Cosigned), v.o.MinWitnesses)
	}
	return v.readOlder(key)
}

func (v *verifier) readOlder(key note.Verifier) error {
	if v.o.Older == nil {
		return nil
	}
	older, err := OpenCheckpoint(v.o.Older, key)
	if err != nil {
		return fmt.Errorf("the older checkpoint: %w", err)
	}
	v.older = &older
	switch c := v.checkpoint; {
	case older.Size > c.Size:
		return problem(Inconsistent, c.Size, "", "the log had %d records before and has %d now: those from %d on were cut off", older.Size, c.Size, c.Size)
	case older.Size == c.Size && !older.same(c):
		return problem(Inconsistent, -1, "", "the log was rewritten: another checkpoint was signed for the same %d records", c.Size)
	case older.Size == c.Size:
		v.report.Continues = older.Size
	}
	return nil
}

// key is the one that was given, else the export's own.
func (v *verifier) key() (note.Verifier, error) {
	if v.o.Key != "" {
		v.report.KeyTrusted = true
		k, err := NewVerifier(v.o.Key)
		if err != nil {
			return nil, fmt.Errorf("reading the log's key: %w", err)
		}
		return k, nil
	}
	b, err := v.small(KeyFile, maxManifest)
	if err != nil {
		return nil, err
	}
	k, err := NewVerifier(string(b))
	if err != nil {
		return nil, damaged("%s: %v", KeyFile, err)
	}
	return k, nil
}

func (v *verifier) witnesses(log note.Verifier) ([]note.Verifier, error) {
	seen := map[uint32]bool{log.KeyHash(): true}
	var list []note.Verifier
	for _, text := range v.o.Witnesses {
		k, err := NewVerifier(text)
		if err != nil {
			return nil, fmt.Errorf("reading a witness's key: %w", err)
		}
		if !seen[k.KeyHash()] {
			seen[k.KeyHash()] = true
			list = append(list, k)
		}
	}
	return list, nil
}

// open opens a regular file of the export: no link, no pipe.
func (v *verifier) open(name string) (*os.File, int64, error) {
	info, err := v.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, damaged("%s is missing from the export", name)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("opening the export: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, 0, damaged("%s is not a regular file", name)
	}
	f, err := v.root.Open(name)
	if err != nil {
		return nil, 0, fmt.Errorf("opening the export: %w", err)
	}
	return f, info.Size(), nil
}

// small reads a whole file of at most limit bytes.
func (v *verifier) small(name string, limit int64) ([]byte, error) {
	f, size, err := v.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > limit {
		return nil, damaged("%s has %d bytes, at most %d are read", name, size, limit)
	}
	b, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return b, nil
}

func (v *verifier) progress(done int64) {
	if v.o.Progress != nil {
		v.o.Progress(done, v.manifest.To-v.manifest.From)
	}
}
