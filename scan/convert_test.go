package scan

import (
	"testing"

	"github.com/seawall/seawall/scan/image"
)

func TestBaseLayers(t *testing.T) {
	layer := func(by string) image.History { return image.History{CreatedBy: by} }
	empty := func(by string) image.History { return image.History{CreatedBy: by, EmptyLayer: true} }
	for _, c := range []struct {
		name    string
		history []image.History
		layers  int
		want    int
	}{
		{"debian base, one layer on top", []image.History{layer("ADD rootfs"), empty(`/bin/sh -c #(nop)  CMD ["bash"]`), layer("RUN x"), empty(`CMD ["app"]`)}, 2, 1},
		{"base of two layers", []image.History{layer("ADD"), layer("RUN"), empty(`ENTRYPOINT ["a"]`), empty("ENV A=b"), layer("COPY"), layer("COPY"), empty(`CMD ["c"]`)}, 4, 2},
		{"base of a base", []image.History{layer("ADD"), empty("CMD"), empty(`CMD ["bash"]`), layer("RUN"), empty(`CMD ["python"]`), layer("COPY")}, 3, 2},
		{"one layer", []image.History{layer("ADD"), empty(`CMD ["bash"]`)}, 1, 0},
		{"no start instruction", []image.History{layer("ADD"), layer("RUN")}, 2, 1},
		{"history of another image", []image.History{layer("ADD"), empty(`CMD ["bash"]`)}, 3, 0},
		{"no history", nil, 3, 0},
	} {
		if got := baseLayers(c.history, c.layers); got != c.want {
			t.Errorf("%s: %d base layers, want %d", c.name, got, c.want)
		}
	}
}
