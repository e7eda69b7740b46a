package image

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// configFile is an image's configuration as it is stored.
// Source: OCI image specification 1.1, config.md; moby/docker-image-spec for Healthcheck.
type configFile struct {
	platform
	Created lenientTime `json:"created"`
	Config  struct {
		User         string                     `json:"User"`
		Env          words                      `json:"Env"`
		Entrypoint   words                      `json:"Entrypoint"`
		Cmd          words                      `json:"Cmd"`
		WorkingDir   string                     `json:"WorkingDir"`
		ExposedPorts map[string]json.RawMessage `json:"ExposedPorts"`
		Volumes      map[string]json.RawMessage `json:"Volumes"`
		Labels       map[string]string          `json:"Labels"`
		Healthcheck  *struct {
			Test words `json:"Test"`
		} `json:"Healthcheck"`
	} `json:"config"`
	RootFS struct {
		DiffIDs listed[string] `json:"diff_ids"`
	} `json:"rootfs"`
	History listed[configHistory] `json:"history"`
}

type configHistory struct {
	Created    lenientTime `json:"created"`
	CreatedBy  string      `json:"created_by"`
	Comment    string      `json:"comment"`
	EmptyLayer bool        `json:"empty_layer"`
}

// words is a list of strings that old tools also write as one string.
type words []string

func (w *words) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil && len(b) > 0 && b[0] == '"' {
		*w = words{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(w))
}

// lenientTime is the zero time where a tool wrote none or something else: nothing that is decided hangs on it.
type lenientTime struct{ time.Time }

func (t *lenientTime) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &t.Time) != nil {
		t.Time = time.Time{}
	}
	return nil
}

// imageOf reads a configuration into an image without ID and with layers that have no blob yet.
func imageOf(raw []byte, lim *Limits) (*Image, error) {
	var c configFile
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("parsing the configuration: %w", err)
	}
	if n := len(c.RootFS.DiffIDs); n > lim.MaxLayers {
		return nil, fmt.Errorf("%d layers: %w of %d", n, ErrLimit, lim.MaxLayers)
	}
	img := &Image{
		Platform: c.platform.normal().String(),
		OS:       c.OS,
		Created:  c.Created.Time,
		Config:   c.public(),
	}
	for i, id := range c.RootFS.DiffIDs {
		if err := checkDigest(id); err != nil {
			return nil, fmt.Errorf("diff id of layer %d: %w", i+1, err)
		}
		img.Layers = append(img.Layers, Layer{Index: i, DiffID: id, Size: -1})
	}
	creditLayers(img)
	return img, nil
}

func (c *configFile) public() Config {
	p := Config{
		User: c.Config.User, Env: c.Config.Env, Entrypoint: c.Config.Entrypoint, Cmd: c.Config.Cmd,
		WorkingDir: c.Config.WorkingDir, Labels: c.Config.Labels,
		ExposedPorts: slices.Sorted(maps.Keys(c.Config.ExposedPorts)),
		Volumes:      slices.Sorted(maps.Keys(c.Config.Volumes)),
	}
	if h := c.Config.Healthcheck; h != nil {
		p.Healthcheck = h.Test
	}
	for _, h := range c.History {
		p.History = append(p.History, History{h.Created.Time, h.CreatedBy, h.Comment, h.EmptyLayer})
	}
	return p
}

// creditLayers matches the history to the layers. A history that does not fit says nothing: squashed and hand-made
// images have such.
func creditLayers(img *Image) {
	var made []string
	for _, h := range img.Config.History {
		if !h.EmptyLayer {
			made = append(made, h.CreatedBy)
		}
	}
	if len(made) != len(img.Layers) {
		return
	}
	for i := range img.Layers {
		img.Layers[i].CreatedBy = instruction(made[i])
	}
}

const (
	shell    = "/bin/sh -c "
	nop      = "#(nop)"
	buildkit = "# buildkit"
)

// instruction gives back the Dockerfile line that a builder wrapped: "/bin/sh -c #(nop) " before what runs nothing,
// "/bin/sh -c" before a RUN, "|2 A=1 B=2" before a RUN with build arguments, "# buildkit" behind all.
func instruction(createdBy string) string {
	s := strings.TrimSpace(createdBy)
	s = strings.TrimSpace(strings.TrimSuffix(s, buildkit))
	run := strings.HasPrefix(s, "RUN ")
	s = withoutArgs(strings.TrimPrefix(s, "RUN "))
	if rest, ok := strings.CutPrefix(s, shell); ok {
		rest = strings.TrimSpace(rest)
		if made, ok := strings.CutPrefix(rest, nop); ok {
			return strings.TrimSpace(made)
		}
		return "RUN " + rest
	}
	if run {
		return "RUN " + s
	}
	return s
}

// withoutArgs drops "|2 A=1 B=2 " before a command. The values may hold blanks, so it looks for the shell.
func withoutArgs(s string) string {
	if !strings.HasPrefix(s, "|") {
		return s
	}
	if i := strings.Index(s, shell); i > 0 {
		return s[i:]
	}
	return s
}
