// Package e2e runs the built executables on real images with real clients: debootstrap, skopeo, docker-registry, Docker,
// Podman, Buildah, containerd, crane, cosign, Chromium. It holds tests only, behind the build tag e2e; `make e2e` runs
// them. Those of the hub begin with TestHub and kill it 20 times, or as often as $SEAWALL_E2E_KILLS says.
//
// It promises that a test which lacks a tool says which one, and that nothing outside its own temporary directories
// and its cache ($XDG_CACHE_HOME/seawall-e2e) is touched. It leaves out speed, which bench/ measures.
package e2e
