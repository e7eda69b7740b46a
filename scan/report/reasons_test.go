package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/seawall/seawall/finding"
)

// A reason whose message names the findings is not followed by their names once more.
func TestTableNamesFindingsOnce(t *testing.T) {
	r := finding.Result{Verdict: &finding.Verdict{Decision: finding.Fail, Reasons: []finding.Reason{
		{Decision: finding.Fail, Rule: "kev", Message: "1 finding known to be exploited: CVE-2099-1", IDs: []string{"CVE-2099-1"}},
		{Decision: finding.Fail, Rule: "max.high", Message: "1 high finding, none allowed", IDs: []string{"CVE-2099-2"}},
	}}}
	var b bytes.Buffer
	if err := Write(&b, "table", []finding.Result{r}, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"CVE-2099-1", "CVE-2099-2"} {
		if n := strings.Count(b.String(), id); n != 1 {
			t.Errorf("%s appears %d times, want 1:\n%s", id, n, b.String())
		}
	}
}
