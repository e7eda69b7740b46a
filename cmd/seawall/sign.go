package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/seawall/seawall/scan/image"
	"github.com/seawall/seawall/trust"
	"github.com/seawall/seawall/trust/remote"
)

// registryFlags say how to reach the registry that an image and its signatures are in.
type registryFlags struct {
	image   image.Options
	timeout time.Duration
	output  string
}

func (f *registryFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.BoolVar(&f.image.Insecure, "insecure", false, "allow plain HTTP and unverified certificates for registries")
	fs.StringVar(&f.image.CAFile, "ca-cert", "", "PEM `FILE` of certificates to trust for registries")
	fs.DurationVar(&f.timeout, "timeout", 2*time.Minute, "give up after this `TIME`")
	fs.StringVarP(&f.output, "output", "o", "text", "text or json")
}

func (f *registryFlags) check() error {
	switch {
	case f.output != "text" && f.output != "json":
		return usagef("unknown output %q: want text or json", f.output)
	case f.timeout <= 0:
		return usagef("--timeout %s: want a time above 0, as in 5m", f.timeout)
	}
	return nil
}

// open finds the image. The caller calls cancel.
func (f *registryFlags) open(ctx context.Context, ref string) (context.Context, context.CancelFunc, *remote.Client, trust.Subject, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, f.timeout, fmt.Errorf("gave up after %s (--timeout)", f.timeout))
	rt, err := image.RegistryTransport(&f.image)
	if err != nil {
		return ctx, cancel, nil, trust.Subject{}, usagef("%w", err)
	}
	client, err := remote.New(remote.Config{Transport: rt, Insecure: f.image.Insecure})
	if err != nil {
		return ctx, cancel, nil, trust.Subject{}, usagef("%w", err)
	}
	s, err := client.Resolve(ctx, ref)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return ctx, cancel, nil, s, inputError("opening the image", err)
	}
	return ctx, cancel, client, s, nil
}

// signFlags say what to sign with, and in which form.
type signFlags struct {
	registryFlags
	key, cert, form, predicate, predicateType, passwordFile string
	annotations                                             map[string]string
	cose, recursive                                         bool
	expires                                                 time.Duration
}

const signLong = `Sign attaches a signature, or with --attest a signed statement, to an image in its registry. Cosign verifies the forms
bundle and legacy, Notation the form notation.

The key file is one of Cosign's or of ` + "`seawall sign keygen`" + `, or a plain PEM key. Its password comes from --password-file,
SEAWALL_KEY_PASSWORD or COSIGN_PASSWORD, or is asked for.

` + exitCodes

func newSign(t terminal) *cobra.Command {
	var f signFlags
	cmd := &cobra.Command{
		Use: "sign IMAGE", Short: "Sign an image, or attest something about it", Long: signLong,
		Example: `  seawall sign keygen release
  seawall sign registry.example/team/app:1.2 --key release.key
  seawall sign registry.example/team/app:1.2 --key release.key --attest sbom.cdx.json --type cyclonedx
  seawall sign registry.example/team/app:1.2 --key app.key --form notation --cert app-chain.pem`,
		Args: oneImage,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), t, args[0]) },
	}
	f.register(cmd)
	fs := cmd.Flags()
	fs.StringVar(&f.key, "key", "", "private key `FILE`")
	fs.StringVar(&f.cert, "cert", "", "PEM `FILE` of the certificate chain, for --form notation")
	fs.StringVar(&f.form, "form", "bundle", "`FORM` of the signature: bundle, legacy, notation")
	fs.StringVar(&f.predicate, "attest", "", "attest the JSON in this `FILE` instead of signing")
	fs.StringVar(&f.predicateType, "type", "", "`TYPE` of what is attested: a URI, or cyclonedx, spdxjson, slsaprovenance1, vuln, …")
	fs.StringToStringVarP(&f.annotations, "annotation", "a", nil, "`NAME=VALUE` to put into a legacy signature")
	fs.BoolVar(&f.cose, "cose", false, "with --form notation, a COSE envelope instead of JWS")
	fs.DurationVar(&f.expires, "expires", 0, "with --form notation, let the signature expire after this `TIME`")
	fs.BoolVarP(&f.recursive, "recursive", "r", false, "sign the images of an index too")
	fs.StringVar(&f.passwordFile, "password-file", "", "`FILE` with the key's password")
	cmd.AddCommand(newSignKeygen(t))
	return cmd
}

func (f *signFlags) check() error {
	if err := f.registryFlags.check(); err != nil {
		return err
	}
	forms := map[string]bool{"bundle": true, "legacy": true, "notation": true}
	switch {
	case f.key == "":
		return usagef("--key FILE is missing: `seawall sign keygen NAME` makes one")
	case !forms[f.form]:
		return usagef("unknown --form %q: want bundle, legacy or notation", f.form)
	case (f.form == "notation") != (f.cert != ""):
		return usagef("--form notation and --cert FILE go together")
	case f.form == "notation" && f.predicate != "":
		return usagef("--form notation knows no attestations: use bundle or legacy")
	case f.form != "notation" && (f.cose || f.expires != 0):
		return usagef("--cose and --expires go with --form notation")
	case f.expires < 0:
		return usagef("--expires %s: want a time above 0", f.expires)
	case (f.predicate == "") != (f.predicateType == ""):
		return usagef("--attest FILE and --type TYPE go together")
	case len(f.annotations) > 0 && (f.form != "legacy" || f.predicate != ""):
		return usagef("--annotation goes with --form legacy, without --attest")
	}
	return nil
}

// signed is what was attached.
type signed struct {
	Image    string `json:"image"`
	Manifest string `json:"manifest"`
	KeyID    string `json:"keyId"`
}

func (f *signFlags) run(ctx context.Context, t terminal, ref string) error {
	if err := f.check(); err != nil {
		return err
	}
	sign, id, err := f.prepare(t)
	if err != nil {
		return err
	}
	ctx, cancel, client, s, err := f.open(ctx, ref)
	defer cancel()
	if err != nil {
		return err
	}
	digests := []string{s.Digest}
	if f.recursive {
		images, err := client.Images(ctx, s.Repository, s.Digest)
		if err != nil {
			return inputError("opening the image", err)
		}
		digests = append(digests, images...)
	}
	done := []signed{}
	for _, d := range digests {
		s.Digest = d
		manifest, err := sign(ctx, client, s)
		if err != nil {
			return inputError("signing "+ref, err)
		}
		done = append(done, signed{Image: s.Repository + "@" + d, Manifest: manifest, KeyID: id})
	}
	if f.output == "json" {
		return json.NewEncoder(t.out).Encode(done)
	}
	for _, d := range done {
		fmt.Fprintf(t.out, "%s\n  signed with key %.16s, kept in %s\n", d.Image, d.KeyID, d.Manifest)
	}
	return nil
}

// signer attaches one signature and returns the digest of its manifest.
type signer func(ctx context.Context, to trust.Sink, s trust.Subject) (string, error)

// prepare reads every file before anything is asked of a registry.
func (f *signFlags) prepare(t terminal) (signer, string, error) {
	raw, err := readBounded(f.key, 1<<20)
	if err != nil {
		return nil, "", inputError("reading the signing key", err)
	}
	password, err := f.password(t, raw)
	if err != nil {
		return nil, "", inputError("reading the password", err)
	}
	private, err := trust.ParsePrivateKey(raw, password)
	if err != nil {
		return nil, "", inputError(f.key, err)
	}
	key, err := trust.NewKey(private)
	if err != nil {
		return nil, "", inputError(f.key, err)
	}
	now := time.Now()
	if f.form == "notation" {
		chain, err := readBounded(f.cert, 1<<20)
		if err != nil {
			return nil, "", inputError("reading the certificates", err)
		}
		o := trust.NotationOptions{COSE: f.cose, Now: now}
		if f.expires > 0 {
			o.Expires = now.Add(f.expires)
		}
		return func(ctx context.Context, to trust.Sink, s trust.Subject) (string, error) {
			return trust.SignNotation(ctx, to, s, private, chain, o)
		}, key.ID(), nil
	}
	sign, err := f.cosign(key, now)
	return sign, key.ID(), err
}

func (f *signFlags) cosign(key *trust.Key, now time.Time) (signer, error) {
	o := trust.Options{Form: trust.FormBundle, Annotations: f.annotations, Now: now}
	if f.form == "legacy" {
		o.Form = trust.FormLegacy
	}
	if f.predicate == "" {
		return func(ctx context.Context, to trust.Sink, s trust.Subject) (string, error) {
			return key.Sign(ctx, to, s, o)
		}, nil
	}
	kind, err := trust.PredicateType(f.predicateType)
	if err != nil {
		return nil, usagef("%w", err)
	}
	predicate, err := readBounded(f.predicate, 32<<20)
	if err != nil {
		return nil, inputError("reading the predicate", err)
	}
	return func(ctx context.Context, to trust.Sink, s trust.Subject) (string, error) {
		return key.Attest(ctx, to, s, kind, predicate, o)
	}, nil
}

// password finds the password of an encrypted key. Nothing is asked for a plain one.
func (f *signFlags) password(t terminal, key []byte) ([]byte, error) {
	if !trust.Encrypted(key) {
		return nil, nil
	}
	return readPassword(t, f.passwordFile, "Password of "+f.key+": ")
}

// readPassword looks in a file, in the environment, and then asks, if somebody is there.
func readPassword(t terminal, file, prompt string) ([]byte, error) {
	if file != "" {
		b, err := readBounded(file, 1<<12)
		return bytes.TrimRight(b, "\r\n"), err
	}
	for _, name := range []string{"SEAWALL_KEY_PASSWORD", "COSIGN_PASSWORD"} {
		if v, ok := t.env(name); ok {
			return []byte(v), nil
		}
	}
	in, ok := t.in.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return nil, errors.New("nobody can be asked: give --password-file, or SEAWALL_KEY_PASSWORD in the environment")
	}
	fmt.Fprint(t.err, prompt)
	b, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(t.err)
	return b, err
}

func newSignKeygen(t terminal) *cobra.Command {
	var out, algorithm, passwordFile, output string
	cmd := &cobra.Command{
		Use: "keygen NAME", Short: "Make a key pair for signing images", Args: cobra.ExactArgs(1),
		Long: `Keygen writes NAME.key, sealed by a password in Cosign's form, and NAME.pub. The password comes from --password-file,
SEAWALL_KEY_PASSWORD or COSIGN_PASSWORD, or is asked for.`,
		Example: "  seawall sign keygen release   # writes release.key and release.pub",
		RunE: func(_ *cobra.Command, args []string) error {
			if out == "" {
				out = args[0]
			}
			if output != "text" && output != "json" {
				return usagef("unknown output %q: want text or json", output)
			}
			if err := keygen(t, out, trust.Algorithm(algorithm), passwordFile); err != nil {
				return exitError{code: exitUsage, err: err}
			}
			if output == "json" {
				return json.NewEncoder(t.out).Encode(map[string]string{"private": out + ".key", "public": out + ".pub"})
			}
			_, err := fmt.Fprintf(t.out, "wrote %s.key (keep it secret) and %s.pub\n", out, out)
			return err
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&out, "out", "", "write to `PREFIX`.key and PREFIX.pub (default: NAME)")
	fs.StringVar(&algorithm, "algorithm", string(trust.ECDSA), "`KIND` of key: ecdsa, ecdsa-p384, ed25519, rsa")
	fs.StringVar(&passwordFile, "password-file", "", "`FILE` with the password")
	fs.StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

func keygen(t terminal, out string, a trust.Algorithm, passwordFile string) error {
	key, err := trust.GenerateKey(a)
	if err != nil {
		return err
	}
	password, err := readPassword(t, passwordFile, "Password for the new key: ")
	if err != nil {
		return fmt.Errorf("reading the password: %w", err)
	}
	private, err := trust.MarshalPrivateKey(key, password)
	if err != nil {
		return err
	}
	public, err := trust.MarshalPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := writeNew(out+".key", strings.TrimSpace(string(private)), 0o600); err != nil {
		return err
	}
	return writeNew(out+".pub", strings.TrimSpace(string(public)), 0o644)
}
