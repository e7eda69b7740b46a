package trust

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	godigest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/notaryproject/notation-core-go/signature"
)

// NotationOptions of SignNotation.
type NotationOptions struct {
	// COSE writes a COSE envelope instead of JWS.
	COSE bool
	// Expires is when the signature stops to count; zero is never.
	Expires time.Time
	// Now is the signing time, which the signature holds.
	Now time.Time
}

// SignNotation signs an image in the Notary Project's form, with a key and its certificate chain in PEM, the signing
// certificate first and the root last. It returns the digest of the manifest that holds the signature.
func SignNotation(ctx context.Context, to Sink, s Subject, key crypto.Signer, chain []byte, o NotationOptions) (string, error) {
	certs, err := certificates([]string{string(chain)})
	if err != nil {
		return "", fmt.Errorf("the certificate chain: %w", err)
	}
	if !sameKey(certs[0].PublicKey, key.Public()) {
		return "", errors.New("the first certificate is not of the signing key")
	}
	mediaType, raw, err := to.Manifest(ctx, s.Repository, s.Digest)
	if err != nil {
		return "", fmt.Errorf("reading the image's manifest: %w", err)
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	target := Descriptor{MediaType: mediaType, Digest: godigest.Digest(s.Digest), Size: int64(len(raw))}
	media := mediaJWS
	if o.COSE {
		media = mediaCOSE
	}
	content, err := sealNotation(ctx, media, target, key, certs, o)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	thumbprints, err := json.Marshal(fingerprints(certs))
	if err != nil {
		return "", fmt.Errorf("writing the annotations: %w", err)
	}
	return pushReferrer(ctx, to, s, referrer{config: typeNotation, layer: Descriptor{MediaType: media}, content: content,
		annotations: map[string]string{
			"io.cncf.notary.x509chain.thumbprint#S256": string(thumbprints),
			ocispec.AnnotationCreated:                  o.Now.UTC().Format(time.RFC3339),
		}})
}

func fingerprints(certs []*x509.Certificate) []string {
	all := make([]string, 0, len(certs))
	for _, c := range certs {
		all = append(all, fingerprint(c.Raw))
	}
	return all
}

// sealNotation writes the envelope, and reads it back: what it would not accept itself is not stored.
func sealNotation(ctx context.Context, media string, target Descriptor, key crypto.Signer, certs []*x509.Certificate, o NotationOptions) ([]byte, error) {
	payload, err := json.Marshal(map[string]Descriptor{"targetArtifact": target})
	if err != nil {
		return nil, err
	}
	signer, err := signature.NewLocalSigner(certs, key)
	if err != nil {
		return nil, err
	}
	env, err := signature.NewEnvelope(media)
	if err != nil {
		return nil, err
	}
	req := &signature.SignRequest{
		Payload:       signature.Payload{ContentType: payloadNotation, Content: payload},
		Signer:        signer,
		SigningTime:   o.Now.UTC().Truncate(time.Second),
		SigningScheme: signature.SigningSchemeX509,
		SigningAgent:  "seawall",
	}
	if !o.Expires.IsZero() {
		req.Expiry = o.Expires.UTC().Truncate(time.Second)
	}
	content, err := env.Sign(req.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	back, err := signature.ParseEnvelope(media, content)
	if err != nil {
		return nil, err
	}
	_, err = back.Verify()
	return content, err
}
