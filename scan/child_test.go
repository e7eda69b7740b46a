package scan

import (
	"bytes"
	"strings"
	"testing"

	"github.com/seawall/seawall/scan/image"
)

// A worker that a hostile layer has taken over may say anything: the parent takes one result for each layer that it
// asked for, under the diff id that the image claims, and nothing else.
func TestImplausibleFrames(t *testing.T) {
	layers := []missing{{Layer: &image.Layer{Index: 2, DiffID: "sha256:two"}}, {Layer: &image.Layer{Index: 3}}}
	good := frame{Kind: frameLayer, Index: 2, DiffID: "sha256:two"}
	for name, tc := range map[string]struct {
		layers []missing
		frames []frame
		want   string // "" where every frame is taken
	}{
		"as asked":         {layers, []frame{{Kind: frameStart, Index: 2}, good, {Kind: frameLayer, Index: 3, DiffID: "sha256:any"}}, ""},
		"failed":           {layers, []frame{{Kind: frameFailed, Index: 2, Error: "no"}}, ""},
		"directory":        {nil, []frame{{Kind: frameStart}, {Kind: frameLayer, DiffID: "sha256:tree"}}, ""},
		"other layer":      {layers, []frame{{Kind: frameLayer, Index: 7}}, "layer 7"},
		"negative":         {layers, []frame{{Kind: frameProgress, Index: -1}}, "layer -1"},
		"directory's next": {nil, []frame{{Kind: frameLayer, Index: 1}}, "layer 1"},
		"twice":            {layers, []frame{good, good}, "after its end"},
		"another's id":     {layers, []frame{{Kind: frameLayer, Index: 2, DiffID: "sha256:base"}}, "not sha256:two"},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			for _, f := range tc.frames {
				if err := writeFrame(&b, f, nil); err != nil {
					t.Fatal(err)
				}
			}
			o := Options{Progress: func(Progress) {}}
			c := &child{opts: o.counted(4, make([]image.Layer, 4)), layers: tc.layers}
			_, err := c.read(t.Context(), &b)
			if tc.want == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}
