package main

import (
	"archive/zip"
	"bytes"
	"fmt"
)

var javaPackages = [][3]string{ // group, artifact, version
	{"org.apache.logging.log4j", "log4j-core", "2.14.1"}, {"com.fasterxml.jackson.core", "jackson-databind", "2.9.8"},
	{"commons-collections", "commons-collections", "3.2.1"}, {"org.springframework", "spring-core", "5.2.0.RELEASE"},
	{"com.google.guava", "guava", "24.0-jre"}, {"org.yaml", "snakeyaml", "1.26"}, {"com.h2database", "h2", "1.4.197"},
	{"org.apache.commons", "commons-text", "1.9"}, {"io.netty", "netty-codec", "4.1.42.Final"}, {"commons-io", "commons-io", "2.4"},
}

// jars writes n jars of about 1.5 MiB, the last of which holds three others, as Spring Boot packs programs.
func (m *maker) jars(n int) {
	for i := range n {
		group, artifact, version := m.javaPackage(i)
		nested := 0
		if i == n-1 {
			nested = 3
		}
		m.file(fmt.Sprintf("opt/java%d/%s-%s.jar", m.index, artifact, version), 0o644, m.jar(group, artifact, version, 1<<20, nested))
	}
}

func (m *maker) javaPackage(i int) (group, artifact, version string) {
	if n := m.index + i*7; i < 2 && n < len(javaPackages) {
		p := javaPackages[n]
		return p[0], p[1], p[2]
	}
	return "org.bench", fmt.Sprintf("bench-%d-%d", m.index, i), fmt.Sprintf("1.%d.%d", m.index, i)
}

func (m *maker) jar(group, artifact, version string, size, nested int) []byte {
	var buffer bytes.Buffer
	zw := zip.NewWriter(&buffer)
	add := func(name string, method uint16, data []byte) {
		w, err := zw.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: epoch})
		if err == nil {
			_, err = w.Write(data)
		}
		m.err = firstError(m.err, err)
	}
	add("META-INF/MANIFEST.MF", zip.Deflate, fmt.Appendf(nil, "Manifest-Version: 1.0\r\nImplementation-Title: %s\r\nImplementation-Version: %s\r\n\r\n", artifact, version))
	add(fmt.Sprintf("META-INF/maven/%s/%s/pom.properties", group, artifact), zip.Deflate,
		fmt.Appendf(nil, "groupId=%s\nartifactId=%s\nversion=%s\n", group, artifact, version))
	for i := range nested {
		group, artifact, version := m.javaPackage(100 + i)
		add(fmt.Sprintf("BOOT-INF/lib/%s-%s.jar", artifact, version), zip.Store, m.jar(group, artifact, version, 1<<17, 0))
	}
	for i := 0; buffer.Len() < size; i++ {
		class := append([]byte{0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 52}, m.prose(8<<10)...)
		add(fmt.Sprintf("org/bench/Class%d.class", i), zip.Deflate, append(class, m.noise(2<<10)...))
	}
	m.err = firstError(m.err, zw.Close())
	return buffer.Bytes()
}

func firstError(first, second error) error {
	if first != nil {
		return first
	}
	return second
}
