package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
)

const maxJWT = 8 << 10

// shortLived is the span in seconds within which a token has ended before its image is looked at.
const shortLived = 48 * 3600

type claims struct {
	Issuer  string  `json:"iss"`
	Subject string  `json:"sub"`
	Name    string  `json:"name"`
	Issued  float64 `json:"iat"`
	Expires float64 `json:"exp"`
}

// jsonWebToken reads a signed JWT in compact form (RFC 7519, RFC 7515 section 7.1).
func jsonWebToken(text []byte, at int, v *view) (hit, bool) {
	if v.binary || at > 0 && (wordByte(text[at-1]) || text[at-1] == '.') {
		return hit{}, false
	}
	end := at
	for end < len(text) && end-at < min(maxJWT, v.budget) && (urlSafeSet[text[end]] || text[end] == '.') {
		end++
	}
	if !v.spend(end - at) {
		return hit{}, false
	}
	token := bytes.TrimRight(text[at:end], ".")
	parts := bytes.Split(token, []byte("."))
	if len(parts) != 3 || len(parts[2]) < 40 || !bytes.HasPrefix(parts[1], []byte("eyJ")) {
		return hit{}, false
	}
	rule := jwtRule(parts[0], parts[1])
	return hit{rule, at, at + len(token)}, rule != ""
}

var urlSafeSet = *setOf(urlSafe)

func jwtRule(head, payload []byte) string {
	var header struct {
		Algorithm string `json:"alg"`
	}
	var c claims
	if !decodeSegment(head, &header) || header.Algorithm == "" || header.Algorithm == "none" || !decodeSegment(payload, &c) {
		return ""
	}
	switch {
	case strings.HasPrefix(c.Subject, "system:serviceaccount:"):
		return "kubernetes-token"
	case c.Subject == "1234567890" || c.Name == "John Doe": // the example of jwt.io and of many a manual
		return ""
	case c.Issued > 0 && c.Expires > c.Issued && c.Expires-c.Issued < shortLived:
		return ""
	}
	return "jwt"
}

// decodeSegment reads one part. Claims of another type than expected leave their fields empty.
func decodeSegment(part []byte, into any) bool {
	plain, err := base64.RawURLEncoding.DecodeString(string(part))
	if err != nil || !json.Valid(plain) {
		return false
	}
	var wrongType *json.UnmarshalTypeError
	err = json.Unmarshal(plain, into)
	return err == nil || errors.As(err, &wrongType)
}
