package intake

import (
	"slices"

	"github.com/seawall/seawall/catalog"
)

// configTypes are the media types of configurations with which an engine runs what the layers hold. Whatever has
// another one is an artifact: no engine unpacks it as an image.
// Sources: OCI image specification 1.1, media-types.md; Docker image manifest version 2, schema 2.
var configTypes = []string{
	"application/vnd.oci.image.config.v1+json",
	"application/vnd.docker.container.image.v1+json",
}

// KindOf tells what a manifest is by the media type of its configuration, as engines do, and by nothing that the
// pusher may choose freely: what runs is never taken for an artifact that needs no scan.
func KindOf(index bool, configType string) catalog.Kind {
	switch {
	case index:
		return catalog.KindIndex
	case slices.Contains(configTypes, configType):
		return catalog.KindImage
	}
	return catalog.KindArtifact
}
