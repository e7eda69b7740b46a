package inventory

import (
	"errors"
	"io/fs"

	"github.com/seawall/seawall/finding"
)

// denied keeps one file of a live directory from spoiling the rest: what this user may not read is a gap, and what is
// gone since it was listed is no part of the image. Any other error of reading stays one.
func (w *Writer) denied(e *Entry, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		w.gap(finding.GapUnreadable, e.Path, "this user may not read it: scan as root to look at it")
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
}
