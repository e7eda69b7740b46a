package scan

import (
	"time"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/inventory"
	"github.com/seawall/seawall/scan/inventory/check"
	"github.com/seawall/seawall/scan/inventory/distro"
	"github.com/seawall/seawall/scan/inventory/secret"
)

// judge adds what follows from the merged image as a whole: the distribution's end of life, secrets in the image's
// configuration, and the checks.
func judge(inv *finding.Inventory, facts *inventory.Facts, now time.Time) {
	inv.Distro.EndOfLife, _ = distro.EndOfLife(inv.Distro.ID, inv.Distro.VersionID)
	if !inv.Scanned.Secrets && !inv.Scanned.Checks {
		return
	}
	configured := secret.New().Config(inv.Image)
	if inv.Scanned.Secrets {
		inv.Secrets = append(inv.Secrets, configured...)
	}
	if inv.Scanned.Checks {
		inv.Checks = check.Run(checkInput(inv, facts, configured), now)
	}
}

// checkInput hands what was learned of the files to the checks.
func checkInput(inv *finding.Inventory, facts *inventory.Facts, configured []finding.Secret) check.Input {
	in := check.Input{
		Image: inv.Image, Distro: inv.Distro, Secrets: configured,
		Setuid: checkFiles(facts.Setuid), WorldWritable: checkFiles(facts.WorldWritable), Paths: checkFiles(facts.Paths),
	}
	for _, f := range facts.EmptyPasswords {
		in.EmptyPasswords = append(in.EmptyPasswords, f.Detail)
	}
	return in
}

func checkFiles(facts []inventory.PathFact) []check.File {
	files := make([]check.File, 0, len(facts))
	for _, f := range facts {
		files = append(files, check.File{Path: f.Path, Mode: f.Mode, Layer: f.Layer})
	}
	return files
}
