package inventory

import (
	"context"
	"strings"
)

// accountsParser lists accounts that anyone may enter: an empty second field in etc/shadow or etc/passwd; see
// shadow(5) and passwd(5).
var accountsParser = parser{name: "accounts", bytes: true, max: 4 << 20, trusted: true, where: at("etc/shadow", "etc/passwd"),
	run: func(_ context.Context, f *file) (got parsed, err error) {
		for rest := f.data; len(rest) > 0; {
			var line []byte
			line, rest = cutLine(rest)
			fields := strings.SplitN(string(line), ":", 3)
			if len(fields) == 3 && fields[0] != "" && fields[1] == "" && len(got.accounts) < 1000 {
				got.accounts = append(got.accounts, clip(fields[0], 256))
			}
		}
		return got, nil
	}}
