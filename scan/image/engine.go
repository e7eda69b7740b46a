package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// engines lists those that a bare name is looked for in: the wanted one, or all whose socket is there.
func (o *Options) engines() []Engine {
	switch o.Engine {
	case EngineNone:
		return nil
	case EngineAuto, "":
	default:
		return []Engine{o.Engine}
	}
	var there []Engine
	for _, e := range []Engine{EngineDocker, EnginePodman, EngineContainerd} {
		if _, err := o.socket(e); err == nil {
			there = append(there, e)
		}
	}
	return there
}

// socket finds the engine's unix socket: the one that the options give, else where engines put them, the user's own
// first.
func (o *Options) socket(e Engine) (string, error) {
	places := map[Engine][]string{
		EngineDocker:     {fmt.Sprintf("/run/user/%d/docker.sock", os.Getuid()), "/var/run/docker.sock"},
		EnginePodman:     {fmt.Sprintf("/run/user/%d/podman/podman.sock", os.Getuid()), "/run/podman/podman.sock"},
		EngineContainerd: {"/run/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock"},
	}[e]
	if o.EngineSocket != "" && (o.Engine == e || e == EngineDocker && (o.Engine == "" || o.Engine == EngineAuto)) {
		path, found := strings.CutPrefix(o.EngineSocket, "unix://")
		if !found && strings.Contains(path, "://") {
			return "", fmt.Errorf("engine address %s: only unix sockets are supported; save the image to a file there", o.EngineSocket)
		}
		places = []string{path}
	}
	for _, p := range places {
		if st, err := os.Stat(p); err == nil && st.Mode()&fs.ModeSocket != 0 {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s is not running here: no socket at %s", e, strings.Join(places, " or "))
}

// openEngine spools an engine's image and opens the archive.
func (s *Source) openEngine(ctx context.Context, e Engine, image, ref string, o *Options) error {
	if !isEngineName(image) {
		return fmt.Errorf("image name %.200q: want a name like alpine:3.20, or an id", image)
	}
	socket, err := o.socket(e)
	if err != nil {
		return err
	}
	if e == EngineContainerd {
		return s.openContainerd(ctx, socket, image, ref, o)
	}
	api := newEngineAPI(socket)
	defer api.close()
	seen, err := api.inspect(ctx, image)
	if err != nil {
		return err
	}
	body, err := api.get(ctx, "/images/"+image+"/get")
	if err != nil {
		return err
	}
	defer body.Close()
	if err := s.openExport(ctx, body, ref, o); err != nil {
		return err
	}
	seen.describe(s.Images)
	return nil
}

// isEngineName keeps what is no name or id of an image out of paths and command lines.
func isEngineName(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("._-/:@", c) {
			return false
		}
	}
	return s != "" && s[0] != '-' && s[0] != '/' && !strings.Contains(s, "..")
}

// openExport spools what an engine writes.
func (s *Source) openExport(ctx context.Context, body io.Reader, ref string, o *Options) error {
	f, size, err := spool(ctx, body, o.tempDir(), &o.Limits)
	if err != nil {
		return fmt.Errorf("exporting the image: %w", err)
	}
	s.onClose(f.Close)
	if err := s.openTar(ctx, f, "", size, ref, o); err != nil {
		return fmt.Errorf("the engine's export: %w", err)
	}
	s.Kind = KindEngine
	return nil
}

// engineAPI speaks to Docker, or to Podman's service that is compatible with it.
// Source: Docker Engine API 1.41, Image: /images/{name}/json and /images/{name}/get.
type engineAPI struct {
	client http.Client
}

func newEngineAPI(socket string) *engineAPI {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", socket)
	}
	// The engine may take minutes before the first byte of an export.
	rt := &http.Transport{DialContext: dial, ResponseHeaderTimeout: 10 * time.Minute, DisableCompression: true}
	return &engineAPI{http.Client{Transport: rt}}
}

func (a *engineAPI) close() { a.client.CloseIdleConnections() }

// maxEngineError bounds what is read of an engine's error message.
const maxEngineError = 4096

// get asks without a version in the path: the engine then answers by its own.
func (a *engineAPI) get(ctx context.Context, path string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine"+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	var failure struct {
		Message string `json:"message"`
	}
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, maxEngineError))
	if json.Unmarshal(raw, &failure) != nil || failure.Message == "" {
		failure.Message = resp.Status
	}
	if resp.StatusCode == http.StatusNotFound {
		return nil, fmt.Errorf("%w: %s", fs.ErrNotExist, failure.Message)
	}
	return nil, errors.New(failure.Message)
}

// engineImage is what an engine knows beyond the archive.
type engineImage struct {
	ID          string   `json:"Id"`
	RepoTags    []string `json:"RepoTags"`
	RepoDigests []string `json:"RepoDigests"`
}

func (a *engineAPI) inspect(ctx context.Context, image string) (*engineImage, error) {
	body, err := a.get(ctx, "/images/"+image+"/json")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var seen engineImage
	if err := json.NewDecoder(io.LimitReader(body, defaultLimits.MaxMetadata)).Decode(&seen); err != nil {
		return nil, fmt.Errorf("reading the engine's answer: %w", err)
	}
	return &seen, nil
}

// describe adds the engine's names and the digests under which the image was pulled.
func (e *engineImage) describe(images []*Image) {
	if len(images) != 1 {
		return
	}
	img := images[0]
	img.Tags = slices.Compact(slices.Sorted(slices.Values(append(img.Tags, e.RepoTags...))))
	ids := []string{e.ID}
	for _, d := range e.RepoDigests {
		_, digest, _ := strings.Cut(d, "@")
		ids = append(ids, digest)
	}
	for _, id := range ids {
		if checkDigest(id) == nil && id != img.ID && !slices.Contains(img.Aliases, id) {
			img.Aliases = append(img.Aliases, id)
		}
	}
}
