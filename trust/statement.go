package trust

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// statement is in-toto's (in-toto Attestation Framework, Statement layer v1 and v0.1).
type statement struct {
	Type          string          `json:"_type"`
	Subject       []resource      `json:"subject"`
	PredicateType string          `json:"predicateType"`
	Predicate     json.RawMessage `json:"predicate,omitempty"`
}

type resource struct {
	Name   string            `json:"name,omitempty"`
	Digest map[string]string `json:"digest"`
}

const (
	statementV1    = "https://in-toto.io/Statement/v1"
	statementV01   = "https://in-toto.io/Statement/v0.1"
	payloadInToto  = "application/vnd.in-toto+json"
	predicateSign  = "https://sigstore.dev/cosign/sign/v1" // Cosign's signature as a statement
	maxSubjects    = 1024
	payloadSimple  = "application/vnd.dev.cosign.simplesigning.v1+json"
	mediaEnvelope  = "application/vnd.dsse.envelope.v1+json"
	simpleTypeName = "cosign container image signature"
)

func parseStatement(payload []byte) (*statement, error) {
	var s statement
	if err := json.Unmarshal(payload, &s); err != nil {
		return nil, fmt.Errorf("the statement is no JSON: %w", err)
	}
	switch {
	case s.Type != statementV1 && s.Type != statementV01:
		return nil, fmt.Errorf("the statement has the unknown type %q", s.Type)
	case s.PredicateType == "":
		return nil, errors.New("the statement has no predicate type")
	case len(s.Subject) > maxSubjects:
		return nil, fmt.Errorf("the statement has %d subjects: at most %d are allowed", len(s.Subject), maxSubjects)
	}
	return &s, nil
}

// about reports whether the statement's subjects include digest.
func (s *statement) about(digest string) bool {
	algorithm, value, _ := strings.Cut(digest, ":")
	for i := range s.Subject {
		if got, ok := s.Subject[i].Digest[algorithm]; ok && value != "" && got == value {
			return true
		}
	}
	return false
}

// digests lists a few of the subjects, for a message.
func (s *statement) digests() string {
	var all []string
	for _, r := range s.Subject {
		for algorithm, value := range r.Digest {
			all = append(all, algorithm+":"+value)
		}
		if len(all) >= 3 {
			break
		}
	}
	if len(all) == 0 {
		return "nothing"
	}
	return clean(strings.Join(all[:min(3, len(all))], ", "))
}

// simple is Cosign's signed payload, after containers/image's "simple signing".
type simple struct {
	Critical struct {
		Identity struct {
			Reference string `json:"docker-reference"`
		} `json:"identity"`
		Image struct {
			Digest string `json:"docker-manifest-digest"`
		} `json:"image"`
		Type string `json:"type"`
	} `json:"critical"`
	Optional map[string]any `json:"optional"`
}

func parseSimple(payload []byte) (*simple, error) {
	var s simple
	if err := json.Unmarshal(payload, &s); err != nil {
		return nil, fmt.Errorf("the signed payload is no JSON: %w", err)
	}
	if s.Critical.Type != simpleTypeName && s.Critical.Type != "atomic container signature" {
		return nil, fmt.Errorf("the signed payload has the unknown type %q", s.Critical.Type)
	}
	return &s, nil
}

// repository is what the payload says it was signed for, without tag and digest.
func (s *simple) repository() string {
	name, _, _ := strings.Cut(s.Critical.Identity.Reference, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	return name
}

// envelope is DSSE's (secure-systems-lab/dsse, envelope.md).
type envelope struct {
	PayloadType string         `json:"payloadType"`
	Payload     string         `json:"payload"`
	Signatures  []envelopeSign `json:"signatures"`
}

type envelopeSign struct {
	KeyID string `json:"keyid,omitempty"`
	Sig   string `json:"sig"`
}

// parseEnvelope returns an envelope's payload and its one signature.
func parseEnvelope(raw []byte) (e envelope, payload, sig []byte, err error) {
	if err = json.Unmarshal(raw, &e); err != nil {
		return e, nil, nil, fmt.Errorf("the envelope is no JSON: %w", err)
	}
	if len(e.Signatures) != 1 {
		return e, nil, nil, fmt.Errorf("the envelope has %d signatures: want one", len(e.Signatures))
	}
	if e.PayloadType != payloadInToto {
		return e, nil, nil, fmt.Errorf("the envelope holds %q: want %s", e.PayloadType, payloadInToto)
	}
	if payload, err = base64.StdEncoding.DecodeString(e.Payload); err == nil {
		sig, err = base64.StdEncoding.DecodeString(e.Signatures[0].Sig)
	}
	if err != nil {
		return e, nil, nil, fmt.Errorf("the envelope: %w", err)
	}
	return e, payload, sig, nil
}

// preAuth is what DSSE signs: PAE(payloadType, payload) (secure-systems-lab/dsse, protocol.md).
func preAuth(payloadType string, payload []byte) []byte {
	b := make([]byte, 0, len(payload)+len(payloadType)+64)
	b = append(b, "DSSEv1 "...)
	b = strconv.AppendInt(b, int64(len(payloadType)), 10)
	b = append(append(append(b, ' '), payloadType...), ' ')
	b = strconv.AppendInt(b, int64(len(payload)), 10)
	return append(append(b, ' '), payload...)
}

// clean makes foreign text fit for one line of a message.
func clean(text string) string {
	const limit = 300
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' || (r >= 0x80 && r < 0xa0) || r == '\u2028' || r == '\u2029' || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			return ' '
		}
		return r
	}, text)
	if len(text) > limit {
		return strings.ToValidUTF8(text[:limit], "") + "…"
	}
	return text
}
