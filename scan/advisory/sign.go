package advisory

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// The signature follows the content: a note (golang.org/x/mod/sumdb/note, Ed25519) over the content's digest.
const noteHead = "seawall advisory database\n"

// ErrUnsigned is wrapped by Verify's error about a database without a signature by a trusted key: take it from
// somebody whose key is trusted, or add the key of who built it.
var ErrUnsigned = errors.New("not signed by a trusted key")

// Sign checks the content of the database at path against its digest and replaces its signature by one of the
// private key. The content stays as it is: who has the file open is not disturbed.
func Sign(path, privateKey string) error {
	signer, err := note.NewSigner(strings.TrimSpace(privateKey))
	if err != nil {
		return fmt.Errorf("reading the signing key: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("signing the advisory database: %w", err)
	}
	defer f.Close()
	h, _, err := checkContent(f)
	if err != nil {
		return fmt.Errorf("signing the advisory database %s: %w", path, err)
	}
	signed, err := note.Sign(&note.Note{Text: noteText(&h)}, signer)
	if err != nil {
		return fmt.Errorf("signing the advisory database %s: %w", path, err)
	}
	if _, err = f.WriteAt(signed, int64(h.size)); err == nil {
		err = f.Truncate(int64(h.size) + int64(len(signed)))
	}
	if err = errors.Join(err, f.Sync()); err != nil {
		return fmt.Errorf("writing the signature of %s: %w", path, err)
	}
	return nil
}

func noteText(h *header) string {
	return fmt.Sprintf("%ssha256:%s\n%d\n", noteHead, hex.EncodeToString(h.digest[:]), h.size)
}

// Verify reads the whole file: that the content is what the builder wrote and, where trusted holds public keys, that
// one of them signed it. It returns the name of the signer, "" where trusted is empty. Errors wrap ErrFormat,
// ErrCorrupt or ErrUnsigned.
func Verify(path string, trusted []string) (signer string, err error) {
	f, err := openRegular(path)
	if err != nil {
		return "", fmt.Errorf("verifying the advisory database: %w", err)
	}
	defer f.Close()
	h, trailer, err := checkContent(f)
	if err != nil {
		return "", fmt.Errorf("verifying the advisory database %s: %w", path, err)
	}
	if len(trusted) == 0 {
		return "", nil
	}
	if signer, err = checkSignature(&h, trailer, trusted); err != nil {
		return "", fmt.Errorf("verifying the advisory database %s: %w", path, err)
	}
	return signer, nil
}

// checkContent compares the content with the header's digest and returns what follows it.
func checkContent(f *os.File) (h header, trailer []byte, err error) {
	st, err := f.Stat()
	if err != nil {
		return h, nil, err
	}
	head := make([]byte, headerLen)
	if n, err := f.ReadAt(head, 0); n < headerLen {
		return h, nil, fmt.Errorf("reading its header: %w (%v)", ErrFormat, err)
	}
	if h, err = decodeHeader(head, st.Size()); err != nil {
		return h, nil, err
	}
	blank := h
	blank.digest = [32]byte{}
	sum := sha256.New()
	sum.Write(blank.encode())
	if _, err = io.Copy(sum, io.NewSectionReader(f, headerLen, int64(h.size)-headerLen)); err != nil {
		return h, nil, fmt.Errorf("reading it: %w", err)
	}
	if [32]byte(sum.Sum(nil)) != h.digest {
		return h, nil, fmt.Errorf("its content is not what its digest says: %w", ErrCorrupt)
	}
	trailer, err = readTrailer(f, &h, st.Size())
	return h, trailer, err
}

func checkSignature(h *header, trailer []byte, trusted []string) (string, error) {
	var keys []note.Verifier
	for _, t := range trusted {
		v, err := note.NewVerifier(strings.TrimSpace(t))
		if err != nil {
			return "", fmt.Errorf("trusted key %.40q: %w", t, err)
		}
		keys = append(keys, v)
	}
	if len(trailer) == 0 {
		return "", fmt.Errorf("it carries no signature: %w", ErrUnsigned)
	}
	n, err := note.Open(trailer, note.VerifierList(keys...))
	if err != nil {
		return "", fmt.Errorf("%w: %v", ErrUnsigned, err)
	}
	if n.Text != noteText(h) {
		return "", fmt.Errorf("its signature is over another database: %w", ErrUnsigned)
	}
	return n.Sigs[0].Name, nil
}

// SignedBy checks that one of the trusted public keys signed the database's digest, and notes the signer for Info. It
// leaves the content to Verify, so that it costs a fraction of a millisecond. Errors wrap ErrUnsigned. Call it before
// the database is shared between goroutines.
func (db *DB) SignedBy(trusted []string) (err error) {
	if db.signer, err = checkSignature(&db.h, db.trailer, trusted); err != nil {
		return fmt.Errorf("checking the advisory database's signature: %w", err)
	}
	return nil
}

// readTrailer reads what follows the content, if anything does.
func readTrailer(f *os.File, h *header, size int64) ([]byte, error) {
	if uint64(size) <= h.size {
		return nil, nil
	}
	b, err := io.ReadAll(io.NewSectionReader(f, int64(h.size), maxTrailer))
	if err != nil {
		return nil, fmt.Errorf("reading its signature: %w", err)
	}
	return b, nil
}
