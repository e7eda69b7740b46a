// Package api serves the REST interface of the hub.
package api
