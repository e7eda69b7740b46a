package secret

import (
	"math"
	"strings"
)

// random reports whether a token's text looks drawn by lot: no word of an example, no long repetition, enough
// different characters.
func random(value string) bool {
	lower := strings.ToLower(value)
	for _, word := range []string{"example", "xxxxxx", "abcdefgh", "0123456", "1234567890", "your_", "your-"} {
		if strings.Contains(lower, word) {
			return false
		}
	}
	return !repeats(value, 8) && entropy(value) >= 2.8
}

// repeats reports whether one character stands n times in a row.
func repeats(s string, n int) bool {
	run := 0
	for i := range len(s) {
		if i > 0 && s[i] == s[i-1] {
			run++
		} else {
			run = 1
		}
		if run >= n {
			return true
		}
	}
	return false
}

// entropy is Shannon's, in bits a byte, of the frequencies within s.
func entropy(s string) float64 {
	var counts [256]int
	for i := range len(s) {
		counts[s[i]]++
	}
	sum := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(s))
			sum -= p * math.Log2(p)
		}
	}
	return sum
}

// secretValue reports whether value may be what a name promises: a password or token that someone chose or drew.
func secretValue(value string) bool {
	return len(value) >= 6 && len(value) <= 4096 && !reference(value) && !placeholder(value) && !repeats(value, 5) &&
		entropy(value) >= 2.2
}

// strongValue is secretValue for text in which names and words abound: it wants at least two kinds of characters
// and no spaces, which leaves out words, titles in message files, and the names of other settings.
func strongValue(value string) bool {
	return len(value) >= 8 && secretValue(value) && !strings.ContainsAny(value, " \t(),;[]") && kinds(value) >= 2 &&
		strings.ContainsAny(value, "0123456789")
}

// kinds counts lower case, upper case, digits and signs.
func kinds(s string) int {
	var seen [4]int
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z':
			seen[0] = 1
		case 'A' <= c && c <= 'Z':
			seen[1] = 1
		case '0' <= c && c <= '9':
			seen[2] = 1
		default:
			seen[3] = 1
		}
	}
	return seen[0] + seen[1] + seen[2] + seen[3]
}

// reference knows values that only say where the secret is: variables, templates, files, secret stores, ciphertext.
func reference(value string) bool {
	for _, mark := range []string{"${", "$(", "{{", "<%", "%(", "#{", "}}", "%s", "%v", "process.env", "os.environ", "getenv", "ENC["} {
		if strings.Contains(value, mark) {
			return true
		}
	}
	for _, prefix := range []string{"$", "<", "%", "@", "/", "./", "../", "~/", "{", "file:", "http://", "https://", "arn:", "vault:",
		"op://", "secret:", "ref+", "projects/", "env:", "!", "&", "*"} {
		if strings.HasPrefix(value, prefix) && !crypt(value) {
			return true
		}
	}
	return false
}

// crypt knows crypt(5) hashes, which begin with a dollar sign as variables do.
func crypt(value string) bool { return len(value) > 20 && strings.Count(value, "$") >= 3 }

// placeholder knows values that ask to be replaced, and passwords made of nothing but the words for it.
func placeholder(value string) bool {
	lower := strings.ToLower(value)
	for _, word := range []string{"example", "changeme", "change_me", "change-me", "changeit", "change_it", "change-it", "your", "placeholder", "dummy",
		"xxxx", "replace", "todo", "insert", "redacted", "****", "....", "default", "sample", "foobar", "foo_", "bar_", "fixme",
		"123456", "abcdef", "qwerty", "undefined", "required", "optional", "disabled", "enabled", "masked", "hidden", "tester"} {
		if strings.Contains(lower, word) {
			return true
		}
	}
	return hollow(lower)
}

// commonWords are taken out of a password to see whether anything is left; longer ones first.
var commonWords = []string{
	"postgresql", "password", "postgres", "passwort", "username", "wordpress", "keycloak", "rabbitmq", "grafana", "mariadb", "letmein", "welcome",
	"p@ssw0rd", "passw0rd", "p@ssword", "secret", "passwd", "testing", "strong", "elastic", "mongodb", "docker", "public", "private",
	"admin", "token", "redis", "mongo", "mysql", "guest", "super", "false", "local", "value", "login", "minio",
	"root", "user", "pass", "test", "demo", "some", "none", "null", "true", "this", "dev", "the", "key", "api", "app", "my", "db", "is", "a", "yes", "no",
}

// hollow reports whether nothing remains of lower once common words, signs and digits are taken away.
func hollow(lower string) bool {
	for _, word := range commonWords {
		lower = strings.ReplaceAll(lower, word, "")
	}
	return strings.Trim(lower, "0123456789-_.!@#$ ") == ""
}
