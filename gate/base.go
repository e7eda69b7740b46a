package gate

import (
	"github.com/seawall/seawall/finding"
)

// baseImages asks for one of the required base images. Where nothing at all is known of the image's layers and labels,
// as with an SBOM, the question cannot be answered.
func baseImages(c *trial) []finding.Reason {
	require := c.policy.BaseImages.Require
	if len(require) == 0 {
		return nil
	}
	image := &c.result.Inventory.Image
	for i := range require {
		if require[i].holds(image) {
			return nil
		}
	}
	reason := finding.Reason{Decision: finding.Fail, Rule: "baseImages.require"}
	switch name := image.BaseName(); {
	case len(image.Layers) == 0 && len(image.Config.Labels) == 0:
		reason.Decision, reason.Message = finding.NotEvaluated, "which base image this is made from is not known"
	case name == "":
		reason.Message = "not made from a required base image, and it names none"
	default:
		reason.Message = "not made from a required base image, but from " + plain(name)
	}
	return []finding.Reason{reason}
}

func (b *BaseImage) holds(image *finding.Image) bool {
	if b.Name != "" && !finding.MatchPath(b.Name, image.BaseName()) {
		return false
	}
	if b.Digest != "" && b.Digest != image.BaseDigest() {
		return false
	}
	return b.begins(image.Layers)
}

func (b *BaseImage) begins(layers []finding.Layer) bool {
	if len(layers) < len(b.Layers) {
		return false
	}
	for i, want := range b.Layers {
		if layers[i].DiffID != want {
			return false
		}
	}
	return true
}
