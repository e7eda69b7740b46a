package version

const (
	conanPre = 1 + iota
	conanEnd
	conanWord
	conanNumber
)

// appendConan follows Conan's Version: dotted items, numbers by value ("1.1.1w" after "1.1.1", before "1.1.2"), then
// "-" pre-release, then "+" build, which orders after none. Conan compares a number with a word as text, which
// contradicts itself (10 < 1a < 2 < 10); here an item's leading number decides first. Words ("cci.20200203",
// "system") order before numbers.
func appendConan(b []byte, s string) ([]byte, error) {
	s, build, hasBuild := cut(s, '+')
	s, pre, hasPre := cut(s, '-')
	b, err := appendConanItems(b, trimV(s))
	if err != nil {
		return nil, err
	}
	if !hasPre {
		b = append(b, conanEnd)
	} else if b, err = appendConanItems(append(b, conanPre), pre); err != nil {
		return nil, err
	}
	if !hasBuild {
		return append(b, conanEnd), nil
	}
	return appendConanItems(append(b, conanWord), build)
}

// appendConanItems leaves trailing zeros out: 1.0 and 1.0.0 are the same.
func appendConanItems(b []byte, s string) ([]byte, error) {
	end := len(b)
	for more := true; more; {
		var item string
		item, s, more = cut(s, '.')
		if item == "" {
			return nil, errMalformed
		}
		n := digits(item)
		if n > 0 {
			b = appendNumber(append(b, conanNumber), item[:n])
		} else {
			b = append(b, conanWord)
		}
		for i := n; i < len(item); i++ {
			if item[i] <= ' ' || item[i] >= 0x7f {
				return nil, errCharacter
			}
		}
		b = appendText(b, item[n:])
		if !isZero(item) {
			end = len(b)
		}
	}
	return append(b[:end], conanEnd), nil
}
