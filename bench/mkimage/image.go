package main

import (
	"archive/tar"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	formatDocker     = "docker"
	formatOCI        = "oci"
	formatOCIArchive = "oci-archive"
)

// epoch dates everything, so that the same content gives the same digests.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

type object = map[string]any

// writeImage builds the layers beside out and puts them together in the format asked for.
func writeImage(r recipe, format, compress, out string) error {
	work, err := os.MkdirTemp(filepath.Dir(out), ".mkimage-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	blobs := filepath.Join(work, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return err
	}
	var layers []built
	for _, l := range r.layers {
		b, err := buildLayer(l, compress, blobs)
		if err != nil {
			return err
		}
		layers = append(layers, b)
	}
	config, err := writeJSON(blobs, configOf(layers))
	if err != nil {
		return err
	}
	switch format {
	case formatDocker:
		return writeDockerSave(out, config, layers)
	case formatOCI, formatOCIArchive:
		return writeLayout(work, format, compress, out, config, layers)
	}
	return fmt.Errorf("unknown format %q: want docker, oci or oci-archive", format)
}

func configOf(layers []built) object {
	var diffIDs []string
	var history []object
	for _, l := range layers {
		diffIDs = append(diffIDs, "sha256:"+l.diffID)
		history = append(history, object{"created": epoch, "created_by": l.createdBy})
	}
	return object{
		"created": epoch, "architecture": "amd64", "os": "linux",
		"config":  object{"Env": []string{"PATH=/usr/local/bin:/usr/bin:/bin"}, "Cmd": []string{"/bin/sh"}},
		"rootfs":  object{"type": "layers", "diff_ids": diffIDs},
		"history": history,
	}
}

func writeJSON(dir string, v any) (blob, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return blob{}, err
	}
	return writeBlob(dir, data)
}

// writeDockerSave writes what `docker save` wrote before it took to OCI layouts: one config, one tar per layer,
// and manifest.json that names them.
func writeDockerSave(out string, config blob, layers []built) error {
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer f.Close()
	tw := tar.NewWriter(f)
	var names []string
	for _, l := range layers {
		name := l.diffID + "/layer.tar"
		names = append(names, name)
		if err := addBlob(tw, name, l.blob); err != nil {
			return err
		}
	}
	if err := addBlob(tw, config.digest+".json", config); err != nil {
		return err
	}
	manifest, err := json.Marshal([]object{{"Config": config.digest + ".json", "RepoTags": []string{"bench:latest"}, "Layers": names}})
	if err != nil {
		return err
	}
	if err := addBytes(tw, "manifest.json", 0o644, manifest); err != nil {
		return err
	}
	if err := tw.Close(); err != nil {
		return err
	}
	return f.Close()
}

func addBlob(tw *tar.Writer, name string, b blob) error {
	f, err := os.Open(b.path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: b.size, ModTime: epoch}); err != nil {
		return err
	}
	_, err = f.WriteTo(tw)
	return err
}

func addBytes(tw *tar.Writer, name string, mode int64, data []byte) error {
	h := &tar.Header{Name: name, Mode: mode, Size: int64(len(data)), ModTime: epoch}
	if err := tw.WriteHeader(h); err != nil {
		return fmt.Errorf("adding %s: %w", name, err)
	}
	_, err := tw.Write(data)
	return err
}

// writeLayout finishes the OCI image layout in work and moves it to out, or packs it there.
func writeLayout(work, format, compress, out string, config blob, layers []built) error {
	blobs := filepath.Join(work, "blobs", "sha256")
	suffix := map[string]string{compressGzip: "+gzip", compressZstd: "+zstd"}[compress]
	var descriptors []object
	for _, l := range layers {
		descriptors = append(descriptors, descriptor("application/vnd.oci.image.layer.v1.tar"+suffix, l.blob))
	}
	manifest, err := writeJSON(blobs, object{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
		"config": descriptor("application/vnd.oci.image.config.v1+json", config), "layers": descriptors,
	})
	if err != nil {
		return err
	}
	entry := descriptor("application/vnd.oci.image.manifest.v1+json", manifest)
	entry["annotations"] = object{"org.opencontainers.image.ref.name": "latest"}
	entry["platform"] = object{"os": "linux", "architecture": "amd64"}
	for name, v := range map[string]any{
		"index.json": object{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []object{entry}},
		"oci-layout": object{"imageLayoutVersion": "1.0.0"},
	} {
		data, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(work, name), data, 0o644); err != nil {
			return err
		}
	}
	if format == formatOCI {
		return moveLayout(work, out)
	}
	return packTree(work, out)
}

func descriptor(mediaType string, b blob) object {
	return object{"mediaType": mediaType, "digest": "sha256:" + b.digest, "size": b.size}
}

// moveLayout replaces out only when it is a layout or absent: it never removes a directory of another kind.
func moveLayout(work, out string) error {
	if _, err := os.Stat(filepath.Join(out, "oci-layout")); err == nil {
		if err := os.RemoveAll(out); err != nil {
			return err
		}
	}
	if err := os.Rename(work, out); err != nil {
		return err
	}
	return os.Chmod(out, 0o755)
}

func packTree(dir, out string) error {
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer f.Close()
	tw := tar.NewWriter(f)
	if err := addTree(tw, dir); err != nil {
		return err
	}
	if err := tw.Close(); err != nil {
		return err
	}
	return f.Close()
}
