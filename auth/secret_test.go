package auth

import (
	"math/big"
	"strings"
	"testing"
)

func TestSecret(t *testing.T) {
	seen := map[string]bool{}
	for kind, prefix := range prefixes {
		for range 50 {
			s := newSecret(kind)
			if SecretKind(s) != kind || !strings.HasPrefix(s, prefix) || len(s) != secretLen || seen[s] {
				t.Fatalf("%s token %q", kind, s)
			}
			seen[s] = true
			if SecretKind(s[:20]+"x"+s[21:]) != "" && s[20] != 'x' {
				t.Errorf("a slip in %q is not noticed", s)
			}
		}
	}
	// 256 bits fit.
	if got := base62(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1)), secretText); len(got) != secretText {
		t.Error(got)
	}
}

func FuzzSecretKind(f *testing.F) {
	f.Add(newSecret(TokenAPI))
	f.Add("swt_")
	f.Fuzz(func(t *testing.T, s string) {
		if SecretKind(s) != "" && (len(s) != secretLen || checksum(s[:4+secretText]) != s[4+secretText:]) {
			t.Errorf("%q is a token", s)
		}
	})
}

func FuzzAuthorization(f *testing.F) {
	f.Add("Bearer x")
	f.Add("Basic YTpi")
	f.Add("basic YTpi")
	f.Add("Basic ====")
	f.Fuzz(func(t *testing.T, s string) {
		c, ok := parseAuthorization(s)
		if ok && c.bearer != "" && c.password != "" {
			t.Errorf("%q is both", s)
		}
	})
}
