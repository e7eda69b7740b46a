package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a webhook.
const (
	HeaderSignature = "X-Seawall-Signature" // t=<Unix seconds>,v1=<hexadecimal HMAC>
	HeaderDelivery  = "X-Seawall-Delivery"  // the delivery's id: the same in every attempt
)

// Payload is the body of a webhook.
type Payload struct {
	Version  int       `json:"version"` // 1
	Delivery int64     `json:"delivery"`
	Rule     string    `json:"rule,omitempty"`
	Sent     time.Time `json:"sent"` // of this attempt
	Summary  string    `json:"summary"`
	Console  string    `json:"console,omitempty"`
	Events   []Event   `json:"events"` // the weightiest first
}

func (n *Notifier) webhook(ctx context.Context, t *Target, m *message) (string, error) {
	body, err := json.Marshal(Payload{1, m.ID, m.Rule, m.Time, m.Subject, m.Console, m.Events})
	if err != nil {
		return "", permanent(fmt.Errorf("writing the message: %w", err))
	}
	header := http.Header{}
	header.Set(HeaderDelivery, strconv.FormatInt(m.ID, 10))
	if len(t.Secret) > 0 {
		header.Set(HeaderSignature, Sign(t.Secret, body, m.Time))
	}
	return "", n.post(ctx, t, body, header, false)
}

// Sign is the value of HeaderSignature for a body that is sent at a time.
func Sign(secret, body []byte, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac(secret, t, body))
}

// mac is HMAC-SHA256 over the time as it stands in the header, a full stop and the body.
func mac(secret []byte, t string, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(t + "."))
	h.Write(body)
	return h.Sum(nil)
}

// ErrSignature says that a body was not signed with the secret, or not within the tolerance: do not believe it.
var ErrSignature = errors.New("the signature is missing, wrong or too old")

// Verify is what a receiver does with the header and the body as they came, before it believes them: the signature
// must be the secret's, and its time must lie within tolerance of now, so that nobody can send an old body again.
func Verify(secret []byte, header string, body []byte, now time.Time, tolerance time.Duration) error {
	var t string
	var sums [][]byte
	for _, part := range strings.Split(header, ",") {
		switch name, value, _ := strings.Cut(part, "="); name {
		case "t":
			t = value
		case "v1":
			if sum, err := hex.DecodeString(value); err == nil {
				sums = append(sums, sum)
			}
		}
	}
	at, err := strconv.ParseInt(t, 10, 64)
	if err != nil || now.Sub(time.Unix(at, 0)).Abs() > tolerance {
		return ErrSignature
	}
	want := mac(secret, t, body)
	for _, sum := range sums {
		if hmac.Equal(sum, want) {
			return nil
		}
	}
	return ErrSignature
}
