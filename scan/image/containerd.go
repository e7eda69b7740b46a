package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// openContainerd exports through ctr, containerd's own client: its API is a gRPC tree that weighs more than all the
// rest of this package.
func (s *Source) openContainerd(ctx context.Context, socket, image, ref string, o *Options) error {
	ctr, err := exec.LookPath("ctr")
	if err != nil {
		return errors.New("containerd images are read through ctr, which is not on PATH: install it, or write the image to a file elsewhere (ctr images export) and scan that")
	}
	full, err := containerdName(image)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, ctr, containerdArgs(socket, full, o)...)
	stderr := &tail{limit: maxEngineError}
	cmd.Stderr = stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting ctr: %w", err)
	}
	openErr := s.openExport(ctx, out, ref, o)
	cancelIf(openErr != nil, cancel)
	if err := cmd.Wait(); err != nil && stderr.Len() > 0 {
		return ctrError(stderr.String())
	}
	return openErr
}

func cancelIf(yes bool, cancel func()) {
	if yes {
		cancel()
	}
}

func containerdArgs(socket, image string, o *Options) []string {
	namespace := o.ContainerdNamespace
	if namespace == "" {
		namespace = "default"
	}
	args := []string{"--address", socket, "--namespace", namespace, "images", "export"}
	if !o.AllPlatforms {
		p := o.Platform
		if p == "" {
			p = hostPlatform().String()
		}
		args = append(args, "--platform", p)
	}
	return append(args, "-", image)
}

// containerdName spells a name as containerd stores it: with registry and tag.
func containerdName(image string) (string, error) {
	ref, err := name.ParseReference(image)
	if err != nil {
		return "", err
	}
	return strings.Replace(ref.Name(), name.DefaultRegistry+"/", "docker.io/", 1), nil
}

func ctrError(said string) error {
	said = strings.TrimSpace(said)
	if strings.Contains(said, "not found") {
		return fmt.Errorf("%w: ctr: %s", fs.ErrNotExist, said)
	}
	return fmt.Errorf("ctr: %s", said)
}

// tail keeps the last bytes that a program wrote.
type tail struct {
	bytes.Buffer
	limit int
}

func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	if len(p) > t.limit {
		p = p[len(p)-t.limit:]
	}
	if over := t.Len() + len(p) - t.limit; over > 0 {
		t.Next(over)
	}
	t.Buffer.Write(p)
	return n, nil
}
