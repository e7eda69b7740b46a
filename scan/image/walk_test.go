package image

import (
	"archive/tar"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func everyKind(t testing.TB) []byte {
	capable := file("./usr/bin/ping", "ping")
	capable.PAXRecords = map[string]string{capabilityRecord: "\x01\x00\x00\x02"}
	return tarOf(t,
		special(tar.TypeDir, "./", ""),
		special(tar.TypeDir, "etc/", ""),
		file("etc/os-release", "ID=test\n"),
		file("/absolute", "a"),
		capable,
		special(tar.TypeSymlink, "etc/mtab", "../proc/self/mounts"),
		special(tar.TypeLink, "usr/bin/ping6", "./usr/bin/ping"),
		special(tar.TypeChar, "dev/null", ""),
		special(tar.TypeFifo, "run/fifo", ""),
		file("etc/.wh.gone", ""),
		file("opt/.wh..wh..opq", ""),
		file(".wh..wh.plnk", ""),
	)
}

var everyKindWant = []string{
	"dir .", "dir etc", `file etc/os-release "ID=test\n"`, `file absolute "a"`, `file usr/bin/ping "ping"`,
	"symlink etc/mtab -> ../proc/self/mounts", "hardlink usr/bin/ping6 -> usr/bin/ping", "device dev/null",
	"other run/fifo", "whiteout etc/gone", "opaque opt",
}

func TestWalkEveryShape(t *testing.T) {
	plain := everyKind(t)
	want := sha256Of(plain)
	for name, blob := range map[string][]byte{"plain": plain, "gzip": gz(t, plain), "zstd": zst(t, plain)} {
		for shape, in := range map[string]Input{"section": sectionInput(blob), "stream": streamInput(blob)} {
			t.Run(name+" "+shape, func(t *testing.T) {
				in.DiffID, in.Digest = want, sha256Of(blob)
				got, st, err := listing(t, in, Limits{})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(everyKindWant, got); diff != "" {
					t.Error(diff)
				}
				if st.DiffID != want || !st.DiffIDVerified || st.Digest != sha256Of(blob) || !st.DigestVerified ||
					st.Size != int64(len(plain)) || st.Entries != 12 {
					t.Errorf("stats: %+v", st)
				}
			})
		}
	}
}
