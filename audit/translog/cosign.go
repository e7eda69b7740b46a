package translog

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"

	"github.com/seawall/seawall/audit/verify"
)

// RemoteWitness is a witness that this log's checkpoints are shown to: another hub, or any C2SP tlog-witness.
type RemoteWitness struct {
	// URL is the submission prefix; "/add-checkpoint" is appended.
	URL string
	// Key is the witness's public key, "name+hash+key".
	Key string
	// Client may be nil.
	Client *http.Client
}

// witnessTimeout bounds one request to a witness.
const witnessTimeout = 5 * time.Second

// cosigner shows checkpoints to one witness. It is a Copy, so that the log does not wait for it.
type cosigner struct {
	log    *Log
	url    string
	key    note.Verifier
	client *http.Client

	mu   sync.Mutex // one request at a time
	size int64      // that the witness is known to have
	text []byte     // the checkpoint that it signed last
	line []byte     // and the signature
}

func newCosigner(l *Log, w RemoteWitness) (*cosigner, error) {
	key, err := verify.NewVerifier(w.Key)
	if err != nil {
		return nil, fmt.Errorf("the key of the witness %s: %w", w.URL, err)
	}
	if !strings.HasPrefix(w.URL, "https://") && !strings.HasPrefix(w.URL, "http://") {
		return nil, fmt.Errorf("the witness %s: want a URL with https://", key.Name())
	}
	return &cosigner{log: l, url: strings.TrimSuffix(w.URL, "/") + "/add-checkpoint", key: key, client: cmp.Or(w.Client, http.DefaultClient)}, nil
}

// Name implements Copy.
func (c *cosigner) Name() string { return "witness " + c.key.Name() }

// Put implements Copy.
func (c *cosigner) Put(ctx context.Context, checkpoint []byte) error {
	_, err := c.cosign(ctx, checkpoint)
	return err
}

// cosign returns the witness's signature under a checkpoint of this log, as a line of a note.
func (c *cosigner) cosign(ctx context.Context, checkpoint []byte) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if bytes.Equal(c.text, checkpoint) {
		return c.line, nil
	}
	next, err := verify.OpenCheckpoint(checkpoint, c.log.cfg.Key.verifier)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, witnessTimeout)
	defer cancel()
	line, known, err := c.submit(ctx, checkpoint, next.Size)
	if known >= 0 { // it knows another size than was thought
		if known > next.Size {
			return nil, fmt.Errorf("the witness %s has seen %d records, the log has %d", c.key.Name(), known, next.Size)
		}
		c.size = known
		line, _, err = c.submit(ctx, checkpoint, next.Size)
	}
	if err != nil {
		return nil, err
	}
	if _, err := note.Open(append(bytes.Clone(checkpoint), line...), note.VerifierList(c.key)); err != nil {
		return nil, fmt.Errorf("the answer of the witness %s does not verify: %w", c.key.Name(), err)
	}
	c.size, c.text, c.line = next.Size, checkpoint, line
	return line, nil
}

// submit sends one request. known is the size that the witness has, -1 unless it says so.
func (c *cosigner) submit(ctx context.Context, checkpoint []byte, size int64) (line []byte, known int64, err error) {
	hashes, err := c.log.consistency(c.size, size)
	if err != nil {
		return nil, -1, err
	}
	body := fmt.Appendf(nil, "old %d\n", c.size)
	for _, h := range hashes {
		body = append(body, base64.StdEncoding.EncodeToString(h)+"\n"...)
	}
	body = append(append(body, '\n'), checkpoint...)
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, -1, fmt.Errorf("asking the witness %s: %w", c.key.Name(), err)
	}
	answer, err := c.client.Do(q)
	if err != nil {
		return nil, -1, fmt.Errorf("asking the witness %s: %w", c.key.Name(), err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxSubmission))
	if err != nil {
		return nil, -1, fmt.Errorf("asking the witness %s: %w", c.key.Name(), err)
	}
	return c.read(answer.StatusCode, text)
}

// read takes the witness's signature from its answer, or the size that it has.
func (c *cosigner) read(status int, text []byte) (line []byte, known int64, err error) {
	if status == http.StatusConflict {
		n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err == nil && n >= 0 && n != c.size {
			return nil, n, nil
		}
		return nil, -1, fmt.Errorf("%w: the witness %s has signed another checkpoint of %d records", ErrForked, c.key.Name(), c.size)
	}
	if status != http.StatusOK {
		return nil, -1, fmt.Errorf("the witness %s answers %d", c.key.Name(), status)
	}
	for l := range bytes.Lines(text) {
		if bytes.HasPrefix(l, []byte("— "+c.key.Name()+" ")) && bytes.HasSuffix(l, []byte("\n")) {
			return l, -1, nil
		}
	}
	return nil, -1, fmt.Errorf("the witness %s answers without a signature", c.key.Name())
}

// consistency proves that the first old leaves of a log of size leaves are those of the log of before.
func (l *Log) consistency(old, size int64) ([][]byte, error) {
	if old <= 0 || old >= size {
		return nil, nil
	}
	nodes, err := proof.Consistency(uint64(old), uint64(size))
	if err != nil {
		return nil, fmt.Errorf("proving consistency: %w", err)
	}
	var hashes [][]byte
	for _, id := range nodes.IDs {
		h, err := l.tiles.node(id, uint64(size))
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, h)
	}
	return nodes.Rehash(hashes, rfc6962.DefaultHasher.HashChildren)
}

// witnessed returns a checkpoint with the signatures of the witnesses that answer.
func (l *Log) witnessed(ctx context.Context, checkpoint []byte) []byte {
	lines := make([][]byte, len(l.witnesses))
	var asking sync.WaitGroup
	for i, w := range l.witnesses {
		asking.Go(func() {
			line, err := w.cosign(ctx, checkpoint)
			if err != nil && !errors.Is(err, context.Canceled) {
				l.cfg.Log.WarnContext(ctx, "a witness did not sign the checkpoint of an export", "witness", w.key.Name(), "error", err)
			}
			lines[i] = line
		})
	}
	asking.Wait()
	return slices.Concat(append([][]byte{checkpoint}, lines...)...)
}
