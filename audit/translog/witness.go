package translog

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"

	"github.com/seawall/seawall/audit/verify"
)

// Bounds of what is sent to a witness.
const (
	maxSubmission = 64 << 10
	maxProof      = 63 // hashes, C2SP tlog-witness
)

// Witness signs the checkpoints of other logs, each only if it continues the one that it signed before: C2SP tlog-witness.
// It is an http.Handler for POST .../add-checkpoint, and needs no sign-in: it signs only what a known log signed.
type Witness struct {
	key  *WitnessKey
	dir  string
	logs map[string]note.Verifier // by origin

	mu sync.Mutex // held from the look at the last checkpoint until the new one is stored
}

// NewWitness returns a witness for the logs with these public keys. It remembers their checkpoints in dir.
func NewWitness(key *WitnessKey, dir string, logs []string) (*Witness, error) {
	w := &Witness{key: key, dir: dir, logs: map[string]note.Verifier{}}
	for _, text := range logs {
		v, err := verify.NewVerifier(text)
		if err != nil {
			return nil, fmt.Errorf("a log to be witnessed: %w", err)
		}
		w.logs[v.Name()] = v
	}
	return w, nil
}

// refusal is an answer with its HTTP status.
type refusal struct {
	status int
	text   string
	size   bool // text is the size that the witness knows
}

func (r *refusal) Error() string { return r.text }

// ServeHTTP implements http.Handler.
func (w *Witness) ServeHTTP(out http.ResponseWriter, q *http.Request) {
	if q.Method != http.MethodPost {
		out.Header().Set("Allow", http.MethodPost)
		http.Error(out, "POST a checkpoint", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(out, q.Body, maxSubmission))
	if err != nil {
		http.Error(out, "the submission is too long", http.StatusRequestEntityTooLarge)
		return
	}
	line, err := w.add(q.Context(), body)
	var r *refusal
	switch {
	case err == nil:
		out.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(out, line)
	case errors.As(err, &r) && r.size:
		out.Header().Set("Content-Type", "text/x.tlog.size")
		out.WriteHeader(r.status)
		io.WriteString(out, r.text+"\n")
	case errors.As(err, &r):
		http.Error(out, r.text, r.status)
	default:
		http.Error(out, "the checkpoint cannot be stored", http.StatusInternalServerError)
	}
}

// add checks a submission, remembers its checkpoint and returns the signature.
func (w *Witness) add(ctx context.Context, body []byte) (string, error) {
	old, hashes, checkpoint, err := parseSubmission(body)
	if err != nil {
		return "", &refusal{status: http.StatusBadRequest, text: err.Error()}
	}
	origin, _, _ := strings.Cut(string(checkpoint), "\n")
	log, ok := w.logs[origin]
	if !ok {
		return "", &refusal{status: http.StatusNotFound, text: "this log is not witnessed here"}
	}
	next, err := verify.OpenCheckpoint(checkpoint, log)
	if err != nil {
		return "", &refusal{status: http.StatusForbidden, text: "the checkpoint is not signed by the log"}
	}
	if old > next.Size {
		return "", &refusal{status: http.StatusBadRequest, text: "the old size is greater than the checkpoint's"}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	at := File(filepath.Join(w.dir, fileOf(origin)))
	stored, last, err := w.last(ctx, at, log)
	if err != nil {
		return "", err
	}
	if err := follows(last, next, old, hashes); err != nil {
		return "", err
	}
	if err := at.Save(ctx, stored, checkpoint); err != nil {
		return "", err
	}
	text, _, _ := bytes.Cut(checkpoint, []byte("\n\n"))
	return w.key.cosign(string(text) + "\n"), nil
}

// last returns the checkpoint that was signed last, of size 0 where none was.
func (w *Witness) last(ctx context.Context, at Blob, log note.Verifier) ([]byte, verify.Checkpoint, error) {
	stored, err := at.Load(ctx)
	if err != nil || stored == nil {
		return nil, verify.Checkpoint{Root: rfc6962.DefaultHasher.EmptyRoot()}, err
	}
	c, err := verify.OpenCheckpoint(stored, log)
	return stored, c, err
}

// follows checks that a checkpoint continues the last one.
func follows(last, next verify.Checkpoint, old int64, hashes [][]byte) error {
	if old != last.Size || next.Size == last.Size && !bytes.Equal(next.Root, last.Root) {
		return &refusal{status: http.StatusConflict, text: strconv.FormatInt(last.Size, 10), size: true}
	}
	if old == 0 && len(hashes) == 0 { // everything continues nothing
		return nil
	}
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(old), uint64(next.Size), hashes, last.Root, next.Root); err != nil {
		return &refusal{status: http.StatusUnprocessableEntity, text: "the proof does not hold"}
	}
	return nil
}

// fileOf is the name of the file for a log.
func fileOf(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return hex.EncodeToString(sum[:])
}

// parseSubmission reads "old N", a hash a line, an empty line, and the checkpoint.
func parseSubmission(body []byte) (old int64, hashes [][]byte, checkpoint []byte, err error) {
	head, checkpoint, ok := bytes.Cut(body, []byte("\n\n"))
	if !ok {
		return 0, nil, nil, errors.New("the submission is malformed: no empty line")
	}
	lines := strings.Split(string(head), "\n")
	number, ok := strings.CutPrefix(lines[0], "old ")
	old, err = strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || old < 0 || strconv.FormatInt(old, 10) != number {
		return 0, nil, nil, errors.New("the submission is malformed: want \"old\" and a size")
	}
	if len(lines)-1 > maxProof {
		return 0, nil, nil, fmt.Errorf("the proof has more than %d hashes", maxProof)
	}
	for _, line := range lines[1:] {
		h, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(h) != verify.HashSize {
			return 0, nil, nil, errors.New("the submission is malformed: a hash of the proof")
		}
		hashes = append(hashes, h)
	}
	return old, hashes, checkpoint, nil
}
