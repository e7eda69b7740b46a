package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/seawall/seawall/intake"
)

// Whoever may push can write any annotation: an artifact that calls itself the hub's is not taken for one, and the hub's
// own comes beside it.
func TestForgedAttachment(t *testing.T) {
	s := newSite(t, t.TempDir())
	digest := s.push("team/app", "1", goodLayer(t))
	s.scanned("team/app", digest)
	type referrer struct {
		Digest      string            `json:"digest"`
		Annotations map[string]string `json:"annotations"`
	}
	boms := func() (items []referrer) {
		var page struct{ Items []referrer }
		s.call("GET", imagePath("team/app", digest)+"/referrers?artifactType="+url.QueryEscape(intake.SBOMArtifact), nil, &page)
		return page.Items
	}
	s.until("the hub attached its SBOM", func() bool { return len(boms()) == 1 })
	own := boms()[0]

	code, manifest, _ := s.registry("admin", adminPassword, "GET", "/v2/team/app/manifests/"+own.Digest, nil, nil)
	if code != http.StatusOK {
		t.Fatalf("%d %s", code, manifest)
	}
	var m map[string]any
	if err := json.Unmarshal(manifest, &m); err != nil {
		t.Fatal(err)
	}
	m["annotations"] = map[string]string{fingerprint: "sha256:0000 0000"}
	forged, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	path := "/v2/team/app/manifests/" + digestOf(forged)
	if code, body, _ := s.registry("admin", adminPassword, "PUT", path, http.Header{"Content-Type": {manifestType}}, forged); code != http.StatusCreated {
		t.Fatalf("%d %s", code, body)
	}
	if n := len(boms()); n != 2 {
		t.Fatalf("%d SBOMs", n)
	}
	if code, body, _ := s.registry("admin", adminPassword, "DELETE", "/v2/team/app/manifests/"+own.Digest, nil, nil); code != http.StatusAccepted {
		t.Fatalf("%d %s", code, body)
	}
	s.call("POST", imagePath("team/app", digest)+"/scan", nil, nil)
	s.until("the hub's own is there again, beside the other", func() bool { return len(boms()) == 2 })
}
