package registry

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
)

// startUpload answers POST: mounts a blob, takes a whole one, or begins an upload. Distribution specification, sections
// "Pushing blobs" and "Mounting a blob from another repository".
func (r *Registry) startUpload(w http.ResponseWriter, q *http.Request, t target) error {
	ctx, err := r.hooks.Authorize(q, []Need{{t.repo, Push}})
	if err != nil {
		return err
	}
	query := q.URL.Query()
	if mount := query.Get("mount"); mount != "" {
		if done, err := r.mount(ctx, w, q, t.repo, mount, query.Get("from")); done || err != nil {
			return err
		}
	}
	a, want, err := uploadDigest(query.Get("digest-algorithm"), query.Get("digest"))
	if err != nil {
		return err
	}
	up, err := r.uploads.start(ctx, t.repo, a)
	if err != nil {
		return err
	}
	if want == "" {
		return r.keepUpload(ctx, w, up, nil)
	}
	if _, err := up.write(q.Body, r.limits.Blob); err != nil {
		return r.abandon(ctx, up, err)
	}
	return r.finish(ctx, w, up, want)
}

// uploadDigest reads which algorithm an upload is hashed with, and the digest where the client tells it at once.
func uploadDigest(algorithm, d string) (digest.Algorithm, digest.Digest, error) {
	if d != "" {
		want, err := parseDigest(d)
		if err != nil {
			return "", "", err
		}
		return want.Algorithm(), want, nil
	}
	switch a := digest.Algorithm(algorithm); a {
	case "", digest.SHA256:
		return digest.SHA256, "", nil
	case digest.SHA512:
		return a, "", nil
	}
	return "", "", errDigest("digests are taken with sha256 or sha512", algorithm)
}

// mount links a blob of another repository, where the client may read it. done is false where an upload has to follow,
// which the specification wants for every reason that a mount fails for.
func (r *Registry) mount(ctx context.Context, w http.ResponseWriter, q *http.Request, repo, blob, from string) (done bool, err error) {
	d, err := parseDigest(blob)
	if err != nil {
		return false, err
	}
	if from == "" {
		from, _ = r.places.of(d)
	}
	if from == "" || !ValidName(from) || !r.readable(q, repo, from, d) {
		return false, nil
	}
	size, err := r.blobSize(ctx, d)
	if err != nil {
		return false, nil
	}
	if err := r.hooks.BeforePut(ctx, Put{Repository: repo, Digest: blob, Size: size}); err != nil {
		return false, err
	}
	if err := r.adopt(ctx, repo, d, size); err != nil {
		return false, nil
	}
	blobCreated(w, repo, d)
	return true, nil
}

// readable says whether who pushes to repo may read the blob in the repository that it is to come from.
func (r *Registry) readable(q *http.Request, repo, from string, d digest.Digest) bool {
	ctx, err := r.hooks.Authorize(q, []Need{{repo, Push}, {from, Pull}})
	return err == nil && r.blobServed(ctx, from, d) == nil
}

func (r *Registry) blobSize(ctx context.Context, d digest.Digest) (int64, error) {
	info, err := r.store.Stat(ctx, blobPath(d))
	if err != nil {
		return 0, fmt.Errorf("looking for blob %s: %w", d, err)
	}
	return info.Size(), nil
}

// adopt links a blob that is stored already. Should a collection be running, it may have decided before it could see
// the link: then the blob has to be there still, after the link was made.
func (r *Registry) adopt(ctx context.Context, repo string, d digest.Digest, size int64) error {
	if err := r.linkBlob(ctx, repo, d, size); err != nil {
		return err
	}
	if _, err := r.blobSize(ctx, d); err != nil {
		return err // the link dangles until the next collection; nothing is served by it
	}
	return nil
}

// takeUpload finds the upload of a request that may push.
func (r *Registry) takeUpload(q *http.Request, t target) (context.Context, *upload, func(), error) {
	ctx, err := r.hooks.Authorize(q, []Need{{t.repo, Push}})
	if err != nil {
		return nil, nil, nil, err
	}
	up, done, err := r.uploads.take(ctx, t.repo, t.ref)
	return ctx, up, done, err
}

// uploadStatus tells how far an upload is.
func (r *Registry) uploadStatus(w http.ResponseWriter, q *http.Request, t target) error {
	ctx, up, done, err := r.takeUpload(q, t)
	if err != nil {
		return err
	}
	defer done()
	uploadHeaders(w, up)
	if err := r.uploads.keep(ctx, up); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// patchUpload appends a chunk, or everything at once where no Content-Range is given.
func (r *Registry) patchUpload(w http.ResponseWriter, q *http.Request, t target) error {
	ctx, up, done, err := r.takeUpload(q, t)
	if err != nil {
		return err
	}
	defer done()
	return r.keepUpload(ctx, w, up, r.appendChunk(q, up))
}

// appendChunk writes a request's body behind what is there, if it says that it belongs there.
func (r *Registry) appendChunk(q *http.Request, up *upload) error {
	length := int64(-1)
	if v := q.Header.Get("Content-Range"); v != "" {
		first, last, err := contentRange(v)
		if err != nil {
			return err
		}
		if first != up.size {
			return errRange(fmt.Sprintf("the chunk begins at %d, %d bytes are here", first, up.size))
		}
		length = last - first + 1
	}
	if length >= 0 && q.ContentLength >= 0 && q.ContentLength != length {
		return errSize("Content-Range and Content-Length do not agree")
	}
	body := io.Reader(q.Body)
	if length >= 0 {
		body = io.LimitReader(body, length)
	}
	n, err := up.write(body, r.limits.Blob)
	if err == nil && length >= 0 && n != length {
		err = errSize("the chunk is shorter than its Content-Range says")
	}
	return err
}

// contentRange reads "0-1023", as the specification has it, and "bytes 0-1023/2048", as HTTP has it.
func contentRange(v string) (first, last int64, err error) {
	s := strings.TrimPrefix(strings.TrimSpace(v), "bytes ")
	s, _, _ = strings.Cut(s, "/")
	a, b, ok := strings.Cut(s, "-")
	first, err1 := strconv.ParseInt(a, 10, 63)
	last, err2 := strconv.ParseInt(b, 10, 63)
	if !ok || err1 != nil || err2 != nil || first < 0 || last < first-1 || last-first+1 < 0 {
		return 0, 0, errUploadInvalid(fmt.Sprintf("the Content-Range %q is not <first>-<last>", bounded(v)))
	}
	return first, last, nil
}

// keepUpload ends a request whose upload goes on, with the error that it ended in, if any.
func (r *Registry) keepUpload(ctx context.Context, w http.ResponseWriter, up *upload, failed error) error {
	uploadHeaders(w, up)
	// What came is kept even where the client has gone.
	if err := r.uploads.keep(context.WithoutCancel(ctx), up); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

func uploadHeaders(w http.ResponseWriter, up *upload) {
	h := w.Header()
	h.Set("Location", "/v2/"+up.repo+"/blobs/uploads/"+up.id)
	h.Set("Docker-Upload-Uuid", up.id)
	h.Set("Range", fmt.Sprintf("0-%d", max(up.size-1, 0)))
}

// cancelUpload drops what came so far.
func (r *Registry) cancelUpload(w http.ResponseWriter, q *http.Request, t target) error {
	ctx, up, done, err := r.takeUpload(q, t)
	if err != nil {
		return err
	}
	defer done()
	if err := r.uploads.drop(ctx, up); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// finishUpload takes the last chunk, if there is one, and makes a blob of the upload.
func (r *Registry) finishUpload(w http.ResponseWriter, q *http.Request, t target) error {
	ctx, up, done, err := r.takeUpload(q, t)
	if err != nil {
		return err
	}
	defer done()
	want, err := parseDigest(q.URL.Query().Get("digest"))
	if err != nil {
		return r.keepUpload(ctx, w, up, err)
	}
	if up.size == 0 {
		up.begin(want.Algorithm())
	}
	if err := r.appendChunk(q, up); err != nil {
		return r.keepUpload(ctx, w, up, err)
	}
	return r.finish(ctx, w, up, want)
}

// begin hashes with another algorithm, before anything came.
func (up *upload) begin(a digest.Algorithm) {
	if a != up.algorithm {
		up.algorithm, up.hash, up.hashed = a, a.Hash(), 0
	}
}

func (r *Registry) finish(ctx context.Context, w http.ResponseWriter, up *upload, want digest.Digest) error {
	if err := r.commit(ctx, up, want); err != nil {
		return r.abandon(ctx, up, err)
	}
	blobCreated(w, up.repo, want)
	return nil
}

// abandon drops an upload that came to nothing and gives back why.
func (r *Registry) abandon(ctx context.Context, up *upload, why error) error {
	if err := r.uploads.drop(context.WithoutCancel(ctx), up); err != nil {
		r.log.WarnContext(ctx, "abandoned upload is still there", "repository", up.repo, "upload", up.id, "error", err)
	}
	return why
}

func blobCreated(w http.ResponseWriter, repo string, d digest.Digest) {
	w.Header().Del("Range")
	w.Header().Set("Location", "/v2/"+repo+"/blobs/"+string(d))
	w.Header().Set("Docker-Content-Digest", string(d))
	w.WriteHeader(http.StatusCreated)
}

// binder is a writer that binds what was written to the name that it will have; see package sealed.
type binder interface{ Bind(label string) }

// commit makes a blob of an upload: verified, stored durably, linked into the repository.
func (r *Registry) commit(ctx context.Context, up *upload, want digest.Digest) error {
	size := up.size
	whole := up.hashed == size && up.algorithm == want.Algorithm()
	if whole && digest.NewDigest(up.algorithm, up.hash) != want {
		return errDigest("the content has another digest", string(want))
	}
	if err := r.hooks.BeforePut(ctx, Put{Repository: up.repo, Digest: string(want), Size: size}); err != nil {
		return err
	}
	if whole {
		if _, err := r.blobSize(ctx, want); err == nil {
			return r.reuse(ctx, up, want, size)
		}
	}
	if err := r.place(ctx, up, want, whole); err != nil {
		return err
	}
	return r.adopt(ctx, up.repo, want, size)
}

// reuse links a blob that is stored already instead of the one that came.
func (r *Registry) reuse(ctx context.Context, up *upload, want digest.Digest, size int64) error {
	if err := r.adopt(ctx, up.repo, want, size); err != nil {
		if err := r.place(ctx, up, want, true); err != nil {
			return err
		}
		return r.adopt(ctx, up.repo, want, size)
	}
	return r.uploads.drop(ctx, up)
}

// place stores an upload's content under its digest. Content that was not hashed on its way in is read back first.
func (r *Registry) place(ctx context.Context, up *upload, want digest.Digest, verified bool) error {
	if up.size == 0 {
		return r.placeEmpty(ctx, up, want)
	}
	if b, ok := up.file.(binder); ok {
		b.Bind(blobPath(want))
	}
	if err := up.commit(ctx); err != nil {
		return fmt.Errorf("storing blob %s: %w", want, err)
	}
	from := uploadPath(up.repo, up.id)
	if !verified {
		if err := r.verify(ctx, from, want); err != nil {
			return err
		}
	}
	if err := r.store.Move(ctx, from, blobPath(want)); err != nil {
		return fmt.Errorf("storing blob %s: %w", want, err)
	}
	if err := r.store.Delete(ctx, uploadsPath(up.repo)+"/"+up.id); err != nil && !isMissing(err) {
		return fmt.Errorf("storing blob %s: %w", want, err)
	}
	return nil
}

// placeEmpty stores the blob of no bytes, of which some drivers cannot make a file piece by piece.
func (r *Registry) placeEmpty(ctx context.Context, up *upload, want digest.Digest) error {
	if want.Algorithm().FromBytes(nil) != want {
		return errDigest("the content has another digest", string(want))
	}
	if err := r.store.PutContent(ctx, blobPath(want), nil); err != nil {
		return fmt.Errorf("storing blob %s: %w", want, err)
	}
	return r.uploads.drop(ctx, up)
}

func (up *upload) commit(ctx context.Context) error {
	up.over = true
	if err := up.file.Commit(ctx); err != nil {
		up.file.Close()
		return err
	}
	return up.file.Close()
}

// verify reads what was stored and compares it with the digest that it shall have.
func (r *Registry) verify(ctx context.Context, path string, want digest.Digest) error {
	c, _, err := r.openAs(ctx, path, blobPath(want))
	if err != nil {
		return fmt.Errorf("verifying blob %s: %w", want, err)
	}
	defer c.Close()
	v := want.Verifier()
	if _, err := io.Copy(v, c); err != nil {
		return fmt.Errorf("verifying blob %s: %w", want, err)
	}
	if !v.Verified() {
		return errDigest("the content has another digest", string(want))
	}
	return nil
}
