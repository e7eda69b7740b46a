package api

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed openapi.yaml
var openapi []byte

// Document returns the OpenAPI document of the interface as JSON.
var Document = sync.OnceValues(func() ([]byte, error) {
	var v any
	if err := yaml.Unmarshal(openapi, &v); err != nil {
		return nil, fmt.Errorf("reading openapi.yaml: %w", err)
	}
	return json.Marshal(v)
})

func (s *Server) documentRoutes() []route {
	return []route{{method: "GET", path: "/openapi.json", need: need{where: open}, handle: (*call).document}}
}

func (c *call) document() (reply, error) {
	b, err := Document()
	if err != nil {
		return nil, err
	}
	return tagged(json.RawMessage(b)), nil
}
