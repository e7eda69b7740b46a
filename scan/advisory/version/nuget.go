package version

// appendNuGet follows NuGetVersion: up to four numbers, then a semver pre-release in which case does not matter.
// Metadata does not order.
func appendNuGet(b []byte, s string) ([]byte, error) {
	b, rest, err := appendNumbers(b, trimV(s), 4)
	if err != nil {
		return nil, err
	}
	pre, _, _ := cut(rest, '+')
	return appendPre(b, pre, true)
}
