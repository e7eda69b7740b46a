package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/seawall/seawall/api/client"
)

const loginLong = `Login signs in to a hub with name and password, has it make a token for this machine and keeps that token, readable by you
alone, in ~/.config/seawall/hub.json. The password is not kept. Programs need no login: set SEAWALL_HUB and SEAWALL_TOKEN.`

// loginFlags are those of login.
type loginFlags struct {
	user, ca string
	stdin    bool
	days     int
}

func newLogin(t terminal) *cobra.Command {
	f := &loginFlags{}
	cmd := &cobra.Command{
		Use: "login URL", Short: "Sign in to a hub", Long: loginLong, Args: cobra.ExactArgs(1),
		Example: "  seawall login https://seawall.example:8443 --user alice\n  echo \"$PASSWORD\" | seawall login http://127.0.0.1:8443 --user admin --password-stdin",
		RunE: func(cmd *cobra.Command, args []string) error {
			return hubError(f.run(cmd.Context(), t, normalURL(args[0])))
		},
	}
	fs := cmd.Flags()
	fs.StringVarP(&f.user, "user", "u", "", "`NAME` to sign in as")
	fs.BoolVar(&f.stdin, "password-stdin", false, "read the password from standard input")
	fs.StringVar(&f.ca, "ca-cert", "", "PEM `FILE` of certificates to trust for the hub")
	fs.IntVar(&f.days, "days", 30, "the token expires after so many days")
	return cmd
}

func (f *loginFlags) run(ctx context.Context, t terminal, url string) error {
	keep := signedIn{URL: url, Name: f.user}
	if f.user == "" {
		return usagef("as whom? give --user NAME")
	}
	if f.ca != "" {
		b, err := readBounded(f.ca, 1<<20)
		if err != nil {
			return fmt.Errorf("reading the CA file: %w", err)
		}
		keep.CA = string(b)
	}
	password, err := f.password(t)
	if err != nil {
		return err
	}
	c, err := client.New(client.Config{URL: url, CA: []byte(keep.CA), Agent: "seawall/" + version})
	if err != nil {
		return err
	}
	token, err := f.trade(ctx, t, c, password, &keep)
	if err != nil {
		return err
	}
	if err := keep.save(t); err != nil {
		return fmt.Errorf("keeping the sign-in: %w", err)
	}
	_, err = fmt.Fprintf(t.out, "signed in to %s as %s until %s\n", url, f.user, token.Expires.Local().Format("2006-01-02"))
	return err
}

// trade gets a token for the password, with a one-time code where the hub asks for one.
func (f *loginFlags) trade(ctx context.Context, t terminal, c *client.Client, password string, keep *signedIn) (client.Token, error) {
	host, _ := os.Hostname()
	expires := time.Now().AddDate(0, 0, f.days)
	token, secret, err := c.SignIn(ctx, f.user, password, "", "seawall on "+host, expires)
	var answer *client.Error
	if errors.As(err, &answer) && answer.Type == "totp-required" {
		code, err := ask(t, "One-time code: ", false)
		if err != nil {
			return token, err
		}
		if token, secret, err = c.SignIn(ctx, f.user, password, code, "seawall on "+host, expires); err != nil {
			return token, err
		}
	} else if err != nil {
		return token, err
	}
	keep.Token, keep.ID = secret, token.ID
	return token, nil
}

func (f *loginFlags) password(t terminal) (string, error) {
	if f.stdin {
		b, err := io.ReadAll(io.LimitReader(t.in, 4<<10))
		return strings.TrimRight(string(b), "\r\n"), err
	}
	return ask(t, "Password: ", true)
}

// ask asks the person at the terminal.
func ask(t terminal, prompt string, hidden bool) (string, error) {
	in, ok := t.in.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", usagef("nobody to ask for the %s: standard input is no terminal", strings.ToLower(strings.TrimRight(prompt, ": ")))
	}
	fmt.Fprint(t.err, prompt)
	if hidden {
		b, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(t.err)
		return string(b), err
	}
	line, err := bufio.NewReader(in).ReadString('\n')
	return strings.TrimSpace(line), err
}

func newLogout(t terminal) *cobra.Command {
	return &cobra.Command{
		Use: "logout", Short: "Sign out of the hub and forget the token", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return hubError(logout(cmd.Context(), t)) },
	}
}

// logout forgets the token here whatever the hub says to it.
func logout(ctx context.Context, t terminal) error {
	kept, err := readSignIn(t)
	if err != nil {
		return err
	}
	if kept.Token == "" {
		_, err := fmt.Fprintln(t.out, "not signed in")
		return err
	}
	c, err := client.New(client.Config{URL: kept.URL, Token: kept.Token, CA: []byte(kept.CA)})
	if err == nil {
		err = c.Revoke(ctx, kept.ID)
	}
	if rm := os.Remove(signInFile(t)); rm != nil {
		return rm
	}
	if err != nil {
		return fmt.Errorf("the token is forgotten here, but the hub did not revoke it: %w", err)
	}
	_, err = fmt.Fprintf(t.out, "signed out of %s\n", kept.URL)
	return err
}
