package secret

import "strings"

// secretName reports whether a setting's name says that its value is secret: its last word does, as in DB_PASSWORD,
// spring.datasource.password, clientSecret or API_KEY. Names that only speak about a secret end in another word:
// PASSWORD_FILE, TOKEN_URL.
func secretName(name string) bool {
	words := wordsOf(name)
	if len(words) == 0 || name == "PWD" || name == "OLDPWD" {
		return false
	}
	last := words[len(words)-1]
	switch last {
	case "password", "passwd", "passphrase", "secret", "token", "apikey", "credential", "credentials", "passwort":
		return !about(words)
	case "pwd", "pass":
		return len(words) > 1
	case "key":
		return len(words) > 1 && keyWord(words[len(words)-2]) || has(words, "secret")
	}
	return strings.HasSuffix(last, "password") || strings.HasSuffix(last, "passwd") || strings.HasSuffix(last, "apikey")
}

// keyWord tells keys that open something from those of maps, sorting and public cryptography.
func keyWord(before string) bool {
	switch before {
	case "api", "secret", "private", "encryption", "signing", "master", "storage", "account", "auth", "app":
		return true
	}
	return false
}

// about knows switches, such as ALLOW_EMPTY_PASSWORD.
func about(words []string) bool {
	return has(words, "allow") || has(words, "empty") || has(words, "random") || has(words, "enable") || has(words, "use")
}

func has(words []string, word string) bool {
	for _, w := range words {
		if w == word {
			return true
		}
	}
	return false
}

// wordsOf splits a name at signs and where a capital follows a small letter, and puts it in lower case.
func wordsOf(name string) []string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		switch {
		case 'A' <= c && c <= 'Z':
			if i > 0 && 'a' <= name[i-1] && name[i-1] <= 'z' {
				b.WriteByte(' ')
			}
			b.WriteByte(c + 'a' - 'A')
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
			b.WriteByte(c)
		default:
			b.WriteByte(' ')
		}
	}
	return strings.Fields(b.String())
}
