package state

import (
	"fmt"
	"regexp"
	"strings"
)

// table is a table as backups carry it. seq is the column that the engine numbers, "" for none.
type table struct {
	name string
	// columns are "name:kind" in the order of a row's values: i a number, f a fraction, o true or false, t text, b bytes,
	// s bytes that are sealed in the database.
	columns string
	seq     string
	// row names the column that a sealed value is bound to.
	row string
	// where leaves out rows.
	where string
}

// tables lists what a backup holds, in an order in which every row finds the rows that it refers to. Left out are
// leases of leaders, idempotency keys and tokens of the registry: they mean nothing elsewhere or later.
var tables = []table{
	{name: "repository", seq: "id", columns: "id:i name:t created:i pushed:i pulled:i images:i tags:i size:i critical:i high:i medium:i low:i " +
		"negligible:i unknown:i exploited:i worst:i received:i quarantined:i released:i rejected:i not_scanned:i scan_errors:i"},
	{name: "manifest", seq: "id", columns: "id:i repo_id:i digest:t kind:t media_type:t artifact_type:t subject:t size:i platform:t config:t parts:t " +
		"created:i pushed:i pushed_by:t pushed_from:t origin:t pulled:i pulls:i deleted:i status:t shown:t override:t override_expires:i " +
		"reasons:t scan:t scan_error:o decision:t worst:i matched:i tags:i named:o current:o fingerprint:b"},
	{name: "manifest_blob", columns: "repo_id:i digest:t manifest_id:i size:i"},
	{name: "manifest_child", columns: "repo_id:i digest:t manifest_id:i"},
	{name: "tag", columns: "repo_id:i name:t manifest_id:i updated:i by_name:t"},
	{name: "inventory", seq: "seq", columns: "seq:i digest:t analyser:t scanned:i sum:b data:s", row: "digest"},
	{name: "result", columns: "manifest_id:i sum:b head:t data:s", row: "manifest_id"},
	{name: "finding", seq: "id", columns: "id:i key:t repo_id:i source:t type:t vid:t title:t package:t version:t fixed_in:t severity:i exploited:o " +
		"epss:f rank:i state:t first_seen:i last_seen:i fixed_at:i due:i due_set:o owner:t owner_set:o exception:i exception_until:i " +
		"images:i described:i doc:t"},
	{name: "occurrence", columns: "manifest_id:i finding_id:i"},
	{name: "alias", columns: "name:t vid:t"},
	{name: "trend", columns: "repo_id:i day:t critical:i high:i medium:i low:i negligible:i unknown:i opened:i fixed:i images:i"},
	{name: "rule", seq: "id", columns: "id:i ordinal:i doc:t"},
	{name: "exception", seq: "id", columns: "id:i state:t expires:i doc:t"},
	{name: "account", columns: "id:t doc:s", row: "id"},
	{name: "service", columns: "id:t doc:t"},
	{name: "role", columns: "name:t doc:t"},
	{name: "role_grant", seq: "id", columns: "id:i subject:t role:t scope_kind:t scope_name:t"},
	{name: "issuer", columns: "id:t doc:t"},
	{name: "token", columns: "id:t hash:b kind:t subject:t expires:i used:i doc:t", where: "kind <> 'registry'"},
	{name: "job", seq: "id", columns: "id:i kind:t key:t payload:t state:t priority:i attempts:i max_attempts:i run_at:i created:i started:i finished:i " +
		"leased_by:t leased_until:i progress:t error:t actor:t"},
	{name: "target", seq: "id", columns: "id:i doc:s", row: "id"},
	{name: "notify_rule", seq: "id", columns: "id:i target_id:i doc:t"},
	{name: "delivery", seq: "id", columns: "id:i rule_id:i target_id:i state:t attempts:i created:i not_before:i sent:i error:t leased_by:t leased_until:i events:s", row: "id"},
	{name: "outbox", seq: "seq", columns: "seq:i id:t at:i actor:t name:t action:t object:t place:i doc:s", row: "id"},
	{name: "setting", columns: "key:t value:s", row: "key", where: "key <> 'seal'"},
	{name: "credential", columns: "name:t doc:s", row: "name"},
}

// column is one column of a table.
type column struct {
	name string
	kind byte
}

func parseColumns(text string) (out []column, err error) {
	for _, f := range strings.Fields(text) {
		name, kind, _ := strings.Cut(f, ":")
		if !identifier.MatchString(name) || len(kind) != 1 || !strings.Contains("ifotbs", kind) {
			return nil, fmt.Errorf("column %q: want name:kind", f)
		}
		out = append(out, column{name, kind[0]})
	}
	return out, nil
}

// identifier is what may stand in a statement unquoted: names in backups are foreign.
var identifier = regexp.MustCompile(`^[a-z][a-z_]{0,40}$`)

func columnNames(cs []column) string {
	var names []string
	for _, c := range cs {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}
