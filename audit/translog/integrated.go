package translog

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// integrated returns how many leaves are in the tree, which may be more than the newest checkpoint covers.
func integrated(dir string) (int64, error) {
	b, err := os.ReadFile(filepath.Join(dir, ".state", "treeState"))
	if err != nil {
		return 0, fmt.Errorf("reading the size of the audit log: %w", err)
	}
	var state struct {
		Size int64 `json:"size"`
	}
	if err := json.Unmarshal(b, &state); err != nil || state.Size < 0 {
		return 0, fmt.Errorf("%w: the size of the tree is malformed", ErrDamaged)
	}
	return state.Size, nil
}
