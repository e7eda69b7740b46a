package trust

import (
	"fmt"
	"strings"
	"time"
)

// demands says of each requirement of the policy whether it is met.
func (r *run) demands(found []*evidence) []Requirement {
	out := []Requirement{}
	for _, s := range r.v.signers {
		out = append(out, r.signed(s, found))
	}
	for i := range r.v.attestations {
		out = append(out, r.attested(&r.v.attestations[i], found))
	}
	return out
}

func (r *run) signed(s *signer, found []*evidence) Requirement {
	q := Requirement{Kind: KindSignature, Name: s.name, Signer: s.name}
	var why reasons
	for _, e := range found {
		if e.Kind != KindSignature {
			continue
		}
		if e.by[s] {
			q.Met, q.Reason = true, "signed by "+e.Who()
			return q
		}
		why.add(e.problemsOf(s))
	}
	q.Reason = why.line("no signature was found")
	return q
}

func (r *run) attested(d *demand, found []*evidence) Requirement {
	q := Requirement{Kind: KindAttestation, Name: d.Predicate, Signer: d.signer.name}
	var why reasons
	for _, e := range found {
		switch {
		case e.broken:
			why.add(e.problemsOf(d.signer))
		case e.Kind != KindAttestation:
		case !d.wants(e.statement.PredicateType):
		case !e.by[d.signer]:
			why.add(e.problemsOf(d.signer))
		default:
			if text := d.fails(e, r.now); text != "" {
				why.add([]string{text})
				continue
			}
			q.Met, q.Reason = true, fmt.Sprintf("%s, signed by %s", clean(e.statement.PredicateType), e.Who())
			return q
		}
	}
	q.Reason = why.line("no attestation of this kind was found")
	return q
}

// fails says what a verified statement lacks; "" is nothing.
func (d *demand) fails(e *evidence, now time.Time) string {
	if d.Predicate == PredicateSBOM && !e.facts.sbom {
		return "the attested SBOM is empty"
	}
	if d.builder != nil {
		if !d.builder.MatchString(e.facts.builder) {
			return fmt.Sprintf("built by %s, not by %s", quoted(e.facts.builder), d.Builder)
		}
	}
	if d.MaxAge <= 0 {
		return ""
	}
	at := e.facts.at
	switch age := now.Sub(at); {
	case at.IsZero():
		return "it does not say when it was made, and its age is limited"
	case age < -future:
		return fmt.Sprintf("it says that it was made in the future, at %s", at.Format(time.RFC3339))
	case age > time.Duration(d.MaxAge):
		return fmt.Sprintf("it is %s old: at most %s are allowed", age.Round(time.Minute), time.Duration(d.MaxAge))
	}
	return ""
}

func quoted(id string) string {
	if id == "" {
		return "nobody who is named"
	}
	return clean(id)
}

func (e *evidence) problemsOf(s *signer) []string {
	var all []string
	for _, p := range e.Problems {
		if p.Signer == "" || p.Signer == s.name {
			all = append(all, p.Text)
		}
	}
	return all
}

// reasons collects why nothing met a requirement, without repeating.
type reasons []string

func (w *reasons) add(texts []string) {
	for _, t := range texts {
		known := false
		for _, have := range *w {
			known = known || have == t
		}
		if !known {
			*w = append(*w, t)
		}
	}
}

// line is at most three reasons on a line.
func (w reasons) line(none string) string {
	const most = 3
	switch {
	case len(w) == 0:
		return none
	case len(w) > most:
		return strings.Join(w[:most], "; ") + fmt.Sprintf("; and %d more", len(w)-most)
	}
	return strings.Join(w, "; ")
}
