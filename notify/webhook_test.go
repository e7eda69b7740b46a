package notify

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seawall/seawall/finding"
)

func TestWebhook(t *testing.T) {
	r, h := newRig(t, nil), newHook(t)
	r.store.targets = []Target{{ID: 1, Form: Webhook, URL: h.URL, Secret: []byte("key")}}
	r.store.rules = []Rule{{ID: 1, Name: "all", Target: 1}}
	r.store.deliveries = []Delivery{{ID: 1, Rule: 1, Target: 1, State: Waiting, Events: []Event{event("1", finding.SeverityLow), event("2", finding.SeverityCritical), event("1", finding.SeverityLow)}}}
	r.attempts(t)
	const want = `{"version":1,"delivery":1,"rule":"all","sent":"2026-03-04T12:00:00Z","summary":"Seawall: 2 events: 1 critical, 1 low","console":"https://hub.example","events":[` +
		`{"id":"2","time":"2026-03-04T12:00:00Z","kind":"image.rejected","severity":"critical","title":"team/app is rejected","text":"2 critical findings","repository":"team/app","digest":"sha256:ab","ids":["CVE-2026-1"],"link":"/images/x","detail":{"fixed":"1.2"}},` +
		`{"id":"1","time":"2026-03-04T12:00:00Z","kind":"image.rejected","severity":"low","title":"team/app is rejected","text":"2 critical findings","repository":"team/app","digest":"sha256:ab","ids":["CVE-2026-1"],"link":"/images/x","detail":{"fixed":"1.2"}}]}`
	if diff := cmp.Diff(want, string(h.bodies[0])); diff != "" {
		t.Error(diff)
	}
	header := h.seen[0]
	if header.Get(HeaderDelivery) != "1" || header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", header)
	}
	if err := Verify([]byte("key"), header.Get(HeaderSignature), h.bodies[0], noon, time.Minute); err != nil {
		t.Error(err)
	}
	var p Payload
	if err := json.Unmarshal(h.bodies[0], &p); err != nil || p.Events[0].Severity != finding.SeverityCritical {
		t.Errorf("read back as %+v, %v", p, err)
	}
}

func TestNoSecretNoSignature(t *testing.T) {
	r, h := newRig(t, nil), newHook(t)
	if err := r.Test(t.Context(), Target{Form: Webhook, URL: h.URL}); err != nil {
		t.Fatal(err)
	}
	if h.seen[0].Get(HeaderSignature) != "" {
		t.Error("it is signed by nothing")
	}
}

// TestSignature holds the value that docs/notifications.md shows.
func TestSignature(t *testing.T) {
	at := time.Unix(1772625600, 0)
	const want = "t=1772625600,v1=4ba262f492fcf3e1d3d0c8b269169d8855f7738ccd8d3fee9c57dd96586dfed2"
	got := Sign([]byte("It is a secret"), []byte(`{"version":1}`), at)
	if got != want {
		t.Errorf("%s", got)
	}
}

func TestVerify(t *testing.T) {
	key, body := []byte("key"), []byte("body")
	good := Sign(key, body, noon)
	late := strconv.FormatInt(noon.Add(time.Hour).Unix(), 10)
	for header, ok := range map[string]bool{
		good: true, good + ",v1=00": true, "v0=xx," + good: true,
		"": false, "t=1": false, "v1=00": false, good[:len(good)-2] + "00": false,
		Sign([]byte("other"), body, noon): false, Sign(key, []byte("other"), noon): false,
		Sign(key, body, noon.Add(-time.Hour)): false, Sign(key, body, noon.Add(time.Hour)): false,
		"t=" + late + good[len("t=")+len(late):]: false, "t=x" + good: false,
	} {
		if err := Verify(key, header, body, noon, 5*time.Minute); (err == nil) != ok {
			t.Errorf("%s: %v", header, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(Sign([]byte("key"), []byte("body"), noon), []byte("body"))
	f.Add("t=,v1=", []byte(""))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		err := Verify([]byte("another key that nobody has guessed"), header, body, noon, time.Hour)
		if err == nil {
			t.Errorf("%q verifies", header)
		}
	})
}
