package main

import (
	"bytes"
	"fmt"
)

// The named packages are real, at versions that public advisories speak of; the rest is made up.
var (
	pythonPackages = [][2]string{{"requests", "2.19.1"}, {"Django", "3.2.0"}, {"Jinja2", "2.10"}, {"PyYAML", "5.1"}, {"urllib3", "1.24.1"},
		{"Pillow", "8.1.0"}, {"cryptography", "3.2"}, {"Flask", "0.12"}, {"numpy", "1.16.0"}, {"lxml", "4.6.2"}, {"aiohttp", "3.7.3"}, {"tornado", "6.0"}}
	nodePackages = [][2]string{{"lodash", "4.17.10"}, {"minimist", "1.2.0"}, {"axios", "0.18.0"}, {"express", "4.15.2"}, {"handlebars", "4.0.11"},
		{"jquery", "3.3.1"}, {"moment", "2.19.2"}, {"node-fetch", "2.6.0"}, {"serialize-javascript", "1.9.0"}, {"ws", "5.2.0"}, {"ejs", "2.7.4"}, {"qs", "6.5.1"}}
)

func named(known [][2]string, layer, i int) (name, version string) {
	if n := layer*3 + i; i < 3 && n < len(known) {
		return known[n][0], known[n][1]
	}
	return fmt.Sprintf("bench-%d-%d", layer, i), fmt.Sprintf("%d.%d.%d", i%4, i%10, i)
}

// python writes n installed wheels into the layer's own environment.
func (m *maker) python(n int) {
	for i := range n {
		name, version := named(pythonPackages, m.index, i)
		site := fmt.Sprintf("opt/venv%d/lib/python3.11/site-packages/", m.index)
		info := fmt.Sprintf("%s%s-%s.dist-info/", site, name, version)
		var record bytes.Buffer
		for j := range 20 {
			path := fmt.Sprintf("%s/module%d.py", name, j)
			m.file(site+path, 0o644, m.prose(m.between(500, 8000)))
			fmt.Fprintf(&record, "%s,sha256=0,1\n", path)
		}
		m.file(info+"METADATA", 0o644, fmt.Appendf(nil, "Metadata-Version: 2.1\nName: %s\nVersion: %s\nSummary: a module\nLicense: MIT\n\n%s", name, version, m.prose(3000)))
		m.file(info+"RECORD", 0o644, record.Bytes())
		m.file(info+"WHEEL", 0o644, []byte("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"))
	}
}

// node writes n installed Node packages.
func (m *maker) node(n int) {
	for i := range n {
		name, version := named(nodePackages, m.index, i)
		dir := fmt.Sprintf("opt/node%d/node_modules/%s/", m.index, name)
		m.file(dir+"package.json", 0o644, fmt.Appendf(nil, "{\n  \"name\": %q,\n  \"version\": %q,\n  \"license\": \"MIT\",\n  \"main\": \"index.js\"\n}\n", name, version))
		for j := range 15 {
			m.file(fmt.Sprintf("%slib/part%d.js", dir, j), 0o644, m.prose(m.between(300, 6000)))
		}
	}
}
