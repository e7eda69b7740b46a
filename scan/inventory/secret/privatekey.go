package secret

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// maxKey bounds the bytes that are read as one key: an RSA key of 16384 bits takes 13 KB of PEM.
const maxKey = 32 << 10

// privateKey reads a PEM block (RFC 7468, and RFC 1421 headers) or an OpenPGP one (RFC 9580 section 6.2). Lines may
// end in the two characters \n, as in JSON. What does not decode to a key is no key: programs hold the frame alone.
func privateKey(text []byte, at int, v *view) (hit, bool) {
	text = text[at:min(len(text), at+maxKey)]
	label, body, size, ok := pemBlock(text, v)
	if !ok {
		return hit{}, false
	}
	rule := keyRule(label, body)
	return hit{rule, at, at + size}, rule != ""
}

// pemBlock takes apart the block that text begins with; size is that of the whole block.
func pemBlock(text []byte, v *view) (label, body string, size int, ok bool) {
	const begin, dashes = "-----BEGIN ", "-----"
	length := bytes.Index(text[len(begin):min(len(text), 60)], []byte(dashes))
	if length < 0 {
		return "", "", 0, false
	}
	label = string(text[len(begin) : len(begin)+length])
	if !strings.Contains(label, "PRIVATE KEY") || !v.spend(len(text)) {
		return "", "", 0, false
	}
	rest := text[len(begin)+length+len(dashes):]
	stop := bytes.Index(rest, []byte("-----END "+label+dashes))
	if stop < 0 {
		return "", "", 0, false
	}
	size = len(text) - len(rest) + stop + len("-----END ") + len(label) + len(dashes)
	return label, string(rest[:stop]), size, true
}

// keyRule tells what a block holds; "" when it holds no key.
func keyRule(label, body string) string {
	body = strings.NewReplacer(`\r`, "", `\n`, "\n", `\\n`, "\n", `\`, "").Replace(body)
	if strings.HasPrefix(label, "PGP ") {
		if len(body) > 200 {
			return "pgp-private-key"
		}
		return ""
	}
	encrypted := label == "ENCRYPTED PRIVATE KEY" || strings.Contains(body, "Proc-Type: 4,ENCRYPTED")
	der := pemBytes(body)
	switch {
	case encrypted && len(der) >= 64:
		return "private-key-encrypted"
	case encrypted:
		return ""
	case bytes.HasPrefix(der, []byte("openssh-key-v1\x00")):
		return opensshRule(der)
	case isSequence(der):
		return "private-key"
	}
	return ""
}

// pemBytes decodes the lines of a block that hold base64, which headers (with a colon) do not.
func pemBytes(body string) []byte {
	var text strings.Builder
	for line := range strings.Lines(body) {
		line = strings.TrimRight(line, " \t\r\n,;")
		if cut := strings.TrimSuffix(line, "+"); strings.HasSuffix(strings.TrimRight(cut, " "), `"`) { // "…" + in a program
			line = cut
		}
		line = strings.Trim(line, " \t\"'")
		if !strings.Contains(line, ":") {
			text.WriteString(strings.ReplaceAll(line, " ", ""))
		}
	}
	der, err := base64.StdEncoding.DecodeString(text.String())
	if err != nil {
		return nil
	}
	return der
}

// opensshRule reads the cipher's name behind the magic (OpenSSH PROTOCOL.key).
func opensshRule(der []byte) string {
	const magic = "openssh-key-v1\x00"
	name := der[len(magic):]
	if len(der) < 100 || len(name) < 8 {
		return ""
	}
	if bytes.HasPrefix(name, []byte("\x00\x00\x00\x04none")) {
		return "private-key"
	}
	return "private-key-encrypted"
}

// isSequence reports whether der is one ASN.1 SEQUENCE with nothing missing and nothing behind it (X.690, 8.1.3), as
// every PKCS #1, PKCS #8 and SEC 1 key is; random text is not. The shortest, Ed25519's, has 48 bytes.
func isSequence(der []byte) bool {
	if len(der) < 40 || der[0] != 0x30 {
		return false
	}
	switch first := int(der[1]); {
	case first < 0x80:
		return len(der) == 2+first
	case first == 0x81:
		return len(der) == 3+int(der[2])
	case first == 0x82:
		return len(der) == 4+int(der[2])<<8+int(der[3])
	}
	return false
}

// encodedPrivateKey reads a PEM block that is itself in base64, as in Kubernetes secrets and kubeconfigs.
func encodedPrivateKey(text []byte, at int, v *view) (hit, bool) {
	end := at
	for end < len(text) && end-at < min(maxKey, v.budget) && base64Set[text[end]] {
		end++
	}
	if !v.spend(end - at) {
		return hit{}, false
	}
	plain, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(string(text[at:end]), "="))
	if err != nil {
		return hit{}, false
	}
	for from := 0; ; {
		next := bytes.Index(plain[from:], []byte("-----BEGIN "))
		if next < 0 {
			return hit{}, false
		}
		if h, ok := privateKey(plain, from+next, v); ok {
			return hit{h.rule, at, end}, true
		}
		from += next + 1
	}
}

var base64Set = *setOf("09AZaz++//==")

// puttyKey reads the head of a PuTTY key file, version 2 or 3.
func puttyKey(text []byte, at int, v *view) (hit, bool) {
	text = text[at:min(len(text), at+maxKey)]
	if v.binary || !v.spend(len(text)) {
		return hit{}, false
	}
	lines := bytes.Index(text, []byte("\nPrivate-Lines: "))
	if lines < 0 || bytes.IndexByte(text, '\n') > 60 {
		return hit{}, false
	}
	if !bytes.Contains(text[:lines], []byte("Encryption: none")) {
		return hit{"private-key-encrypted", at, at + lines}, true
	}
	return hit{"putty-key", at, at + lines}, true
}

// isServiceAccount recognises the JSON that Google Cloud gives out for a service account.
func isServiceAccount(content []byte) bool {
	return len(content) < maxKey && bytes.Contains(content, []byte(`"service_account"`)) &&
		bytes.Contains(content, []byte(`"private_key_id"`))
}
