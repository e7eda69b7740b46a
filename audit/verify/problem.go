package verify

import "fmt"

// Kind says what is wrong with an export.
type Kind string

const (
	Altered       Kind = "altered"      // a record is not the one that the log committed to
	Missing       Kind = "missing"      // a record is not there
	Reordered     Kind = "reordered"    // a record stands at another's place
	Added         Kind = "added"        // a record that the log does not know
	Damaged       Kind = "damaged"      // a file is missing, cut off or malformed
	BadLeaves     Kind = "leaves"       // the leaves are not those that the checkpoint signs
	BadCheckpoint Kind = "checkpoint"   // the checkpoint is malformed, or of another log
	BadSignature  Kind = "signature"    // the checkpoint is not signed by the expected key
	Inconsistent  Kind = "inconsistent" // the log does not continue an older checkpoint
)

// Problem is the first thing found wrong. It is the error of Dir where the export was read but does not hold.
type Problem struct {
	Kind Kind `json:"kind"`
	// Index is the place in the log, -1 where none can be named; ID that of the record that stands there.
	Index   int64  `json:"index"`
	ID      string `json:"id,omitempty"`
	Message string `json:"message"`
}

func (p *Problem) Error() string { return p.Message }

func problem(kind Kind, index int64, id, format string, args ...any) *Problem {
	return &Problem{Kind: kind, Index: index, ID: id, Message: fmt.Sprintf(format, args...)}
}

func damaged(format string, args ...any) *Problem { return problem(Damaged, -1, "", format, args...) }
