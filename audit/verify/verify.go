// Package verify checks an exported audit log offline.
package verify
