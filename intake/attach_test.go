package intake_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/catalog"
	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/intake"
)

// attacher keeps referrers in a list.
type attacher struct {
	mu    sync.Mutex
	n     int
	there []attachedTo
}

type attachedTo struct {
	intake.Attachment
	digest string
}

func (x *attacher) SBOM(r *finding.Result) ([]byte, error) { return json.Marshal(r.Inventory.Packages) }

func (x *attacher) Attached(_ context.Context, repository, digest, artifactType string) (out []intake.Attached, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, a := range x.there {
		if a.Repository == repository && a.Digest == digest && a.ArtifactType == artifactType {
			out = append(out, intake.Attached{Digest: a.digest, Fingerprint: a.Fingerprint})
		}
	}
	return out, nil
}

func (x *attacher) Attach(_ context.Context, a intake.Attachment) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.n++
	x.there = append(x.there, attachedTo{a, fmt.Sprintf("sha256:ref%d", x.n)})
	return nil
}

func (x *attacher) Detach(_ context.Context, _, referrer string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.there = slices.DeleteFunc(x.there, func(a attachedTo) bool { return a.digest == referrer })
	return nil
}

func TestAttach(t *testing.T) {
	x := &attacher{}
	h := newHub(t, func(c *intake.Config) { c.Attacher = x })
	h.push("app", "sha256:a", "log4j")
	h.run()
	types := func() (out []string) {
		for _, a := range x.there {
			out = append(out, a.ArtifactType+" "+a.digest)
		}
		return out
	}
	want := []string{intake.SBOMArtifact + " sha256:ref1", intake.VerdictArtifact + " sha256:ref2"}
	if diff := cmp.Diff(want, types()); diff != "" {
		t.Fatalf("after the scan (-want +got):\n%s", diff)
	}
	h.pass(time.Hour)
	h.judge.update("sha256:db2", h.now(), nil)
	h.must(h.Handlers()[intake.KindMatch](t.Context(), matchJob("app", "sha256:a"), nil))
	h.must(h.Handlers()[intake.KindAttach](t.Context(), matchJob("app", "sha256:a"), nil))
	h.run()
	if diff := cmp.Diff(want, types()); diff != "" {
		t.Errorf("after a match that changed nothing (-want +got):\n%s", diff)
	}
	h.judge.update("sha256:db3", h.now(), map[string]finding.Finding{"log4j": high("CVE-2021-44228")})
	h.must(h.Handlers()[intake.KindMatch](t.Context(), matchJob("app", "sha256:a"), nil))
	h.run()
	want[1] = intake.VerdictArtifact + " sha256:ref3"
	if diff := cmp.Diff(want, types()); diff != "" {
		t.Errorf("after another verdict (-want +got):\n%s", diff)
	}
	var v intake.Verdict
	if err := json.Unmarshal(x.there[1].Payload, &v); err != nil {
		t.Fatal(err)
	}
	if v.Status != catalog.Rejected || v.Counts.High != 1 || v.Database.Digest != "sha256:db3" || !strings.HasPrefix(v.Image, "app@") {
		t.Errorf("%s", x.there[1].Payload)
	}
}

func TestNothingIsAttachedWhereNothingWasFound(t *testing.T) {
	x := &attacher{}
	h := newHub(t, func(c *intake.Config) { c.Attacher = x })
	h.push("app", "sha256:a")
	h.run()
	if len(x.there) != 0 {
		t.Errorf("attached to an image without packages: %v", x.there)
	}
}
