package secret

import "strings"

// word is a word of a command line without its quotes, and where it lies.
type word struct {
	text       string
	start, end int
}

// maxWords bounds the words that are read of one instruction.
const maxWords = 20000

// wordsIn splits a build instruction as a shell would, as far as finding credentials needs: at blanks and at the
// signs that end a command, with quotes holding a word together.
func wordsIn(text []byte) []word {
	var words []word
	for at := 0; at < len(text) && len(words) < maxWords; {
		if separator(text[at]) {
			at++
			continue
		}
		end := wordEnd(text, at)
		words = append(words, word{string(text[at:end]), at, end})
		at = end
	}
	return words
}

func separator(c byte) bool { return strings.IndexByte(" \t\r\n;&|()", c) >= 0 }

func wordEnd(text []byte, at int) int {
	quote := byte(0)
	for ; at < len(text); at++ {
		switch c := text[at]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case separator(c):
			return at
		}
	}
	return at
}

// instructionHits finds what the history gives away beyond tokens: values assigned to telling names (ENV, ARG, build
// arguments before RUN, exports), and passwords on command lines.
func instructionHits(text []byte) []hit {
	words := wordsIn(text)
	var hits []hit
	for i, w := range words {
		if h, ok := assignedWord(w); ok {
			hits = append(hits, h)
		} else if h, ok := optionValue(words, i); ok {
			hits = append(hits, h)
		}
		if len(hits) >= maxPerFile {
			break
		}
		if strings.Contains(w.text, "://") {
			hits = append(hits, urlHits(text, w)...)
		}
	}
	return hits
}

// assignedWord reads NAME=value, --name=value and name="value".
func assignedWord(w word) (hit, bool) {
	name, value, ok := strings.Cut(w.text, "=")
	if !ok || !secretName(strings.TrimLeft(strings.Trim(name, `"'`), "-")) {
		return hit{}, false
	}
	return valueHit(w.end-len(value), value, strings.TrimLeft(name, "-\"'"))
}

// valueHit takes the quotes off value, which stands at start.
func valueHit(start int, value, name string) (hit, bool) {
	bare := strings.Trim(value, `"'`)
	start += strings.Index(value, bare)
	return hit{"assigned-secret", start, start + len(bare)}, bare != "" && configValue(name, bare)
}

// optionValue reads the word behind an option for a password; -p and -u have that meaning for a few commands only.
func optionValue(words []word, i int) (hit, bool) {
	option := words[i].text
	if strings.HasPrefix(option, "--") && !strings.Contains(option, "=") && i+1 < len(words) && secretName(option[2:]) {
		return valueHit(words[i+1].start, words[i+1].text, option[2:])
	}
	command := commandBefore(words, i)
	switch {
	case option == "-p" && i+1 < len(words) && (command == "docker" || command == "sshpass" || command == "podman" || command == "twine" || command == "az"):
		return valueHit(words[i+1].start, words[i+1].text, "password")
	case strings.HasPrefix(option, "-p") && len(option) > 2 && (command == "mysql" || command == "mysqladmin" || command == "sshpass"):
		return valueHit(words[i].start+2, option[2:], "password")
	case (option == "-u" || option == "--user") && command == "curl" && i+1 < len(words):
		user, password, _ := strings.Cut(words[i+1].text, ":")
		return valueHit(words[i+1].start+len(user)+1, password, "password")
	}
	return hit{}, false
}

// commandBefore finds a command of interest among the eight words before words[i].
func commandBefore(words []word, i int) string {
	for j := i - 1; j >= 0 && j >= i-8; j-- {
		switch name := words[j].text[strings.LastIndexByte(words[j].text, '/')+1:]; name {
		case "curl", "mysql", "mysqladmin", "sshpass", "docker", "podman", "twine", "az":
			return name
		}
	}
	return ""
}

func urlHits(text []byte, w word) []hit {
	var hits []hit
	for _, h := range urlsIn("assigned-secret", text[w.start:w.end]) {
		hits = append(hits, hit{h.rule, h.start + w.start, h.end + w.start})
	}
	return hits
}
