package inventory

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seawall/seawall/finding"
)

var everything = finding.Scanned{Packages: true, Executables: true, Secrets: true, Checks: true}

func sampleLayer() Layer {
	p := language("npm", "@scope/name", "1.2.3", []string{"MIT", "Apache-2.0"})
	p.Path, p.OwnedBy, p.Declared = "app/node_modules/@scope/name/package.json", "node-name", true
	lib, _ := hashPath(nil, "lib")
	return Layer{
		Scanned: everything,
		Packages: []Package{p, {Package: finding.Package{Name: "libc6", Version: "2.36-9", Type: typeDeb, SourceName: "glibc",
			SourceVersion: "2.36-9", Arch: "amd64", Path: "var/lib/dpkg/status"}}},
		Executables: []finding.Executable{{Path: "usr/bin/ping", SHA256: "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
			Size: 90568, Mode: 0o4755, Owner: "iputils-ping", Capabilities: []string{"cap_net_raw+ep"}},
			{Path: "usr/bin/x", Script: true, Interpreter: "/bin/sh"}},
		Secrets:  []finding.Secret{{Rule: "private-key", Path: "root/key", Masked: "----"}},
		Releases: []Release{{"etc/os-release", "ID=debian\nVERSION_ID=12\n"}},
		Links:    []Link{{"a", "b"}},
		Gaps:     []finding.Gap{{Kind: finding.GapTooLarge, Where: "x", Detail: "y"}},
		Symlinks: []Link{{"lib", "usr/lib"}},
		Through:  newPathSet([]uint64{lib}),
		Paths:    newPathSet([]uint64{1 << 20, 5 << 40, 4}),
		Facts:    Facts{Setuid: []PathFact{{Path: "usr/bin/ping", Mode: 0o4755}}},
	}
}

func TestCodec(t *testing.T) {
	want := sampleLayer()
	b, err := want.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeLayer(b, everything)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("decoded layer (-want +got):\n%s", d)
	}
	some, err := DecodeLayer(b, finding.Scanned{Packages: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(some.Packages) != 2 || some.Executables != nil || some.Secrets != nil || some.Facts.Setuid != nil || some.Scanned.Executables {
		t.Errorf("decoding only packages gave %+v", some)
	}
}

func TestCodecDamaged(t *testing.T) {
	l := sampleLayer()
	b, err := l.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for n := range b {
		if _, err := DecodeLayer(b[:n], everything); err == nil {
			t.Errorf("cut to %d of %d bytes: no error", n, len(b))
		}
	}
}

func FuzzDecodeLayer(f *testing.F) {
	l := sampleLayer()
	b, _ := l.MarshalBinary()
	f.Add(b)
	f.Add([]byte(layerMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := DecodeLayer(b, everything)
		if err != nil {
			return
		}
		Merge([]Layer{l, sampleLayer(), l}, finding.Image{})
	})
}
