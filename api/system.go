package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/seawall/seawall/auth"
	"github.com/seawall/seawall/catalog"
)

func (s *Server) systemRoutes() []route {
	return []route{
		{method: "GET", path: "/settings", need: on(auth.SystemRead), handle: (*call).settings},
		{method: "PUT", path: "/settings", need: on(auth.SystemWrite), handle: (*call).putSettings},
		{method: "GET", path: "/system", need: need{where: signedIn}, handle: (*call).system},
		{method: "GET", path: "/backup", need: on(auth.SystemWrite), handle: (*call).backup, streams: true},
	}
}

// SettingsKey is the name under which Settings are kept, as JSON.
const SettingsKey = "settings"

// loadSettings reads the settings; those that were never set are zero. raw is nil then.
func (c *call) loadSettings() (v Settings, raw []byte, err error) {
	if c.s.Settings == nil {
		return v, nil, nil
	}
	raw, err = c.s.Settings.Setting(c.ctx(), SettingsKey)
	if errors.Is(err, catalog.ErrNotFound) {
		return v, nil, nil
	}
	if err != nil {
		return v, nil, fmt.Errorf("reading settings: %w", err)
	}
	v, err = ReadSettings(raw)
	return v, raw, err
}

// ReadSettings reads what the store keeps under SettingsKey; nothing gives zero Settings.
func ReadSettings(raw []byte) (v Settings, err error) {
	if len(raw) == 0 {
		return v, nil
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, fmt.Errorf("reading settings: %w", err)
	}
	return v, nil
}

func (c *call) settings() (reply, error) {
	v, _, err := c.loadSettings()
	if err != nil {
		return nil, err
	}
	return tagged(v), nil
}

func (c *call) putSettings() (reply, error) {
	in, err := body[Settings](c)
	if err != nil {
		return nil, err
	}
	if c.s.Settings == nil {
		return nil, fmt.Errorf("settings: %w", ErrUnavailable)
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	defer c.s.edits.take("settings")()
	old, _, err := c.loadSettings()
	if err != nil {
		return nil, err
	}
	if err := c.matches(old, true); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	e := c.entry("settings.update", "settings", "hub")
	e.Detail = map[string]string{"settings": cut(string(raw), 2000)}
	if err := c.s.Settings.PutSetting(c.ctx(), SettingsKey, raw, e); err != nil {
		return nil, err
	}
	c.publish("system", "")
	return tagged(in), nil
}

func (in *Settings) check() error {
	var k check
	k.text(in.Banner, "banner", false, 1000)
	for field, d := range map[string]catalog.Duration{"reportEvery": in.ReportEvery, "databaseEvery": in.DatabaseEvery} {
		k.that(d == 0 || time.Duration(d) >= 10*time.Minute, field, "must be 0 or at least 10m")
	}
	return k.done()
}

func (c *call) system() (reply, error) {
	v, err := c.s.Actions.System(c.ctx())
	if err != nil {
		return nil, err
	}
	v.Sources = orEmpty(v.Sources)
	if v.Dropped == nil {
		v.Dropped = map[string]int64{}
	}
	v.Dropped["events"] = c.s.Events.Dropped()
	if !c.who.May(auth.SystemRead, auth.Everything) {
		v = System{Version: v.Version, Address: v.Address, Sources: v.Sources, Dropped: map[string]int64{}}
	}
	return ok(v), nil
}

// backup needs the right to the keys as well: whoever has the file has what the hub signs with, and all that is stored of
// users.
func (c *call) backup() (reply, error) {
	if err := c.refuse(c.who.May(auth.KeyRotate, auth.Everything), auth.KeyRotate, "everything"); err != nil {
		return nil, err
	}
	name := "seawall-" + c.now.Format("20060102T150405Z") + ".backup"
	return stream{"application/octet-stream", name, func(w io.Writer) error {
		return c.act(c.entry("backup.make", "state", "backup"), func(ctx context.Context) error {
			return c.s.Actions.Backup(ctx, w)
		})
	}}, nil
}
