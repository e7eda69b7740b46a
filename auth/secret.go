package auth

import (
	"crypto/sha256"
	"hash/crc32"
	"math/big"
	"strings"
)

// A token is text of one form, so that scanners for secrets recognise it and a slip of the clipboard is told from a
// guess: a prefix that names the kind, 43 characters for 256 random bits and 6 for the CRC-32 of all before, in the
// digits 0-9A-Za-z.
var prefixes = map[TokenKind]string{
	TokenSession: "swc_", TokenAPI: "swt_", TokenSecret: "sws_", TokenRegistry: "swr_", TokenWorkload: "sww_",
}

const (
	secretBytes = 32
	secretText  = 43
	secretCheck = 6
	secretLen   = 4 + secretText + secretCheck
	digits      = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

func newSecret(k TokenKind) string {
	body := prefixes[k] + base62(new(big.Int).SetBytes(random(secretBytes)), secretText)
	return body + checksum(body)
}

// SecretKind tells what kind of token a text is by its form alone; "" for none.
func SecretKind(text string) TokenKind {
	if len(text) != secretLen || strings.Trim(text[4:], digits) != "" {
		return ""
	}
	body := text[:4+secretText]
	if checksum(body) != text[4+secretText:] {
		return ""
	}
	for k, prefix := range prefixes {
		if strings.HasPrefix(text, prefix) {
			return k
		}
	}
	return ""
}

func checksum(body string) string {
	return base62(new(big.Int).SetUint64(uint64(crc32.ChecksumIEEE([]byte(body)))), secretCheck)
}

// base62 writes n with exactly width digits; it has to fit.
func base62(n *big.Int, width int) string {
	out, rest, base := make([]byte, width), new(big.Int), big.NewInt(int64(len(digits)))
	n = new(big.Int).Set(n)
	for i := width - 1; i >= 0; i-- {
		n.DivMod(n, base, rest)
		out[i] = digits[rest.Int64()]
	}
	return string(out)
}

func hashSecret(text string) []byte {
	h := sha256.Sum256([]byte(text))
	return h[:]
}
