package catalog

import (
	"time"

	"github.com/seawall/seawall/finding"
)

// Mode says what a verdict means to who pulls.
type Mode string

const (
	Observe Mode = "observe" // scan, mark, serve
	Enforce Mode = "enforce" // serve only what is released
)

// Rule is what holds for the repositories that its pattern names. Each section is optional; for each section the first
// rule, in their order, that matches the repository and has the section decides.
type Rule struct {
	ID    int64  `json:"id"`
	Order int    `json:"order"`
	Name  string `json:"name"`
	// Pattern is over repository names: "team/*", "prod/**". See finding.MatchPath.
	Pattern string `json:"pattern"`

	Mode Mode `json:"mode,omitempty"`
	// Gate is a gate file in YAML; "" is no section, and with no rule at all the default policy.
	Gate string `json:"gate,omitempty"`
	// VerdictMaxAge: a pull of an image whose verdict is older is matched anew first. 0 is no section.
	VerdictMaxAge Duration   `json:"verdictMaxAge,omitempty"`
	Due           *DueDays   `json:"due,omitempty"`
	Owner         string     `json:"owner,omitempty"` // of findings
	Tags          *TagRule   `json:"tags,omitempty"`
	Retention     *Retention `json:"retention,omitempty"`
	// Quota bounds the bytes of each repository that matches; 0 is no section.
	Quota  int64      `json:"quota,omitempty"`
	Trust  *TrustRule `json:"trust,omitempty"`
	Mirror *Mirror    `json:"mirror,omitempty"`
}

// TagRule says which tags never move once they are set, by shell pattern.
type TagRule struct {
	Immutable []string `json:"immutable,omitempty"`
}

// Retention says what is kept; an image goes when nothing keeps it. Deletion is soft for Grace.
type Retention struct {
	KeepNewest int      `json:"keepNewest,omitempty"` // the n newest tagged images
	KeepDays   int      `json:"keepDays,omitempty"`   // pushed in the last n days
	KeepPulled int      `json:"keepPulled,omitempty"` // pulled in the last n days
	KeepTags   []string `json:"keepTags,omitempty"`   // with a tag that matches one of these patterns
	Untagged   int      `json:"untagged,omitempty"`   // untagged images go after n days; 0 keeps them
	GraceDays  int      `json:"graceDays,omitempty"`  // 0 means 7
}

// TrustRule says what must be proved of an image before it is released. Every entry of Signers must be met, by any of
// its keys or identities.
type TrustRule struct {
	Signers      []Signer      `json:"signers,omitempty"`
	Attestations []Attestation `json:"attestations,omitempty"`
}

// Signer is one signature that is required. Exactly one of Keys, Keyless and Notation is set.
type Signer struct {
	Name string `json:"name"`
	// Keys are public keys in PEM.
	Keys    []string `json:"keys,omitempty"`
	Keyless *Keyless `json:"keyless,omitempty"`
	// Notation holds the certificates (PEM) of a Notary Project trust store, and the identities trusted
	// ("x509.subject: C=US, O=…" or "*").
	Notation *Notation `json:"notation,omitempty"`
}

// Keyless is an identity of a Fulcio certificate. Root is the trusted root in sigstore's JSON.
type Keyless struct {
	Issuer   string `json:"issuer"`
	Identity string `json:"identity"` // exact, or a regular expression between slashes
	Root     string `json:"root"`
}

// Notation is a Notary Project trust store.
type Notation struct {
	Certificates []string `json:"certificates"`
	Identities   []string `json:"identities"`
}

// Attestation is a statement that is required, signed as Signer says.
type Attestation struct {
	// Predicate is the predicate type, or one of "sbom", "provenance", "vulnerability-scan".
	Predicate string `json:"predicate"`
	Signer    Signer `json:"signer"`
	// Builder, for provenance, is the builder's id: exact, or a pattern.
	Builder string `json:"builder,omitempty"`
	// MaxAge bounds the age of a vulnerability scan; 0 is any.
	MaxAge Duration `json:"maxAge,omitempty"`
}

// Mirror makes a repository a copy of another registry's.
type Mirror struct {
	// Source is the remote prefix: "registry.example/library"; what follows the pattern's fixed part is appended.
	Source string `json:"source"`
	// OnPull fetches what is asked for and not there; Tags are fetched every Every, by shell pattern.
	OnPull bool     `json:"onPull,omitempty"`
	Tags   []string `json:"tags,omitempty"`
	Every  Duration `json:"every,omitempty"`
	// Credential names a stored credential, "" for none.
	Credential string `json:"credential,omitempty"`
	// Platforms are those of an index that are copied: "linux/amd64". None: all.
	Platforms []string `json:"platforms,omitempty"`
	// CA holds authorities (PEM) that are trusted beside the system's.
	CA string `json:"ca,omitempty"`
}

// Duration is a length of time that marshals as text: "36h", "30d".
type Duration time.Duration

// Effective is what holds for one repository: each section of the first rule that has it, with its default elsewhere.
type Effective struct {
	Repository string `json:"repository"`
	Rule
	// From names the rule that each section came from.
	From map[string]string `json:"from,omitempty"`
}

// Resolve joins the rules that match repository, which are in their order.
func Resolve(repository string, rules []Rule) Effective {
	e := Effective{Repository: repository, From: map[string]string{}}
	for i := range rules {
		if r := &rules[i]; finding.MatchPath(r.Pattern, repository) {
			e.take(r)
		}
	}
	if e.Mode == "" {
		e.Mode = Observe
	}
	return e
}

func (e *Effective) take(r *Rule) {
	section := func(name string, has, set bool, put func()) {
		if has && !set {
			put()
			e.From[name] = r.Name
		}
	}
	section("mode", r.Mode != "", e.Mode != "", func() { e.Mode = r.Mode })
	section("gate", r.Gate != "", e.Gate != "", func() { e.Gate = r.Gate })
	section("verdictMaxAge", r.VerdictMaxAge != 0, e.VerdictMaxAge != 0, func() { e.VerdictMaxAge = r.VerdictMaxAge })
	section("due", r.Due != nil, e.Due != nil, func() { e.Due = r.Due })
	section("owner", r.Owner != "", e.Owner != "", func() { e.Owner = r.Owner })
	section("tags", r.Tags != nil, e.Tags != nil, func() { e.Tags = r.Tags })
	section("retention", r.Retention != nil, e.Retention != nil, func() { e.Retention = r.Retention })
	section("quota", r.Quota != 0, e.Quota != 0, func() { e.Quota = r.Quota })
	section("trust", r.Trust != nil, e.Trust != nil, func() { e.Trust = r.Trust })
	section("mirror", r.Mirror != nil, e.Mirror != nil, func() { e.Mirror, e.Pattern = r.Mirror, r.Pattern })
}

// Serves reports whether an ordinary pull gets the image at now.
func (e *Effective) Serves(m *Manifest, now time.Time) bool {
	if !m.Deleted.IsZero() {
		return false
	}
	return e.Mode == Observe || m.EffectiveStatus(now) == Released || m.Status == NotScanned
}

// EffectiveStatus is the status that counts at now: a person's, while it holds.
func (m *Manifest) EffectiveStatus(now time.Time) Status {
	if o := m.Override; o != nil && (o.Expires.IsZero() || now.Before(o.Expires)) {
		return o.Status
	}
	return m.Status
}

// DefaultDue are the days that hold where no rule gives others.
var DefaultDue = DueDays{Critical: 7, High: 30, Medium: 90, Low: 180, Exploited: 3}

// Date is when a finding that was first seen at first is due; zero for never.
func (d *DueDays) Date(s finding.Severity, exploited bool, first time.Time) time.Time {
	days := map[finding.Severity]int{
		finding.SeverityCritical: d.Critical, finding.SeverityHigh: d.High,
		finding.SeverityMedium: d.Medium, finding.SeverityLow: d.Low,
	}[s]
	if exploited && d.Exploited > 0 && (days == 0 || d.Exploited < days) {
		days = d.Exploited
	}
	if days == 0 {
		return time.Time{}
	}
	return first.AddDate(0, 0, days)
}
