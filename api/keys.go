package api

import (
	"context"

	"github.com/seawall/seawall/auth"
)

func (s *Server) keyRoutes() []route {
	return []route{
		{method: "GET", path: "/keys", need: on(auth.KeyRead), handle: (*call).keys},
		{method: "POST", path: "/keys/rotate", need: on(auth.KeyRotate), handle: (*call).rotateKeys},
	}
}

func (c *call) keys() (reply, error) {
	k, err := c.s.Actions.KeyStatus(c.ctx())
	if err != nil {
		return nil, err
	}
	k.Items = orEmpty(k.Items)
	return ok(k), nil
}

func (c *call) rotateKeys() (reply, error) {
	in, err := optionalBody[KeyRotation](c)
	if err != nil {
		return nil, err
	}
	var k Keys
	err = c.act(c.entry("key.rotate", "keys", "data"), func(ctx context.Context) (err error) {
		k, err = c.s.Actions.RotateKeys(ctx, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	k.Items = orEmpty(k.Items)
	c.publish("system", "")
	return ok(k), nil
}
