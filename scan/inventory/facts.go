package inventory

// note records what configuration checks may ask about e.
func (w *Writer) note(e *Entry) {
	if w.a.o.Interesting == nil {
		return
	}
	setuid := (e.Kind == File || e.Kind == Hardlink) && e.Mode&0o6000 != 0
	writable := e.Mode&0o002 != 0 && (e.Kind == File || e.Kind == Dir && e.Mode&0o1000 == 0)
	interesting := w.a.o.Interesting(e.Path)
	if !setuid && !writable && !interesting {
		return
	}
	r := w.at(e.Path)
	r.mode, r.setuid, r.worldWritable, r.interesting = e.Mode, setuid, writable, interesting
}
