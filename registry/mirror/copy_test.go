package mirror

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/seawall/seawall/registry"
)

func TestCopyImage(t *testing.T) {
	host, to := elsewhere(t), sink(t, nil)
	d := push(t, host+"/team/app:1", image(t, 3))
	var last Progress
	r, err := client().Copy(t.Context(), to, Source{Ref: host + "/team/app:1"}, Dest{Repository: "mirror/app"}, func(p Progress) { last = p })
	if err != nil {
		t.Fatal(err)
	}
	if has(t, to, "mirror/app", "1") != d || r.Digest != d || r.Tag != "1" || r.Blobs != 4 || r.Manifests != 1 || r.Unchanged {
		t.Errorf("copied as %+v", r)
	}
	if last.Blobs != 4 || last.Bytes != r.Bytes || last.Manifests != 1 {
		t.Errorf("progress ends with %+v, the result is %+v", last, r)
	}
	if want := host + "/team/app:1@" + d; r.Origin != want {
		t.Errorf("origin %s, want %s", r.Origin, want)
	}
	again, err := client().Copy(t.Context(), to, Source{Ref: host + "/team/app:1"}, Dest{Repository: "mirror/app"}, nil)
	if err != nil || !again.Unchanged || again.Blobs+again.Manifests != 0 || again.Bytes != 0 {
		t.Errorf("copied again as %+v, %v", again, err)
	}
	other, err := client().Copy(t.Context(), to, Source{Ref: host + "/team/app@" + d}, Dest{Repository: "mirror/app", Tag: "stable"}, nil)
	if err != nil || has(t, to, "mirror/app", "stable") != d || other.Bytes != 0 {
		t.Errorf("tagged as %+v, %v", other, err)
	}
}

func TestCopyIndex(t *testing.T) {
	host, to := elsewhere(t), sink(t, nil)
	ref := host + "/team/app:1"
	ix := index(t, "linux/amd64", "linux/arm64/v8", "linux/arm/v7")
	d := push(t, ref, ix)
	m, err := ix.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		platforms []string
		digest    string // "" for another
		children  int
	}{
		"all":              {nil, d, 3},
		"one":              {[]string{"linux/arm64/v8"}, m.Manifests[1].Digest.String(), 0},
		"without variant":  {[]string{"linux/arm64"}, m.Manifests[1].Digest.String(), 0},
		"all that are":     {[]string{"linux/amd64", "linux/arm64", "linux/arm"}, d, 3},
		"two of them":      {[]string{"linux/amd64", "linux/arm/v7"}, "", 2},
		"one is not there": {[]string{"linux/amd64", "linux/s390x"}, m.Manifests[0].Digest.String(), 0},
	} {
		t.Run(name, func(t *testing.T) {
			repo := "m/" + strings.ReplaceAll(name, " ", "-")
			r, err := client().Copy(t.Context(), to, Source{Ref: ref, Platforms: tt.platforms}, Dest{Repository: repo}, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := to.Describe(t.Context(), repo, "1")
			if err != nil {
				t.Fatal(err)
			}
			if got.Digest != r.Digest || tt.digest != "" && got.Digest != tt.digest || len(got.Children) != tt.children {
				t.Errorf("%s has %d children; result %+v", got.Digest, len(got.Children), r)
			}
		})
	}
	_, err = client().Copy(t.Context(), to, Source{Ref: ref, Platforms: []string{"windows/amd64"}}, Dest{Repository: "m/none"}, nil)
	if !errors.Is(err, ErrNoPlatform) || !strings.Contains(err.Error(), "linux/arm/v7") {
		t.Errorf("a platform that is not there: %v", err)
	}
}

// order notes the manifests in the order in which they are stored.
type order struct {
	registry.Open
	mu   sync.Mutex
	seen []string
}

func (o *order) Pushed(_ context.Context, m registry.Manifest) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen = append(o.seen, m.Digest)
	return nil
}

func TestCopyReferrers(t *testing.T) {
	o := &order{}
	host, to := elsewhere(t), sink(t, o)
	repo := host + "/team/app"
	d := push(t, repo+":1", image(t, 1))
	sbom := about(t, repo, d, "application/spdx+json")
	signature := about(t, repo, sbom, "application/vnd.example.signature")
	legacy := push(t, repo+":"+strings.Replace(d, ":", "-", 1)+".sig", image(t, 1))

	r, err := client().Copy(t.Context(), to, Source{Ref: repo + ":1"}, Dest{Repository: "app"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := to.Referrers(t.Context(), "app", d, "")
	if err != nil || len(list) != 1 || string(list[0].Digest) != sbom {
		t.Errorf("referrers: %+v, %v", list, err)
	}
	if has(t, to, "app", signature) == "" || has(t, to, "app", strings.Replace(d, ":", "-", 1)+".sig") != legacy {
		t.Errorf("signatures are missing")
	}
	if o.seen[len(o.seen)-1] != d || len(o.seen) != 4 {
		t.Errorf("the image is not stored last: %v", o.seen)
	}
	if r.Manifests != 4 || len(r.Notes) != 0 {
		t.Errorf("result %+v", r)
	}

	later := about(t, repo, d, "application/vnd.example.later")
	if r, err = client().Copy(t.Context(), to, Source{Ref: repo + ":1"}, Dest{Repository: "app"}, nil); err != nil || !r.Unchanged || r.Referrers != 1 {
		t.Errorf("with a new referrer: %+v, %v", r, err)
	}
	if has(t, to, "app", later) == "" {
		t.Error("a referrer that came later is missing")
	}
	if _, err = client().Copy(t.Context(), to, Source{Ref: repo + ":1", Bare: true}, Dest{Repository: "bare"}, nil); err != nil {
		t.Fatal(err)
	}
	if list, _ := to.Referrers(t.Context(), "bare", d, ""); len(list) != 0 || has(t, to, "bare", d) == "" {
		t.Errorf("bare has referrers: %+v", list)
	}
}

func TestCopyRefusesNames(t *testing.T) {
	for _, d := range []Dest{{Repository: "../up"}, {Repository: ""}, {Repository: "A"}, {Repository: "a", Tag: "/"}} {
		if _, err := client().Copy(t.Context(), nil, Source{Ref: "127.0.0.1:1/a:1"}, d, nil); !errors.Is(err, ErrName) || !Permanent(err) {
			t.Errorf("%+v is taken: %v", d, err)
		}
	}
	if _, err := client().Copy(t.Context(), nil, Source{Ref: "https://x"}, Dest{Repository: "a"}, nil); !errors.Is(err, ErrName) {
		t.Error("a URL is taken for a name")
	}
}

func TestTags(t *testing.T) {
	host := elsewhere(t)
	i := image(t, 1)
	for _, tag := range []string{"1.0", "1.1", "2.0", "latest", "sha256-" + strings.Repeat("0", 64) + ".sig"} {
		push(t, host+"/app:"+tag, i)
	}
	for want, patterns := range map[string][]string{
		"1.0 1.1 2.0 latest": nil, "1.0 1.1": {"1.*"}, "2.0 latest": {"2.?", "latest"}, "": {"none"},
	} {
		got, err := client().Tags(t.Context(), Source{Ref: host + "/app"}, patterns)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%v: %v, %v", patterns, got, err)
		}
	}
	if _, err := client().Tags(t.Context(), Source{Ref: host + "/none"}, nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("of a repository that is not there: %v", err)
	}
	if _, err := client().Tags(t.Context(), Source{Ref: host + "/app"}, []string{"["}); err == nil {
		t.Error("a broken pattern is taken")
	}
}

// paged serves tags two at a time.
func paged(w http.ResponseWriter, q *http.Request) {
	pages := map[string]string{"": `{"tags":["a","b"]}`, "b": `{"tags":["c","d"]}`, "d": `{"tags":["e"]}`}
	if q.URL.Path == "/v2/" {
		return
	}
	last := q.URL.Query().Get("last")
	if last != "d" {
		w.Header().Set("Link", `<http://169.254.169.254/>; rel="next"`)
	}
	w.Write([]byte(pages[last]))
}

func TestTagsPageByPage(t *testing.T) {
	got, err := client().Tags(t.Context(), Source{Ref: serve(t, paged) + "/app"}, nil)
	if err != nil || strings.Join(got, "") != "abcde" {
		t.Errorf("%v, %v", got, err)
	}
}
