// Package e2e runs the built seawall executable on real images with real clients: debootstrap, skopeo, docker-registry,
// Docker, Podman, containerd. It holds tests only, behind the build tag e2e; `make e2e` runs them.
//
// It promises that a test which lacks a tool says which one, and that nothing outside its own temporary directories
// and its cache ($XDG_CACHE_HOME/seawall-e2e) is touched. It leaves out speed, which bench/ measures.
package e2e
