package secret

import (
	"bytes"
	"path"
	"strings"
)

// awsSecretKey reads what is assigned to a name of length bytes at text[at:]: forty characters of base64.
func awsSecretKey(length int) matcher {
	return func(text []byte, at int, v *view) (hit, bool) {
		start, end := assigned(text, at+length)
		value := string(text[start:end])
		if v.binary || len(value) != 40 || entropy(value) < 4 || !random(value) {
			return hit{}, false
		}
		for i := range len(value) {
			if !base64Set[value[i]] {
				return hit{}, false
			}
		}
		return hit{"aws-secret-key", start, end}, true
	}
}

// assigned returns where the value lies that a name ending at text[at] is given, in the manner of shells, JSON,
// YAML, INI and most programming languages: name = value, "name": "value", name => 'value'. It is empty where
// nothing is assigned.
func assigned(text []byte, at int) (start, end int) {
	i := skip(text, at, "\"' \t")
	sign := i
	i = skip(text, i, ":=>")
	if i == sign || i > sign+2 {
		return at, at
	}
	i = skip(text, i, " \t")
	return quoted(text, i)
}

func skip(text []byte, at int, any string) int {
	for at < len(text) && strings.IndexByte(any, text[at]) >= 0 {
		at++
	}
	return at
}

// quoted returns the bounds of the value at text[at:]: to the closing quote, or to the end of the word.
func quoted(text []byte, at int) (start, end int) {
	if at < len(text) && (text[at] == '"' || text[at] == '\'') {
		if length := bytes.IndexAny(text[at+1:], string(text[at])+"\n"); length >= 0 {
			return at + 1, at + 1 + length
		}
		return at + 1, len(text)
	}
	if length := bytes.IndexAny(text[at:], " \t\r\n\"';,"); length >= 0 {
		return at, at + length
	}
	return at, len(text)
}

// settingsFile reports whether the file at p is of a kind that people keep a deployment's passwords in.
func settingsFile(p string) bool {
	base := strings.ToLower(path.Base(p))
	ext := path.Ext(base)
	yaml := ext == ".yml" || ext == ".yaml"
	switch {
	case base == ".env" || strings.HasPrefix(base, ".env.") || ext == ".env":
		return !strings.HasSuffix(base, "example") && !strings.HasSuffix(base, "sample") && !strings.HasSuffix(base, "template") && ext != ".dist"
	case ext == ".properties", ext == ".tfvars":
		return true
	case yaml && (strings.Contains(base, "compose") || strings.HasPrefix(base, "application") || strings.Contains(base, "secret") || base == "database.yml"):
		return true
	}
	return base == "wp-config.php" || base == "appsettings.json" || base == "local_settings.py"
}

// maxHandWritten is the size in bytes above which a configuration file was not written by hand: schemas, lock files.
const maxHandWritten = 64 << 10

// configFile reports whether the file at p is by its name some program's configuration, and not one that a package
// brought, nor a test's or a manual's.
func configFile(p string) bool {
	switch path.Ext(p) {
	case ".ini", ".conf", ".cfg", ".cnf", ".toml", ".yaml", ".yml", ".json":
		return !settingsFile(p) && !installed(p) && !packageExtra("/"+p)
	}
	return false
}

func smallAssignments(content []byte) []hit {
	if len(content) > maxHandWritten {
		return nil
	}
	return assignments(content)
}

// assignments finds, line by line, names that say secret and are given a value that looks like one. In JSON, which
// may be one line, commas and braces end a line too.
func assignments(content []byte) []hit {
	ends := "\n"
	if head := bytes.TrimSpace(content[:min(len(content), 100)]); len(head) > 0 && (head[0] == '{' || head[0] == '[') {
		ends = "\n,{"
	}
	var hits []hit
	for at := 0; at < len(content) && len(hits) < maxPerFile; {
		line := content[at:]
		if length := bytes.IndexAny(line, ends); length >= 0 {
			line = line[:length]
		}
		if h, ok := assignment(line); ok && len(line) < 4096 {
			hits = append(hits, hit{"assigned-secret", at + h.start, at + h.end})
		}
		at += len(line) + 1
	}
	return hits
}

// assignment reads one line; comments assign nothing.
func assignment(line []byte) (hit, bool) {
	from := skip(line, 0, " \t-\"'")
	if from == len(line) || line[from] == '#' || line[from] == ';' || bytes.HasPrefix(line[from:], []byte("//")) {
		return hit{}, false
	}
	for _, lead := range []string{"export ", "ENV ", "set ", "define('", "define( '", "define(\""} {
		if bytes.HasPrefix(line[from:], []byte(lead)) {
			from += len(lead)
		}
	}
	to := from
	for to < len(line) && (wordByte(line[to]) || line[to] == '.' || line[to] == '-') {
		to++
	}
	if !secretName(string(line[from:to])) {
		return hit{}, false
	}
	value := to
	if bytes.HasPrefix(line[to:], []byte("',")) || bytes.HasPrefix(line[to:], []byte("\",")) { // define('NAME', 'value')
		value = skip(line, to+2, " \t")
		start, end := quoted(line, value)
		return hit{"assigned-secret", start, end}, strongValue(string(line[start:end]))
	}
	start, end := assigned(line, to)
	return hit{"assigned-secret", start, end}, strongValue(string(line[start:end]))
}
