package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seawall/seawall/trust"
)

const verifyLong = `Verify finds the signatures and attestations of an image in its registry and says of each who made it, or why it does not
count. It asks nobody but the registry: keys, roots and certificates are those that are given.

What must be proved is given by flags or by a policy file (docs/trust.md). Several --key are alternatives.

Exit codes:
  0  everything that was asked for is proved
  1  something is not proved
  4  usage or input error, or the registry did not answer: nothing was decided`

// verifyFlags say what must be proved.
type verifyFlags struct {
	registryFlags
	policy                                            string
	keys                                              []string
	identity, identityRegexp, issuer, issuerRegexp    string
	root                                              string
	notationCerts, notationIdentities, notationStamps []string
	attestations                                      []string
	builder                                           string
	maxAge                                            string
	sameRepository                                    bool
	notary                                            string
}

func newVerify(t terminal) *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use: "verify IMAGE", Short: "Verify an image's signatures and attestations", Long: verifyLong,
		Example: `  seawall verify registry.example/team/app:1.2 --key release.pub
  seawall verify registry.example/team/app:1.2 --certificate-identity ci@example.com \
      --certificate-oidc-issuer https://issuer.example --trusted-root trusted_root.json
  seawall verify registry.example/team/app:1.2 --key release.pub --attestation sbom --attestation provenance
  seawall verify registry.example/team/app:1.2 --notation-cert ca.pem --notation-identity 'x509.subject: C=US, ST=WA, O=Example'
  seawall verify registry.example/team/app:1.2 --policy trust.yaml -o json`,
		Args: oneImage,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), t, args[0]) },
	}
	f.register(cmd)
	fs := cmd.Flags()
	fs.StringVar(&f.policy, "policy", "", "YAML or JSON `FILE` that says what must be proved")
	fs.StringArrayVar(&f.keys, "key", nil, "public key `FILE`; may be repeated: any of them")
	fs.StringVar(&f.identity, "certificate-identity", "", "`NAME` that the certificate must have")
	fs.StringVar(&f.identityRegexp, "certificate-identity-regexp", "", "the same as a regular `EXPRESSION` for the whole name")
	fs.StringVar(&f.issuer, "certificate-oidc-issuer", "", "`URL` of who must have vouched for the name")
	fs.StringVar(&f.issuerRegexp, "certificate-oidc-issuer-regexp", "", "the same as a regular `EXPRESSION` for the whole URL")
	fs.StringVar(&f.root, "trusted-root", "", "sigstore's trusted_root.json, a `FILE`; with --key, its log must prove the signature")
	fs.StringArrayVar(&f.notationCerts, "notation-cert", nil, "PEM `FILE` with certificates of a Notary Project trust store")
	fs.StringArrayVar(&f.notationIdentities, "notation-identity", nil, "trusted `IDENTITY`: \"x509.subject: C=…, ST=…, O=…\", or *")
	fs.StringArrayVar(&f.notationStamps, "notation-tsa", nil, "PEM `FILE` with roots of timestamping authorities")
	fs.StringArrayVar(&f.attestations, "attestation", nil, "also demand this `PREDICATE`, by the same signer: sbom, provenance, vulnerability-scan, or a type")
	fs.StringVar(&f.builder, "builder", "", "`ID` that provenance must name as its builder; * is anything")
	fs.StringVar(&f.maxAge, "max-age", "", "how old attestations may be, a `TIME` as in 36h or 30d")
	fs.BoolVar(&f.sameRepository, "same-repository", false, "refuse signatures that were made for another repository")
	fs.StringVar(&f.notary, "notary-server", "", "also ask the notary server at this `URL` for Docker Content Trust")
	return cmd
}

func (f *verifyFlags) run(ctx context.Context, t terminal, ref string) error {
	if err := f.registryFlags.check(); err != nil {
		return err
	}
	p, err := f.readPolicy()
	if err != nil {
		return err
	}
	verifier, err := trust.Compile(p)
	if err != nil {
		return usagef("%w", err)
	}
	ctx, cancel, client, s, err := f.open(ctx, ref)
	defer cancel()
	if err != nil {
		return err
	}
	rep, err := verifier.WithLimits(trust.Limits{Time: f.timeout}).Verify(ctx, client, s, time.Now())
	if err != nil {
		return inputError("verifying "+ref, err)
	}
	f.addContentTrust(ctx, t, s, &rep)
	if err := f.print(t, &rep); err != nil {
		return err
	}
	if !rep.Met {
		return exitError{code: exitFail}
	}
	return nil
}

func (f *verifyFlags) addContentTrust(ctx context.Context, t terminal, s trust.Subject, rep *trust.Report) {
	c := trust.ContentTrust{Server: f.notary}
	if home, ok := t.env("HOME"); ok && home != "" {
		c.Dir = filepath.Join(home, ".docker", "trust")
	}
	if dir, ok := t.env("DOCKER_CONFIG"); ok && dir != "" {
		c.Dir = filepath.Join(dir, "trust")
	}
	found, err := c.Find(ctx, s)
	if err != nil {
		rep.Notes = append(rep.Notes, err.Error())
	}
	if on, _ := t.env("DOCKER_CONTENT_TRUST"); on == "1" && len(found) == 0 {
		rep.Notes = append(rep.Notes, "DOCKER_CONTENT_TRUST is set, but no trust data of this repository was found; it is not verified here")
	}
	rep.Signatures = append(rep.Signatures, found...)
}

// readPolicy makes the policy of the flags, or reads the file.
func (f *verifyFlags) readPolicy() (trust.Policy, error) {
	signers, err := f.signers()
	if err != nil {
		return trust.Policy{}, err
	}
	if f.policy != "" {
		if len(signers) > 0 || len(f.attestations) > 0 || f.sameRepository || f.builder != "" || f.maxAge != "" {
			return trust.Policy{}, usagef("give --policy or flags that say what must be proved, not both")
		}
		return readPolicyFile(f.policy)
	}
	if len(signers) == 0 {
		return trust.Policy{}, usagef("what must be proved? give --key, --certificate-identity, --notation-cert or --policy")
	}
	p := trust.Policy{Signers: signers, SameRepository: f.sameRepository}
	return p, f.addAttestations(&p)
}

func (f *verifyFlags) addAttestations(p *trust.Policy) error {
	if len(f.attestations) == 0 {
		if f.builder != "" || f.maxAge != "" {
			return usagef("--builder and --max-age go with --attestation")
		}
		return nil
	}
	if len(p.Signers) != 1 {
		return usagef("--attestation takes one kind of signer; a --policy file can have several")
	}
	var age trust.Duration
	if f.maxAge != "" {
		if err := age.UnmarshalText([]byte(f.maxAge)); err != nil {
			return usagef("--max-age: %w", err)
		}
	}
	for _, predicate := range f.attestations {
		a := trust.Attestation{Predicate: predicate, Signer: p.Signers[0], MaxAge: age}
		if predicate == trust.PredicateProvenance || strings.Contains(predicate, "/provenance/") {
			a.Builder = f.builder
		}
		p.Attestations = append(p.Attestations, a)
	}
	return nil
}

// signers are those of the flags: keys, an identity, certificates. All that are given must have signed.
func (f *verifyFlags) signers() ([]trust.Signer, error) {
	var all []trust.Signer
	root, err := readText(f.root)
	if err != nil {
		return nil, inputError("reading the trusted root", err)
	}
	if len(f.keys) > 0 {
		keys, err := readTexts(f.keys)
		if err != nil {
			return nil, inputError("reading the key", err)
		}
		all = append(all, trust.Signer{Name: strings.Join(f.keys, " or "), Keys: keys, Root: root})
	}
	k, err := f.keyless(root)
	if err != nil {
		return nil, err
	}
	if k != nil {
		all = append(all, trust.Signer{Name: k.Identity, Keyless: k})
	}
	if len(f.notationCerts)+len(f.notationIdentities) > 0 {
		n, err := f.notation()
		if err != nil {
			return nil, inputError("reading the certificates", err)
		}
		all = append(all, trust.Signer{Name: strings.Join(f.notationCerts, " or "), Notation: n})
	}
	return all, nil
}

func (f *verifyFlags) notation() (*trust.Notation, error) {
	certs, err := readTexts(f.notationCerts)
	if err != nil {
		return nil, err
	}
	stamps, err := readTexts(f.notationStamps)
	return &trust.Notation{Certificates: certs, Identities: f.notationIdentities, Timestamps: stamps}, err
}

func (f *verifyFlags) keyless(root string) (*trust.Keyless, error) {
	k := &trust.Keyless{Identity: f.identity, Issuer: f.issuer, Root: root}
	for _, x := range []struct {
		exact      *string
		expression string
		flag       string
	}{{&k.Identity, f.identityRegexp, "certificate-identity"}, {&k.Issuer, f.issuerRegexp, "certificate-oidc-issuer"}} {
		if *x.exact != "" && x.expression != "" {
			return nil, usagef("give --%s or --%s-regexp, not both", x.flag, x.flag)
		}
		if x.expression != "" {
			*x.exact = "/" + x.expression + "/"
		}
	}
	switch {
	case k.Identity == "" && k.Issuer == "" && (root == "" || len(f.keys) > 0):
		return nil, nil
	case k.Identity == "" || k.Issuer == "" || root == "":
		return nil, usagef("--certificate-identity, --certificate-oidc-issuer and --trusted-root go together")
	}
	return k, nil
}

func readText(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	b, err := readBounded(name, 1<<20)
	return string(b), err
}

func readTexts(names []string) ([]string, error) {
	var all []string
	for _, name := range names {
		text, err := readText(name)
		if err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, nil
}

// readPolicyFile reads a policy. Keys, certificates and roots in it may be names of files, relative to it.
func readPolicyFile(name string) (trust.Policy, error) {
	raw, err := readBounded(name, 4<<20)
	if err != nil {
		return trust.Policy{}, inputError("reading the trust policy", err)
	}
	p, err := trust.DecodePolicy(raw)
	if err != nil {
		return p, inputError(name, err)
	}
	if err := inlineFiles(&p, filepath.Dir(name)); err != nil {
		return p, inputError(name, err)
	}
	if len(p.Signers)+len(p.Attestations) == 0 {
		return p, usagef("%s demands nothing: give signers or attestations", name)
	}
	return p, nil
}

func inlineFiles(p *trust.Policy, dir string) error {
	for i := range p.Signers {
		if err := inlineSigner(&p.Signers[i], dir); err != nil {
			return err
		}
	}
	for i := range p.Attestations {
		if err := inlineSigner(&p.Attestations[i].Signer, dir); err != nil {
			return err
		}
	}
	return nil
}

func inlineSigner(s *trust.Signer, dir string) error {
	texts := []*string{&s.Root}
	add := func(list []string) {
		for i := range list {
			texts = append(texts, &list[i])
		}
	}
	add(s.Keys)
	if s.Keyless != nil {
		texts = append(texts, &s.Keyless.Root)
	}
	if s.Notation != nil {
		add(s.Notation.Certificates)
		add(s.Notation.Timestamps)
	}
	for _, text := range texts {
		if *text == "" || strings.Contains(*text, "-----BEGIN") || strings.HasPrefix(strings.TrimSpace(*text), "{") {
			continue
		}
		name := *text
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		var err error
		if *text, err = readText(name); err != nil {
			return err
		}
	}
	return nil
}

func (f *verifyFlags) print(t terminal, rep *trust.Report) error {
	if f.output == "json" {
		e := json.NewEncoder(t.out)
		e.SetIndent("", "  ")
		return e.Encode(rep)
	}
	return printTrust(t.out, rep)
}

func printTrust(w io.Writer, rep *trust.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s@%s\n\n", rep.Subject.Repository, rep.Subject.Digest)
	for _, q := range rep.Requirements {
		fmt.Fprintf(&b, "%-9s %s %s: %s\n", mark(q.Met, "met", "NOT MET"), q.Kind, q.Name, q.Reason)
	}
	fmt.Fprintf(&b, "\nFound %d:\n", len(rep.Signatures))
	for i := range rep.Signatures {
		printSignature(&b, &rep.Signatures[i])
	}
	for _, n := range rep.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func printSignature(w io.Writer, s *trust.Signature) {
	what := string(s.Kind)
	if s.Predicate != "" {
		what = s.Predicate
	}
	notAsked := len(s.Problems) == 1 && s.Problems[0].Code == trust.NotAsked
	fmt.Fprintf(w, "%-9s %-13s %s by %s\n", mark(s.Verified, "verified", mark(notAsked, "not asked", "refused")), s.Form, what, s.Who())
	if s.Verified || notAsked {
		return
	}
	for _, p := range s.Problems {
		fmt.Fprintf(w, "%10s%s: %s\n", "", p.Code, p.Text)
	}
}

func mark(ok bool, yes, no string) string {
	if ok {
		return yes
	}
	return no
}
