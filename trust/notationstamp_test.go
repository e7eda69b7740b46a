package trust

import (
	"context"
	"crypto"
	"crypto/x509"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/notaryproject/notation-core-go/signature"
	"github.com/notaryproject/tspclient-go"
	godigest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// stamper is a timestamping authority at a time of its own.
type stamper struct {
	t  testing.TB
	v  *sigstore
	at time.Time
}

func (s stamper) Timestamp(_ context.Context, req *tspclient.Request) (*tspclient.Response, error) {
	ts := timestamp.Timestamp{HashAlgorithm: crypto.SHA256, HashedMessage: req.MessageImprint.HashedMessage, Time: s.at, Nonce: req.Nonce,
		Policy: []int{1, 3, 6, 1, 4, 1, 57264, 2}, AddTSACertificate: true, Certificates: []*x509.Certificate{s.v.ca}}
	raw, err := ts.CreateResponseWithOpts(s.v.stamper, s.v.stamperKey, crypto.SHA256)
	must(s.t, err)
	var res tspclient.Response
	return &res, res.UnmarshalBinary(raw)
}

// TestNotationTimestamp: what an authority has stamped in time stays valid when the certificate's time is over.
func TestNotationTimestamp(t *testing.T) {
	v, other := newSigstore(t), newSigstore(t)
	now := stamp.Add(48 * time.Hour)
	for _, tc := range []struct {
		name  string
		roots []string
		at    time.Time
		want  Code
	}{
		{"stamped in time", []string{pemOf(v.ca)}, stamp, ""},
		{"stamped too late", []string{pemOf(v.ca)}, now, Expired},
		{"stamped by a stranger", []string{pemOf(other.ca)}, stamp, Expired},
		{"timestamps not asked for", nil, stamp, Expired},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := newNotary(t, stamp.AddDate(0, 0, -1), stamp.AddDate(0, 0, 1))
			f := newFake()
			s := f.image(t, "team/app", "one")
			raw := f.manifests[s.Repository+"@"+s.Digest].raw
			payload := toJSON(t, map[string]Descriptor{"targetArtifact": {MediaType: ocispec.MediaTypeImageManifest, Digest: godigest.Digest(s.Digest), Size: int64(len(raw))}})
			signer, err := signature.NewLocalSigner([]*x509.Certificate{n.leaf, n.root}, n.key)
			must(t, err)
			env, err := signature.NewEnvelope(mediaJWS)
			must(t, err)
			roots := x509.NewCertPool()
			roots.AddCert(v.ca)
			content, err := env.Sign(&signature.SignRequest{Payload: signature.Payload{ContentType: payloadNotation, Content: payload}, Signer: signer,
				SigningTime: stamp, SigningScheme: signature.SigningSchemeX509, Timestamper: stamper{t, v, tc.at}, TSARootCAs: roots})
			must(t, err)
			f.attached(t, s, typeNotation, mediaJWS, content)
			p := n.policy("*")
			p.Signers[0].Notation.Timestamps = tc.roots
			rep := verifiedAt(t, f, s, p, now)
			if tc.want == "" {
				wantMet(t, rep)
			} else {
				wantCode(t, rep, tc.want)
			}
		})
	}
}
