package image

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInstruction(t *testing.T) {
	for in, want := range map[string]string{
		`/bin/sh -c #(nop) ADD file:3b in / `:                          "ADD file:3b in /",
		`/bin/sh -c #(nop)  CMD ["bash"]`:                              `CMD ["bash"]`,
		`/bin/sh -c apt-get update && apt-get install -y curl`:         "RUN apt-get update && apt-get install -y curl",
		`|2 A=1 B=two words /bin/sh -c make install`:                   "RUN make install",
		`RUN /bin/sh -c apk add curl # buildkit`:                       "RUN apk add curl",
		`RUN |1 VERSION=3 /bin/sh -c curl -o /x "$VERSION" # buildkit`: `RUN curl -o /x "$VERSION"`,
		`COPY dist /app # buildkit`:                                    "COPY dist /app",
		`RUN /bin/bash -o pipefail -c make # buildkit`:                 "RUN /bin/bash -o pipefail -c make",
		`bazel build ...`:                                              "bazel build ...",
		``:                                                             "",
		`|1 lonely`:                                                    "|1 lonely",
	} {
		if got := instruction(in); got != want {
			t.Errorf("%q: got %q; want %q", in, got, want)
		}
	}
}

func TestImageOf(t *testing.T) {
	lim := Limits{}.withDefaults()
	id := sha256Of(nil)
	raw := `{"architecture":"arm64","variant":"v8","os":"linux","created":"nonsense",
		"config":{"Cmd":"serve","Entrypoint":["/app"],"Healthcheck":{"Test":["NONE"]},"Volumes":{"/b":{},"/a":{}},"Labels":{"a":"b"}},
		"rootfs":{"diff_ids":["` + id + `","` + id + `"]},
		"history":[{"created_by":"/bin/sh -c #(nop) ADD a"},{"created_by":"ENV X","empty_layer":true},{"created_by":"COPY b # buildkit"}]}`
	img, err := imageOf([]byte(raw), &lim)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Entrypoint: []string{"/app"}, Cmd: []string{"serve"}, Healthcheck: []string{"NONE"},
		Volumes: []string{"/a", "/b"}, Labels: map[string]string{"a": "b"},
		History: []History{{CreatedBy: "/bin/sh -c #(nop) ADD a"}, {CreatedBy: "ENV X", EmptyLayer: true}, {CreatedBy: "COPY b # buildkit"}},
	}
	if diff := cmp.Diff(want, img.Config); diff != "" {
		t.Error(diff)
	}
	if img.Platform != "linux/arm64" || !img.Created.IsZero() {
		t.Errorf("%+v", img)
	}
	if img.Layers[0].CreatedBy != "ADD a" || img.Layers[1].CreatedBy != "COPY b" {
		t.Errorf("%+v", img.Layers)
	}
	short := `{"rootfs":{"diff_ids":["` + id + `"]},"history":[]}`
	if img, err := imageOf([]byte(short), &lim); err != nil || img.Layers[0].CreatedBy != "" || img.Platform != "" {
		t.Errorf("%+v %v", img, err)
	}
	for _, bad := range []string{`{`, `{"rootfs":{"diff_ids":["sha256:x"]}}`, `[]`, `{"config":{"Env":{"a":1}}}`,
		`{"history":[` + strings.Repeat("{},", maxListed) + `{}]}`, `{"history":{}}`, `{"history":[1]}`} {
		if _, err := imageOf([]byte(bad), &lim); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

func TestPlatformMatch(t *testing.T) {
	for _, tt := range []struct {
		have platform
		want string
		rank int
	}{
		{amd64, "linux/amd64", exactMatch},
		{arm7, "linux/arm/v7", exactMatch},
		{arm7, "linux/arm", variantMatch},
		{arm7, "linux/arm/v6", noMatch},
		{platform{OS: "linux", Architecture: "arm64", Variant: "v8"}, "linux/arm64", exactMatch},
		{platform{OS: "linux", Architecture: "amd64", Variant: "v3"}, "linux/x86_64", variantMatch},
		{platform{}, "linux/amd64", unknownMatch},
		{platform{OS: "windows", Architecture: "amd64"}, "linux/amd64", noMatch},
	} {
		want, err := parsePlatform(tt.want)
		if err != nil {
			t.Fatal(err)
		}
		if got := tt.have.match(want); got != tt.rank {
			t.Errorf("%v for %s: rank %d; want %d", tt.have, tt.want, got, tt.rank)
		}
	}
}
