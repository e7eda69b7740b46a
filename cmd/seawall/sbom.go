package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/seawall/seawall/finding"
)

func newSBOM(t terminal) *cobra.Command {
	var in imageFlags
	out := outputFlags{inventory: true}
	cmd := &cobra.Command{
		Use:   "sbom IMAGE",
		Short: "Write the software bill of materials of an image",
		Long: `Sbom lists what is in an image, without asking what is known against it. Scanning the written file gives the same
findings as scanning the image.

` + exitCodes,
		Example: `  seawall sbom myapp:1.2 -o cyclonedx --out sbom.cdx.json
  seawall sbom ./image.tar -o spdx
  seawall sbom ./rootfs -o table`,
		Args: oneImage,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(); err != nil {
				return err
			}
			inventories, err := in.inventories(cmd.Context(), t, args[0])
			if err != nil {
				return err
			}
			var results []finding.Result
			for _, inv := range inventories {
				results = append(results, finding.Result{Tool: "seawall " + version, ScannedAt: time.Now().UTC(), Inventory: inv})
			}
			return out.report(t, results)
		},
	}
	in.register(cmd, t)
	out.register(cmd, "cyclonedx", "spdx", "json", "table")
	cmd.Flags().Lookup("scanners").Value.Set("vuln")
	cmd.Flags().Lookup("scanners").DefValue = "vuln"
	return cmd
}
