package catalog

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// MarshalText writes whole days as "30d", else as time.Duration does; 0 as "0s".
func (d Duration) MarshalText() ([]byte, error) {
	if day := 24 * time.Hour; d != 0 && time.Duration(d)%day == 0 {
		return fmt.Appendf(nil, "%dd", time.Duration(d)/day), nil
	}
	return []byte(time.Duration(d).String()), nil
}

// UnmarshalText reads "30d" or what time.ParseDuration reads; nothing below 0.
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	if n, ok := strings.CutSuffix(s, "d"); ok {
		days, err := strconv.ParseUint(n, 10, 16)
		if err != nil {
			return fmt.Errorf("%q is no length of time: write 30d, 12h or 90m", s)
		}
		*d = Duration(time.Duration(days) * 24 * time.Hour)
		return nil
	}
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 {
		return fmt.Errorf("%q is no length of time: write 30d, 12h or 90m", s)
	}
	*d = Duration(v)
	return nil
}
