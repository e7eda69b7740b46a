package api

import (
	"net/http"

	"github.com/seawall/seawall/auth"
)

func (s *Server) sessionRoutes() []route {
	return []route{
		{method: "GET", path: "/session", need: need{where: open}, handle: (*call).session},
		{method: "POST", path: "/session", need: need{where: open}, handle: (*call).signIn},
		{method: "DELETE", path: "/session", need: need{where: pending}, handle: (*call).signOut},
		{method: "POST", path: "/session/password", need: need{where: pending}, handle: (*call).changePassword, secret: true},
		{method: "POST", path: "/session/totp", need: need{where: pending}, handle: (*call).enrolTOTP, secret: true},
		{method: "POST", path: "/session/totp/confirm", need: need{where: pending}, handle: (*call).confirmTOTP, secret: true},
		{method: "DELETE", path: "/session/totp", need: need{where: signedIn}, handle: (*call).removeTOTP},
	}
}

func (c *call) session() (reply, error) {
	return ok(c.sessionOf(c.who, c.s.Auth.CSRF(c.r))), nil
}

// sessionOf is what p is told of itself.
func (c *call) sessionOf(p auth.Principal, csrf string) Session {
	v := Session{SignedIn: p.SignedIn(), Must: p.Must, Permissions: p.Permissions(), CSRF: csrf, Providers: orEmpty(c.s.Providers)}
	if v.SignedIn {
		v.Principal = &Principal{Kind: p.Kind, ID: p.ID, Name: p.Name, Groups: p.Groups}
	}
	settings, _, err := c.loadSettings()
	c.follow(err, "reading the banner")
	v.Banner = settings.Banner
	return v
}

func (c *call) signIn() (reply, error) {
	in, err := body[SignIn](c)
	if err != nil {
		return nil, err
	}
	cookie, p, err := c.s.Auth.SignIn(c.ctx(), in.Name, in.Password, in.TOTP, c.who.Address, c.r.UserAgent())
	if err != nil {
		return nil, err
	}
	// The token against cross-site requests belongs to the session that has just begun.
	next := c.r.Clone(c.ctx())
	next.Header.Del("Cookie")
	next.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	c.publish("audit", "")
	return answer{status: http.StatusOK, body: c.sessionOf(p, c.s.Auth.CSRF(next)), cookies: []*http.Cookie{cookie}}, nil
}

func (c *call) signOut() (reply, error) {
	cookie, err := c.s.Auth.SignOut(c.ctx())
	if err != nil {
		return nil, err
	}
	return answer{status: http.StatusNoContent, cookies: []*http.Cookie{cookie}}, nil
}

func (c *call) changePassword() (reply, error) {
	in, err := body[PasswordChange](c)
	if err != nil {
		return nil, err
	}
	if err := c.s.Auth.ChangePassword(c.ctx(), in.Current, in.New); err != nil {
		return nil, err
	}
	return done(), nil
}

func (c *call) enrolTOTP() (reply, error) {
	in, err := body[Proof](c)
	if err != nil {
		return nil, err
	}
	e, err := c.s.Auth.EnrolTOTP(c.ctx(), in.Password)
	if err != nil {
		return nil, err
	}
	return ok(e), nil
}

func (c *call) confirmTOTP() (reply, error) {
	in, err := body[TOTPCode](c)
	if err != nil {
		return nil, err
	}
	codes, err := c.s.Auth.ConfirmTOTP(c.ctx(), in.Code)
	if err != nil {
		return nil, err
	}
	return ok(RecoveryCodes{orEmpty(codes)}), nil
}

func (c *call) removeTOTP() (reply, error) {
	in, err := body[TOTPRemoval](c)
	if err != nil {
		return nil, err
	}
	if err := c.s.Auth.DisableTOTP(c.ctx(), in.Password, in.Code); err != nil {
		return nil, err
	}
	return done(), nil
}
