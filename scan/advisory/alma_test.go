package advisory

import (
	"archive/tar"
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	rpmdb "github.com/erikvarga/go-rpmdb/pkg"
	"github.com/ulikunitz/xz"
	_ "modernc.org/sqlite" // go-rpmdb reads through it

	"github.com/seawall/seawall/finding"
)

// alma lists the packages of an AlmaLinux image.
func alma(t testing.TB, name string) *finding.Inventory {
	f, err := os.Open(sharedData(t, "images", "almalinux", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := xz.NewReader(bufio.NewReader(f))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	tr := tar.NewReader(z)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(h.Name, "var/lib/rpm/rpmdb.sqlite") {
			b, err := io.ReadAll(tr)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, filepath.Base(h.Name)), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return rpmInventory(t, filepath.Join(dir, "rpmdb.sqlite"))
}

func rpmInventory(t testing.TB, path string) *finding.Inventory {
	db, err := rpmdb.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	list, err := db.ListPackages()
	if err != nil {
		t.Fatal(err)
	}
	inv := &finding.Inventory{Distro: finding.Distro{ID: "almalinux", VersionID: "9.0", Ecosystem: "AlmaLinux:9"}}
	for _, p := range list {
		v := fmt.Sprintf("%s-%s", p.Version, p.Release)
		if p.EpochNum() != 0 {
			v = fmt.Sprintf("%d:%s", p.EpochNum(), v)
		}
		inv.Packages = append(inv.Packages, finding.Package{
			Name: p.Name, Version: v, Type: "rpm", Arch: p.Arch, Modularity: p.Modularitylabel, Ecosystem: "AlmaLinux:9",
		})
	}
	return inv
}

func TestAlmaLinux(t *testing.T) {
	m, err := openReal(t).Match(alma(t, "alma-almalinux-9-docker-aarch64-micro-2022-05-09.tar.xz"), time.Unix(1_700_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, f := range m.Findings {
		ids[f.ID] = true
	}
	if len(m.Findings) != 36 || len(ids) != 17 {
		t.Errorf("%d rows, %d errata; want 36 rows of 17", len(m.Findings), len(ids))
	}
}
