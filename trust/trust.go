// Package trust verifies and makes signatures and attestations of images in registries.
//
// It promises that what it calls verified was signed, over exactly the digest in question, by a key, certificate
// identity or certificate that the policy names; that whatever did not verify says why, one reason for each signer that
// was asked; and that everything is decided offline, from the policy's own keys, roots and certificates. It reads
// Cosign's signatures and attestations (legacy tags, referrers, sigstore bundles) and those of the Notary Project (JWS
// and COSE), and writes them so that Cosign and Notation accept them.
//
// It leaves out fetching roots (no TUF), asking logs or revocation services over the network, and Docker Content Trust,
// which it only detects. Where images lie is behind Source and Sink; package remote below has them for a registry.
package trust

import (
	"context"
	"slices"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Descriptor is OCI's.
type Descriptor = ocispec.Descriptor

// Source reads a registry. What is not there is fs.ErrNotExist.
type Source interface {
	// Referrers lists the manifests whose subject is digest, of one artifact type, or of all if it is "".
	Referrers(ctx context.Context, repository, digest, artifactType string) ([]Descriptor, error)
	// Manifest returns a manifest by tag or digest, and its media type.
	Manifest(ctx context.Context, repository, reference string) (mediaType string, content []byte, err error)
	// Blob returns a blob; one that is longer than limit bytes may be cut off after limit+1.
	Blob(ctx context.Context, repository, digest string, limit int64) ([]byte, error)
}

// Sink also writes.
type Sink interface {
	Source
	PushBlob(ctx context.Context, repository, digest string, content []byte) error
	// PushManifest stores a manifest under a tag or its own digest.
	PushManifest(ctx context.Context, repository, reference, mediaType string, content []byte) error
}

// Deleter is what a Sink may also do: remove a manifest by digest, so that a newer attestation can replace an older one.
type Deleter interface {
	DeleteManifest(ctx context.Context, repository, digest string) error
}

// Subject is the image in question.
type Subject struct {
	// Repository is as Source understands it: a name within the registry, or with its host before it.
	Repository string `json:"repository"`
	// Digest is of a manifest or an index: "sha256:…".
	Digest string `json:"digest"`
	// Tag is what the image was asked for by, if anything: for people.
	Tag string `json:"tag,omitempty"`
	// Within are digests of indexes that list Digest: their signatures count too, since an index commits to what it
	// lists. That they list it is checked.
	Within []string `json:"within,omitempty"`
}

// Form is how a signature is kept.
type Form string

const (
	FormBundle       Form = "cosign-bundle" // a sigstore bundle as a referrer
	FormLegacy       Form = "cosign-legacy" // the tags sha256-….sig and sha256-….att
	FormReferrer     Form = "cosign-oci11"  // as legacy, but as a referrer: Cosign's experiment
	FormNotation     Form = "notation"      // Notary Project
	FormContentTrust Form = "docker-content-trust"
)

// Kind tells who vouches for the image from who says something about it.
type Kind string

const (
	KindSignature   Kind = "signature"
	KindAttestation Kind = "attestation"
)

// Code is why something was not verified, for machines. Problem.Text is for people.
type Code string

const (
	Forged          Code = "forged"           // the content or the signature was altered, or is another's
	UnknownKey      Code = "unknown-key"      // no key of the signer made it
	Untrusted       Code = "untrusted"        // the certificate does not lead to a root that is trusted
	Expired         Code = "expired"          // the certificate or the signature was out of its time
	WrongIdentity   Code = "wrong-identity"   // a valid certificate of somebody else
	WrongIssuer     Code = "wrong-issuer"     // the right name, vouched for by somebody else
	WrongDigest     Code = "wrong-digest"     // a valid signature of another image
	WrongRepository Code = "wrong-repository" // a valid signature of the same image elsewhere
	NotInLog        Code = "not-in-log"       // no proof that the log has it, or of when it was made
	Malformed       Code = "malformed"        // it cannot be read
	TooLarge        Code = "too-large"        // it exceeds a limit, and was not read
	Unsupported     Code = "unsupported"      // it asks for something that is not done here
	NotAsked        Code = "not-asked"        // the policy has no signer of this form
	Unreachable     Code = "unreachable"      // the registry did not give it
)

// Problem is why a signer did not verify a signature. Signer is "" where it holds for all.
type Problem struct {
	Signer string `json:"signer,omitempty"`
	Code   Code   `json:"code"`
	Text   string `json:"text"`
}

func (p *Problem) Error() string { return p.Text }

// Signature is one signature or attestation that was found. What it says of itself is true only if it is Verified.
type Signature struct {
	Form Form `json:"form"`
	Kind Kind `json:"kind"`
	// Subject is the digest that it was found at: the image's, or that of an index around it.
	Subject string `json:"subject"`
	// Manifest is the digest of the manifest that holds it, Blob that of its content.
	Manifest string `json:"manifest,omitempty"`
	Blob     string `json:"blob,omitempty"`
	// Predicate is the predicate type of an attestation.
	Predicate string `json:"predicate,omitempty"`
	// Builder is who built the image, of SLSA provenance.
	Builder string `json:"builder,omitempty"`
	// KeyID is the SHA-256 of the public key: verified, or as the signature hints.
	KeyID string `json:"keyId,omitempty"`
	// Identity and Issuer are the certificate's.
	Identity string `json:"identity,omitempty"`
	Issuer   string `json:"issuer,omitempty"`
	// Repository is the one that it was made for, where it says so.
	Repository string `json:"repository,omitempty"`
	// Time is when it was made, as a log, a timestamping authority or the signer says; zero where nobody does.
	Time time.Time `json:"time,omitzero"`

	Verified bool `json:"verified"`
	// By are the names of the signers that it was verified for.
	By       []string  `json:"by,omitempty"`
	Problems []Problem `json:"problems,omitempty"`
}

// Requirement is one demand of the policy.
type Requirement struct {
	Kind   Kind   `json:"kind"`
	Name   string `json:"name"`   // of the signer, or the predicate
	Signer string `json:"signer"` // who is to have signed
	Met    bool   `json:"met"`
	// Reason is one line for a person: who met it, or why nobody did.
	Reason string `json:"reason"`
}

// Report is what was found of an image's signatures and what the policy makes of it.
type Report struct {
	Subject      Subject       `json:"subject"`
	Checked      time.Time     `json:"checked"`
	Met          bool          `json:"met"` // every requirement is
	Requirements []Requirement `json:"requirements"`
	Signatures   []Signature   `json:"signatures"`
	// Notes say what was not looked at, and why.
	Notes []string `json:"notes,omitempty"`
}

// Signers are those who were verified to have signed the image, each once, as a person knows them.
func (r *Report) Signers() []string {
	return r.verified(KindSignature, (*Signature).Who)
}

// Predicates are the predicate types of the attestations that were verified, each once.
func (r *Report) Predicates() []string {
	return r.verified(KindAttestation, func(s *Signature) string { return s.Predicate })
}

func (r *Report) verified(kind Kind, name func(*Signature) string) []string {
	var all []string
	for i := range r.Signatures {
		if s := &r.Signatures[i]; s.Kind == kind && s.Verified && !slices.Contains(all, name(s)) {
			all = append(all, name(s))
		}
	}
	return all
}

// Who names the one who signed: the certificate's identity and who vouches for it, or the key.
func (s *Signature) Who() string {
	switch {
	case s.Identity != "" && s.Issuer != "":
		return s.Identity + " (" + s.Issuer + ")"
	case s.Identity != "":
		return s.Identity
	case s.KeyID != "":
		return "key " + shortID(s.KeyID)
	}
	return "nobody who could be made out"
}
