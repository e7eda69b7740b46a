package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
)

// welcome makes the first user where there is none, and says how to begin.
func (h *hub) welcome(ctx context.Context) (string, error) {
	password, err := h.auth.Bootstrap(ctx)
	if err != nil {
		return "", fmt.Errorf("making the first user: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nSeawall is ready.\n\n  Console   %s\n", h.config.PublicURL)
	if password != "" {
		fmt.Fprintf(&b, "  User      admin\n  Password  %s   (for the first sign-in: you are asked for another)\n", password)
	}
	host := hostPort(h.config.PublicURL)
	fmt.Fprintf(&b, `
Sign in to the console once, then push an image:

  docker login %[1]s -u admin
  docker tag IMAGE %[1]s/team/app:1
  docker push %[1]s/team/app:1

`, host)
	return b.String(), nil
}

func hostPort(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Host
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
