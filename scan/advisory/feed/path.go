package feed

// DatabasePath is where the compiled database of a directory lies.
func DatabasePath(dir string) string { return paths(dir).database() }
