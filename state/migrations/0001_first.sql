-- The first schema. {{words}} stand for what the engines name differently, see dialect.go.
-- Times are nanoseconds since 1970 UTC, 0 for none. Columns of type {{sealed}} are encrypted on PostgreSQL where a key
-- is configured; everything else stays readable there. On SQLite the whole file is encrypted.

CREATE TABLE repository (
	id          {{id}},
	name        {{text}} NOT NULL UNIQUE,
	created     {{int}} NOT NULL,
	pushed      {{int}} NOT NULL DEFAULT 0,
	pulled      {{int}} NOT NULL DEFAULT 0,
	-- What follows is kept up to date in the transactions that change it, so that listings need not count.
	images      {{int}} NOT NULL DEFAULT 0,
	tags        {{int}} NOT NULL DEFAULT 0,
	size        {{int}} NOT NULL DEFAULT 0,
	critical    {{int}} NOT NULL DEFAULT 0,
	high        {{int}} NOT NULL DEFAULT 0,
	medium      {{int}} NOT NULL DEFAULT 0,
	low         {{int}} NOT NULL DEFAULT 0,
	negligible  {{int}} NOT NULL DEFAULT 0,
	unknown     {{int}} NOT NULL DEFAULT 0,
	exploited   {{int}} NOT NULL DEFAULT 0,
	worst       {{int}} NOT NULL DEFAULT 0, -- orders by findings
	received    {{int}} NOT NULL DEFAULT 0,
	quarantined {{int}} NOT NULL DEFAULT 0,
	released    {{int}} NOT NULL DEFAULT 0,
	rejected    {{int}} NOT NULL DEFAULT 0,
	not_scanned {{int}} NOT NULL DEFAULT 0,
	scan_errors {{int}} NOT NULL DEFAULT 0
){{strict}};
CREATE INDEX repository_pushed ON repository (pushed, id);
CREATE INDEX repository_worst ON repository (worst, id);

CREATE TABLE manifest (
	id               {{id}},
	repo_id          {{int}} NOT NULL REFERENCES repository (id),
	digest           {{text}} NOT NULL,
	kind             {{text}} NOT NULL,
	media_type       {{text}} NOT NULL,
	artifact_type    {{text}} NOT NULL,
	subject          {{text}} NOT NULL,
	size             {{int}} NOT NULL,
	platform         {{text}} NOT NULL,
	config           {{text}} NOT NULL,
	parts            {{text}} NOT NULL, -- JSON: blobs, their sizes, children
	created          {{int}} NOT NULL,
	pushed           {{int}} NOT NULL,
	pushed_by        {{text}} NOT NULL,
	pushed_from      {{text}} NOT NULL,
	origin           {{text}} NOT NULL,
	pulled           {{int}} NOT NULL DEFAULT 0,
	pulls            {{int}} NOT NULL DEFAULT 0,
	deleted          {{int}} NOT NULL DEFAULT 0,
	status           {{text}} NOT NULL, -- by the verdict
	shown            {{text}} NOT NULL, -- by a person where one decided, else status
	override         {{text}} NOT NULL DEFAULT '',
	override_expires {{int}} NOT NULL DEFAULT 0,
	reasons          {{text}} NOT NULL DEFAULT '',
	scan             {{text}} NOT NULL DEFAULT '', -- JSON of catalog.Evaluation
	scan_error       {{bool}} NOT NULL DEFAULT FALSE,
	decision         {{text}} NOT NULL DEFAULT '',
	worst            {{int}} NOT NULL DEFAULT 0,
	matched          {{int}} NOT NULL DEFAULT 0,
	tags             {{int}} NOT NULL DEFAULT 0,
	named            {{bool}} NOT NULL DEFAULT FALSE, -- was tagged, or listed by an index, at some time
	current          {{bool}} NOT NULL DEFAULT TRUE,
	fingerprint      {{blob}}, -- of what the tracked findings were last brought up to date with
	UNIQUE (repo_id, digest)
){{strict}};
CREATE INDEX manifest_digest ON manifest (digest);
CREATE INDEX manifest_config ON manifest (config) WHERE config <> '';
CREATE INDEX manifest_pushed ON manifest (pushed, id) WHERE deleted = 0;
CREATE INDEX manifest_repo_pushed ON manifest (repo_id, pushed, id);
CREATE INDEX manifest_shown ON manifest (shown, pushed, id) WHERE deleted = 0;
CREATE INDEX manifest_decision ON manifest (decision, pushed, id) WHERE deleted = 0;
CREATE INDEX manifest_worst ON manifest (worst, id) WHERE deleted = 0;
CREATE INDEX manifest_size ON manifest (size, id) WHERE deleted = 0;
CREATE INDEX manifest_deleted ON manifest (pushed, id) WHERE deleted <> 0;
CREATE INDEX manifest_matched ON manifest (matched) WHERE matched <> 0;
CREATE INDEX manifest_override ON manifest (override_expires) WHERE override_expires <> 0;

-- Which manifests of a repository name a blob: decides whether it is served, and counts its bytes once.
CREATE TABLE manifest_blob (
	repo_id     {{int}} NOT NULL,
	digest      {{text}} NOT NULL,
	manifest_id {{int}} NOT NULL REFERENCES manifest (id),
	size        {{int}} NOT NULL,
	PRIMARY KEY (repo_id, digest, manifest_id)
){{rowless}};

-- Which indexes of a repository list a manifest, present or not.
CREATE TABLE manifest_child (
	repo_id     {{int}} NOT NULL,
	digest      {{text}} NOT NULL,
	manifest_id {{int}} NOT NULL REFERENCES manifest (id),
	PRIMARY KEY (repo_id, digest, manifest_id)
){{rowless}};

CREATE TABLE tag (
	repo_id     {{int}} NOT NULL,
	name        {{text}} NOT NULL,
	manifest_id {{int}} NOT NULL REFERENCES manifest (id),
	updated     {{int}} NOT NULL,
	by_name     {{text}} NOT NULL,
	PRIMARY KEY (repo_id, name)
){{rowless}};
CREATE INDEX tag_manifest ON tag (manifest_id);
CREATE INDEX tag_name ON tag (name);

CREATE TABLE inventory (
	seq      {{id}},
	digest   {{text}} NOT NULL UNIQUE,
	analyser {{text}} NOT NULL,
	scanned  {{int}} NOT NULL,
	sum      {{blob}} NOT NULL, -- of the JSON, to leave equal ones alone
	data     {{sealed}} NOT NULL -- JSON of finding.Inventory, zstd
){{strict}};

CREATE TABLE result (
	manifest_id {{int}} PRIMARY KEY REFERENCES manifest (id),
	sum         {{blob}} NOT NULL,
	head        {{text}} NOT NULL, -- JSON of what changes with every match
	data        {{sealed}} NOT NULL -- JSON of finding.Result without the inventory's long lists, zstd
){{strict}};

CREATE TABLE finding (
	id              {{id}},
	key             {{text}} NOT NULL UNIQUE,
	repo_id         {{int}} NOT NULL REFERENCES repository (id),
	source          {{text}} NOT NULL,
	type            {{text}} NOT NULL,
	vid             {{text}} NOT NULL,
	title           {{text}} NOT NULL,
	package         {{text}} NOT NULL,
	version         {{text}} NOT NULL,
	fixed_in        {{text}} NOT NULL,
	severity        {{int}} NOT NULL,
	exploited       {{bool}} NOT NULL,
	epss            {{float}} NOT NULL,
	rank            {{int}} NOT NULL, -- orders: severity, exploited, EPSS
	state           {{text}} NOT NULL,
	first_seen      {{int}} NOT NULL,
	last_seen       {{int}} NOT NULL,
	fixed_at        {{int}} NOT NULL DEFAULT 0,
	due             {{int}} NOT NULL DEFAULT 0,
	due_set         {{bool}} NOT NULL DEFAULT FALSE, -- by a person
	owner           {{text}} NOT NULL DEFAULT '',
	owner_set       {{bool}} NOT NULL DEFAULT FALSE,
	exception       {{int}} NOT NULL DEFAULT 0,
	exception_until {{int}} NOT NULL DEFAULT 0,
	images          {{int}} NOT NULL DEFAULT 0, -- current ones that carry it
	described       {{int}} NOT NULL DEFAULT 0, -- the manifest that title, version and so on were taken from
	doc             {{text}} NOT NULL -- JSON: aliases, and what exceptions are matched against
){{strict}};
CREATE INDEX finding_repo ON finding (repo_id, state, severity, exploited, source);
CREATE INDEX finding_state_rank ON finding (state, rank, id);
CREATE INDEX finding_rank ON finding (rank, id);
CREATE INDEX finding_vid ON finding (vid, rank, id);
CREATE INDEX finding_vid_repo ON finding (vid, repo_id);
CREATE INDEX finding_due ON finding (due) WHERE state = 'open' AND due <> 0;
CREATE INDEX finding_exception ON finding (exception) WHERE exception <> 0;
CREATE INDEX finding_until ON finding (exception_until) WHERE exception_until <> 0;

CREATE TABLE occurrence (
	manifest_id {{int}} NOT NULL REFERENCES manifest (id),
	finding_id  {{int}} NOT NULL REFERENCES finding (id),
	PRIMARY KEY (manifest_id, finding_id)
){{rowless}};
CREATE INDEX occurrence_finding ON occurrence (finding_id, manifest_id);

-- Every id, alias and record id of an advisory group, in lower case, with the ids that findings bear.
CREATE TABLE alias (
	name {{text}} NOT NULL,
	vid  {{text}} NOT NULL,
	PRIMARY KEY (name, vid)
){{rowless}};

CREATE TABLE trend (
	repo_id    {{int}} NOT NULL, -- 0: all
	day        {{text}} NOT NULL,
	critical   {{int}} NOT NULL DEFAULT 0,
	high       {{int}} NOT NULL DEFAULT 0,
	medium     {{int}} NOT NULL DEFAULT 0,
	low        {{int}} NOT NULL DEFAULT 0,
	negligible {{int}} NOT NULL DEFAULT 0,
	unknown    {{int}} NOT NULL DEFAULT 0,
	opened     {{int}} NOT NULL DEFAULT 0,
	fixed      {{int}} NOT NULL DEFAULT 0,
	images     {{int}} NOT NULL DEFAULT 0,
	PRIMARY KEY (repo_id, day)
){{rowless}};
CREATE INDEX trend_day ON trend (day);

CREATE TABLE rule (
	id      {{id}},
	ordinal {{int}} NOT NULL,
	doc     {{text}} NOT NULL
){{strict}};

CREATE TABLE exception (
	id      {{id}},
	state   {{text}} NOT NULL,
	expires {{int}} NOT NULL,
	doc     {{text}} NOT NULL
){{strict}};
CREATE INDEX exception_state ON exception (state, expires);

CREATE TABLE account (
	id  {{text}} PRIMARY KEY,
	doc {{sealed}} NOT NULL
){{strict}};

CREATE TABLE service (
	id  {{text}} PRIMARY KEY,
	doc {{text}} NOT NULL
){{strict}};

CREATE TABLE role (
	name {{text}} PRIMARY KEY,
	doc  {{text}} NOT NULL
){{strict}};

CREATE TABLE role_grant (
	id         {{id}},
	subject    {{text}} NOT NULL,
	role       {{text}} NOT NULL,
	scope_kind {{text}} NOT NULL,
	scope_name {{text}} NOT NULL,
	UNIQUE (subject, role, scope_kind, scope_name)
){{strict}};
CREATE INDEX role_grant_role ON role_grant (role);

CREATE TABLE issuer (
	id  {{text}} PRIMARY KEY,
	doc {{text}} NOT NULL
){{strict}};

CREATE TABLE token (
	id      {{text}} PRIMARY KEY,
	hash    {{blob}} NOT NULL UNIQUE,
	kind    {{text}} NOT NULL,
	subject {{text}} NOT NULL,
	expires {{int}} NOT NULL,
	used    {{int}} NOT NULL DEFAULT 0,
	doc     {{text}} NOT NULL
){{strict}};
CREATE INDEX token_subject ON token (subject);
CREATE INDEX token_expires ON token (expires);

CREATE TABLE job (
	id           {{id}},
	kind         {{text}} NOT NULL,
	key          {{text}} NOT NULL,
	payload      {{text}} NOT NULL,
	state        {{text}} NOT NULL,
	priority     {{int}} NOT NULL,
	attempts     {{int}} NOT NULL DEFAULT 0,
	max_attempts {{int}} NOT NULL,
	run_at       {{int}} NOT NULL,
	created      {{int}} NOT NULL,
	started      {{int}} NOT NULL DEFAULT 0,
	finished     {{int}} NOT NULL DEFAULT 0,
	leased_by    {{text}} NOT NULL DEFAULT '',
	leased_until {{int}} NOT NULL DEFAULT 0,
	progress     {{text}} NOT NULL DEFAULT '',
	error        {{text}} NOT NULL DEFAULT '',
	actor        {{text}} NOT NULL
){{strict}};
CREATE UNIQUE INDEX job_waiting ON job (kind, key) WHERE state = 'waiting';
CREATE INDEX job_key ON job (kind, key, state);
CREATE INDEX job_next ON job (state, priority, run_at, id);
CREATE INDEX job_created ON job (state, kind, created);

CREATE TABLE target (
	id  {{id}},
	doc {{sealed}} NOT NULL
){{strict}};

CREATE TABLE notify_rule (
	id        {{id}},
	target_id {{int}} NOT NULL REFERENCES target (id),
	doc       {{text}} NOT NULL
){{strict}};

CREATE TABLE delivery (
	id           {{id}},
	rule_id      {{int}} NOT NULL,
	target_id    {{int}} NOT NULL,
	state        {{text}} NOT NULL,
	attempts     {{int}} NOT NULL DEFAULT 0,
	created      {{int}} NOT NULL,
	not_before   {{int}} NOT NULL,
	sent         {{int}} NOT NULL DEFAULT 0,
	error        {{text}} NOT NULL DEFAULT '',
	leased_by    {{text}} NOT NULL DEFAULT '',
	leased_until {{int}} NOT NULL DEFAULT 0,
	events       {{sealed}} NOT NULL -- JSON, zstd
){{strict}};
CREATE INDEX delivery_due ON delivery (not_before, id) WHERE state = 'waiting';

CREATE TABLE outbox (
	seq     {{id}},
	id      {{text}} NOT NULL UNIQUE,
	at      {{int}} NOT NULL,
	actor   {{text}} NOT NULL,
	name    {{text}} NOT NULL, -- of the actor
	action  {{text}} NOT NULL,
	object  {{text}} NOT NULL,
	place   {{int}} NOT NULL DEFAULT -1, -- in the log
	doc     {{sealed}} NOT NULL -- JSON of audit.Entry
){{strict}};
CREATE INDEX outbox_pending ON outbox (seq) WHERE place = -1;
CREATE UNIQUE INDEX outbox_place ON outbox (place) WHERE place >= 0;
CREATE INDEX outbox_at ON outbox (at, seq);
CREATE INDEX outbox_actor ON outbox (actor, seq);
CREATE INDEX outbox_name ON outbox (name, seq);
CREATE INDEX outbox_action ON outbox (action, seq);
CREATE INDEX outbox_object ON outbox (object, seq);

CREATE TABLE setting (
	key   {{text}} PRIMARY KEY,
	value {{sealed}} NOT NULL
){{strict}};

CREATE TABLE leader (
	name   {{text}} PRIMARY KEY,
	holder {{text}} NOT NULL,
	until  {{int}} NOT NULL
){{strict}};

CREATE TABLE answer (
	principal {{text}} NOT NULL,
	key       {{text}} NOT NULL,
	hash      {{blob}} NOT NULL,
	created   {{int}} NOT NULL,
	status    {{int}} NOT NULL DEFAULT 0, -- 0: the request is under way
	doc       {{sealed}} NOT NULL,
	PRIMARY KEY (principal, key)
){{strict}};
CREATE INDEX answer_created ON answer (created);

CREATE TABLE credential (
	name {{text}} PRIMARY KEY,
	doc  {{sealed}} NOT NULL
){{strict}};
