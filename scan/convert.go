package scan

import (
	"strings"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/image"
)

// noun makes the noun of an opened image. Layers get their verified diff ids and sizes in fill.
func noun(img *image.Image) finding.Image {
	n := finding.Image{
		Ref: img.Ref, ID: img.ID, IDKind: finding.IDKind(img.IDKind), Aliases: img.Aliases, Tags: img.Tags,
		Platform: img.Platform, Created: img.Created, Config: config(&img.Config),
	}
	base := baseLayers(img.Config.History, len(img.Layers))
	for _, l := range img.Layers {
		n.Layers = append(n.Layers, finding.Layer{
			LayerRef: finding.LayerRef{Index: l.Index, DiffID: l.DiffID, CreatedBy: l.CreatedBy, Base: l.Index < base},
			Digest:   l.Digest,
		})
	}
	return n
}

func config(c *image.Config) finding.Config {
	n := finding.Config{
		User: c.User, Env: c.Env, Entrypoint: c.Entrypoint, Cmd: c.Cmd, WorkingDir: c.WorkingDir,
		ExposedPorts: c.ExposedPorts, Volumes: c.Volumes, Labels: c.Labels, Healthcheck: c.Healthcheck,
	}
	for _, h := range c.History {
		n.History = append(n.History, finding.History(h))
	}
	return n
}

// baseLayers guesses how many of the lowest layers are the base image's. Base images end with the instruction that
// starts something: the last CMD or ENTRYPOINT that has layers above it is where the base ends. An image without one
// has no base that could be told from it, and its lowest layer counts as the base when there are others above.
func baseLayers(history []image.History, layers int) int {
	count, base := 0, 0
	for _, h := range history {
		if !h.EmptyLayer {
			count++
			continue
		}
		if startsSomething(h.CreatedBy) && count < layers {
			base = count
		}
	}
	if count != layers {
		return 0 // the history does not belong to these layers
	}
	if base == 0 && layers > 1 {
		base = 1
	}
	return base
}

func startsSomething(createdBy string) bool {
	text := strings.TrimPrefix(createdBy, "/bin/sh -c #(nop)")
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, "CMD ") || strings.HasPrefix(text, "ENTRYPOINT ")
}
