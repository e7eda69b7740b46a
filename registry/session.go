package registry

import (
	"context"
	"crypto/rand"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"
)

// uploads are the blobs that are on their way in. Each is a file that grows; its writer and the state of its hash stay
// in memory between requests unless the storage is shared, and are written beside it when the upload is put aside.
type uploads struct {
	store  Driver
	limits Limits
	shared bool
	busy   locks // by upload id: one request at a time
	mu     sync.Mutex
	open   map[string]*upload
	closed bool
}

func newUploads(store Driver, limits Limits, shared bool) *uploads {
	return &uploads{store: store, limits: limits, shared: shared, open: map[string]*upload{}}
}

// upload is one that a request works with; nobody else does at the same time.
type upload struct {
	repo, id  string
	algorithm digest.Algorithm
	hash      hash.Hash
	hashed    int64 // bytes that went through hash; behind size where they have to be read again
	file      driver.FileWriter
	size      int64 // bytes that came; the file's own Size may not count what it holds in memory
	used      time.Time
	over      bool // the file is closed
}

// uploadState is what is written beside an upload that is put aside.
type uploadState struct {
	Algorithm string `json:"algorithm"`
	Offset    int64  `json:"offset"`
	Hash      []byte `json:"hash"`
}

// newUploadID returns the time of now in seconds, so that what was abandoned can be told by its name, and 128 random
// bits, so that an id cannot be guessed.
func newUploadID(now time.Time) string {
	var b [16]byte
	rand.Read(b[:])
	return fmt.Sprintf("%010x-%s", now.Unix(), hex.EncodeToString(b[:]))
}

// uploadStarted reads the time in an upload's id.
func uploadStarted(id string) (time.Time, bool) {
	if len(id) != 43 || id[10] != '-' {
		return time.Time{}, false
	}
	if _, err := hex.DecodeString(id[11:]); err != nil {
		return time.Time{}, false
	}
	sec, err := strconv.ParseInt(id[:10], 16, 64)
	return time.Unix(sec, 0).UTC(), err == nil
}

// start begins an upload.
func (u *uploads) start(ctx context.Context, repo string, a digest.Algorithm) (*upload, error) {
	up := &upload{repo: repo, id: newUploadID(time.Now()), algorithm: a, hash: a.Hash()}
	// The file outlives the request.
	f, err := u.store.Writer(context.WithoutCancel(ctx), uploadPath(repo, up.id), false)
	if err != nil {
		return nil, fmt.Errorf("starting upload in %s: %w", repo, err)
	}
	up.file = f
	return up, nil
}

// take finds an upload and keeps everybody else from it until done is called.
func (u *uploads) take(ctx context.Context, repo, id string) (up *upload, done func(), err error) {
	if _, ok := uploadStarted(id); !ok {
		return nil, nil, errUploadUnknown(id)
	}
	unlock := u.busy.lock(id)
	up = u.remove(id)
	if up != nil && up.repo != repo {
		u.put(up)
		unlock()
		return nil, nil, errUploadUnknown(id)
	}
	if up == nil {
		if up, err = u.resume(ctx, repo, id); err != nil {
			unlock()
			return nil, nil, err
		}
	}
	return up, unlock, nil
}

// resume opens an upload that is not in memory.
func (u *uploads) resume(ctx context.Context, repo, id string) (*upload, error) {
	path := uploadPath(repo, id)
	if ok, err := u.exists(ctx, repo, id); err != nil || !ok {
		return nil, orElse(err, errUploadUnknown(id))
	}
	f, err := u.store.Writer(context.WithoutCancel(ctx), path, true)
	if isMissing(err) {
		return nil, errUploadUnknown(id)
	}
	if err != nil {
		return nil, fmt.Errorf("resuming upload %s in %s: %w", id, repo, err)
	}
	up := &upload{repo: repo, id: id, algorithm: digest.SHA256, file: f, size: f.Size()}
	up.recall(u.readState(ctx, repo, id))
	return up, nil
}

// exists says whether an upload was started. A driver may create a file that it is to append to, so it is asked first.
func (u *uploads) exists(ctx context.Context, repo, id string) (bool, error) {
	_, err := u.store.Stat(ctx, uploadPath(repo, id))
	if isMissing(err) {
		_, err = u.store.Stat(ctx, statePath(repo, id)) // parts of an object that is not put together cannot be seen
	}
	if isMissing(err) {
		return false, nil
	}
	return err == nil, err
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

func (u *uploads) readState(ctx context.Context, repo, id string) uploadState {
	var s uploadState
	p, err := u.store.GetContent(ctx, statePath(repo, id))
	if err != nil || json.Unmarshal(p, &s) != nil {
		return uploadState{}
	}
	return s
}

// recall takes up the hash where it was put aside, or from the beginning.
func (up *upload) recall(s uploadState) {
	if a := digest.Algorithm(s.Algorithm); a == digest.SHA512 {
		up.algorithm = a
	}
	up.hash = up.algorithm.Hash()
	h, ok := up.hash.(encoding.BinaryUnmarshaler)
	if ok && s.Offset > 0 && s.Offset <= up.size && h.UnmarshalBinary(s.Hash) == nil {
		up.hashed = s.Offset
		return
	}
	up.hash = up.algorithm.Hash()
}

// keep puts an upload back until its next request: in memory, or where that is not allowed in the storage. Whoever
// calls it still holds the upload.
func (u *uploads) keep(ctx context.Context, up *upload) error {
	up.used = time.Now()
	if u.shared || !u.put(up) {
		return u.aside(ctx, up)
	}
	return u.makeRoom(ctx, up.id)
}

// put keeps an upload in memory, unless the registry is closed.
func (u *uploads) put(up *upload) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.closed {
		u.open[up.id] = up
	}
	return !u.closed
}

// makeRoom puts uploads aside that were idle for long, and any where there are too many; not those that somebody works
// with right now.
func (u *uploads) makeRoom(ctx context.Context, but string) error {
	for _, id := range u.idle(but) {
		unlock, ok := u.busy.tryLock(id)
		if !ok {
			continue
		}
		err := error(nil)
		if up := u.remove(id); up != nil {
			err = u.aside(ctx, up)
		}
		unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

func (u *uploads) idle(but string) (ids []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	surplus := len(u.open) - u.limits.Uploads
	for id, up := range u.open {
		if id != but && (len(ids) < surplus || time.Since(up.used) > u.limits.Idle) {
			ids = append(ids, id)
		}
	}
	return ids
}

// remove takes an upload out of memory; nil if it is not there.
func (u *uploads) remove(id string) *upload {
	u.mu.Lock()
	defer u.mu.Unlock()
	up := u.open[id]
	delete(u.open, id)
	return up
}

// aside closes an upload's file and writes down how far its hash is.
func (u *uploads) aside(ctx context.Context, up *upload) error {
	s := uploadState{Algorithm: string(up.algorithm), Offset: up.hashed}
	if h, ok := up.hash.(encoding.BinaryMarshaler); ok {
		s.Hash, _ = h.MarshalBinary() // without it, the content is hashed again
	}
	if err := up.file.Close(); err != nil {
		return fmt.Errorf("putting upload %s aside: %w", up.id, err)
	}
	p, _ := json.Marshal(s)
	if err := u.store.PutContent(ctx, statePath(up.repo, up.id), p); err != nil {
		return fmt.Errorf("putting upload %s aside: %w", up.id, err)
	}
	return nil
}

// drop forgets an upload and what came of it.
func (u *uploads) drop(ctx context.Context, up *upload) error {
	var err error
	if !up.over {
		up.over = true
		err = up.file.Cancel(ctx)
	}
	if derr := u.store.Delete(ctx, uploadsPath(up.repo)+"/"+up.id); derr != nil && !isMissing(derr) {
		return fmt.Errorf("removing upload %s: %w", up.id, derr)
	}
	if err != nil && !isMissing(err) {
		return fmt.Errorf("removing upload %s: %w", up.id, err)
	}
	return nil
}

// close puts everything aside. Uploads that a request works with are put aside when it ends.
func (u *uploads) close() error {
	u.mu.Lock()
	u.closed = true
	ids := slices.Collect(maps.Keys(u.open))
	u.mu.Unlock()
	var errs []error
	for _, id := range ids {
		unlock := u.busy.lock(id)
		if up := u.remove(id); up != nil {
			errs = append(errs, u.aside(context.Background(), up))
		}
		unlock()
	}
	return errors.Join(errs...)
}

// write appends what the client sends, hashing it on the way. What came before an error stays.
func (up *upload) write(body io.Reader, most int64) (int64, error) {
	before := up.size
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	for {
		n, err := readSome(body, *buf)
		if werr := up.append((*buf)[:n], most); werr != nil {
			return up.size - before, werr
		}
		if err == io.EOF {
			return up.size - before, nil
		}
		if err != nil {
			return up.size - before, &Error{Status: http.StatusBadRequest, Code: "BLOB_UPLOAD_INVALID", Message: "the body ended before its end", cause: err}
		}
	}
}

func (up *upload) append(p []byte, most int64) error {
	if up.size+int64(len(p)) > most {
		return errTooLarge("SIZE_INVALID", "the blob is larger than is allowed here")
	}
	if len(p) == 0 {
		return nil
	}
	if up.hashed == up.size {
		up.hash.Write(p)
		up.hashed += int64(len(p))
	}
	n, err := up.file.Write(p)
	up.size += int64(n)
	if err != nil {
		return fmt.Errorf("writing upload %s: %w", up.id, err)
	}
	return nil
}

var copyBuffers = sync.Pool{New: func() any { b := make([]byte, 256<<10); return &b }}

// readSome fills the buffer as far as the body gives, so that few large writes follow.
func readSome(body io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var k int
		k, err = body.Read(buf[n:])
		n += k
	}
	return n, err
}
