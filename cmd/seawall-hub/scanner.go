package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/internal/sandbox"
	"github.com/seawall/seawall/scan"
	"github.com/seawall/seawall/scan/image"
)

// scanner takes inventories of images in the hub's own registry, in the confined worker.
type scanner struct {
	transport http.RoundTripper
	cache     *image.Cache
	sandbox   scan.Sandbox
	tempDir   string
	note      func(sandbox.Report)
}

// inside is the name under which the hub reaches its own registry; no request to it leaves the process.
const inside = "hub.invalid"

// Inventory lists what is in the image for one platform.
func (s *scanner) Inventory(ctx context.Context, repository, digest string, progress func(string)) (finding.Inventory, error) {
	ref := repository + "@" + digest
	inventories, err := scan.Inventories(ctx, "registry:"+inside+"/"+ref, scan.Options{
		Image:   image.Options{Engine: image.EngineNone, Transport: s.transport, Insecure: true, AllPlatforms: true, TempDir: s.tempDir},
		Scanned: scan.All, Cache: s.cache, Sandbox: s.sandbox, Note: s.note,
		Progress: func(p scan.Progress) {
			if p.State == scan.LayerDone || p.State == scan.LayerCached {
				progress(fmt.Sprintf("layer %d of %d: %s", p.Layer+1, p.Layers, p.State))
			}
		},
	})
	if err != nil {
		return finding.Inventory{}, err
	}
	if len(inventories) != 1 {
		return finding.Inventory{}, fmt.Errorf("%s names %d images: want one platform's manifest", ref, len(inventories))
	}
	inv := inventories[0]
	inv.Image.Ref = ref
	inv.Image.Tags = nil // they move; the catalog knows them
	return inv, nil
}
