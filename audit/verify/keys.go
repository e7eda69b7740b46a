package verify

import (
	"bufio"
	"fmt"
	"strings"
)

// ParseKeys reads a file of public keys, a key a line; empty lines and those that begin with "#" are passed over.
func ParseKeys(text string) ([]string, error) {
	var keys []string
	in := bufio.NewScanner(strings.NewReader(text))
	for n := 1; in.Scan(); n++ {
		line := strings.TrimSpace(in.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if _, err := NewVerifier(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		keys = append(keys, line)
	}
	return keys, in.Err()
}
