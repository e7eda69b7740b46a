package check

import "strings"

// command is one simple command of a RUN instruction.
type command struct {
	words []string
	// piped: its input is the output of the command before it.
	piped bool
}

// maxCommands bounds what is read of one instruction.
const maxCommands = 5000

// instruction is an entry of the history, taken apart.
type instruction struct {
	keyword string // RUN, ADD, COPY, … in capitals
	text    string // what follows it
}

// parseInstruction reads what builders write into the history: the old builder's "/bin/sh -c #(nop) ADD …" and
// "/bin/sh -c apt-get …", BuildKit's "RUN |1 A=b /bin/sh -c apt-get … # buildkit", Kaniko's and Buildah's like.
func parseInstruction(created string) instruction {
	s := strings.TrimSuffix(strings.TrimSpace(created), "# buildkit")
	if _, nop, ok := strings.Cut(s, "#(nop)"); ok {
		s = strings.TrimSpace(nop)
	} else if strings.HasPrefix(s, "|") || strings.HasPrefix(s, "/bin/") {
		s = "RUN " + s
	}
	keyword, rest, _ := strings.Cut(s, " ")
	keyword = strings.ToUpper(keyword)
	if keyword == "RUN" {
		for _, wrapper := range []string{"/bin/sh -c ", "/bin/bash -c ", "/bin/ash -c ", "/bin/bash -o pipefail -c "} {
			if _, inner, ok := strings.Cut(rest, wrapper); ok {
				rest = inner
				break
			}
		}
	}
	return instruction{keyword, strings.TrimSpace(rest)}
}

// commands splits a shell text into simple commands, as far as the checks need: at line ends, ; & && | || and
// parentheses outside quotes. Leading words that only introduce a command, and variables set for it, are taken off.
func commands(text string) []command {
	var s splitter
	for i := 0; i < len(text) && len(s.all) < maxCommands; i++ {
		next := byte(0)
		if i+1 < len(text) {
			next = text[i+1]
		}
		if s.take(text[i], next) {
			i++
		}
	}
	s.endCommand(false)
	return s.all
}

// splitter holds what commands has read so far.
type splitter struct {
	all     []command
	current command
	word    strings.Builder
	quote   byte // the quote that is open, 0 for none
}

// take reads one byte and says whether it used the next one too.
func (s *splitter) take(c, next byte) bool {
	switch {
	case s.quote != 0 && c == s.quote:
		s.quote = 0
	case s.quote != 0:
		s.word.WriteByte(c)
	case c == '"' || c == '\'':
		s.quote = c
	case c == '\\' && next != 0:
		if next != '\n' {
			s.word.WriteByte(next)
		}
		return true
	case c == ' ' || c == '\t' || c == '\r':
		s.endWord()
	case c == '|':
		s.endCommand(next != '|')
		return next == '|'
	case strings.IndexByte(";&\n()", c) >= 0:
		s.endCommand(false)
	default:
		s.word.WriteByte(c)
	}
	return false
}

func (s *splitter) endWord() {
	if s.word.Len() > 0 {
		s.current.words = append(s.current.words, s.word.String())
		s.word.Reset()
	}
}

// endCommand ends the command; piped says that its output goes to the next one.
func (s *splitter) endCommand(piped bool) {
	s.endWord()
	if s.current.words = trimLead(s.current.words); len(s.current.words) > 0 {
		s.all = append(s.all, s.current)
	}
	s.current = command{piped: piped}
}

// trimLead takes off what stands before a command's name.
func trimLead(words []string) []string {
	for len(words) > 0 {
		switch w := words[0]; {
		case w == "then" || w == "do" || w == "else" || w == "if" || w == "while" || w == "!" || w == "{" || w == "exec" || w == "command" || w == "time" || w == "env":
		case strings.Contains(w, "=") && !strings.HasPrefix(w, "-") && !strings.ContainsAny(w[:strings.IndexByte(w, '=')], "/."):
		default:
			return words
		}
		words = words[1:]
	}
	return words
}

// name is the command's name without its directory; what sudo runs counts as run.
func (c *command) name() string {
	w := c.words
	if w[0] == "sudo" {
		w = w[1:]
		for len(w) > 0 && strings.HasPrefix(w[0], "-") {
			skip := 1
			if w[0] == "-u" || w[0] == "-g" { // these take a name
				skip = min(2, len(w))
			}
			w = w[skip:]
		}
	}
	if len(w) == 0 {
		return "sudo"
	}
	return w[0][strings.LastIndexByte(w[0], '/')+1:]
}

// has reports whether one of words is among the command's arguments.
func (c *command) has(words ...string) bool {
	for _, arg := range c.words[1:] {
		for _, w := range words {
			if arg == w {
				return true
			}
		}
	}
	return false
}
