package api

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seawall/seawall/auth"
)

// Topics are what Broker.Publish speaks of, each with the action that lets a caller hear it: of images and findings on
// the repository that the key names, "" for everybody who is signed in.
var Topics = map[string]auth.Action{
	"images":     auth.ImageList,
	"findings":   auth.ImageList,
	"exceptions": auth.ImageList,
	"rules":      auth.RuleRead,
	"jobs":       auth.JobRead,
	"audit":      auth.AuditRead,
	"users":      auth.UserRead,
	"notify":     auth.NotifyRead,
	"database":   "",
	"system":     "",
}

func (s *Server) eventRoutes() []route {
	return []route{{method: "GET", path: "/events", need: need{where: signedIn}, handle: (*call).events, streams: true}}
}

func (c *call) events() (reply, error) {
	q := c.query()
	topics := q.text("topics")
	if err := q.err(); err != nil {
		return nil, err
	}
	var wanted []string
	if topics != "" {
		wanted = strings.Split(topics, ",")
	}
	for _, t := range wanted {
		if _, known := Topics[t]; !known {
			return nil, bad("topics", fmt.Sprintf("there is no topic %q", cut(t, 40)))
		}
	}
	wants := func(e event) bool {
		return (wanted == nil || slices.Contains(wanted, e.topic)) && c.hears(e)
	}
	l, gone := c.s.Events.listen(cut(c.r.Header.Get("Last-Event-ID"), 64), wants)
	if l == nil {
		return nil, fmt.Errorf("too many listeners: %w", ErrUnavailable)
	}
	return feed{l, gone}, nil
}

// hears reports whether the caller may know of an event.
func (c *call) hears(e event) bool {
	action, known := Topics[e.topic]
	switch repository, _, _ := strings.Cut(e.key, "@"); {
	case !known:
		return false
	case action == "":
		return true
	case e.topic != "images" && e.topic != "findings" || repository == "":
		return c.who.MayAny(action)
	default:
		return c.sees(repository)
	}
}

// feed answers with events until the client goes or the connection has lived long enough.
type feed struct {
	client *client
	gone   bool
}

func (f feed) write(c *call) {
	b := c.s.Events
	defer b.leave(f.client)
	h := c.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // proxies must not gather events
	if c.r.Method == http.MethodHead {
		return
	}
	out := http.NewResponseController(c.w)
	out.SetWriteDeadline(time.Now().Add(writeWait)) // not every connection has one; the server's then stays
	fmt.Fprintf(c.w, "retry: 2000\nid: %s\n: begin\n\n", b.now())
	if f.gone {
		resync(c.w, 0)
	}
	if out.Flush() == nil {
		f.run(c, out)
	}
}

func (f feed) run(c *call, out *http.ResponseController) {
	b := c.s.Events
	beat := time.NewTicker(b.config.Heartbeat)
	defer beat.Stop()
	end := time.NewTimer(b.config.Lifetime)
	defer end.Stop()
	for {
		var err error
		select {
		case <-c.ctx().Done():
			return
		case <-end.C:
			return
		case e := <-f.client.events:
			out.SetWriteDeadline(time.Now().Add(writeWait))
			err = writeEvent(c.w, b.id(e), e)
		case <-beat.C:
			out.SetWriteDeadline(time.Now().Add(writeWait))
			_, err = io.WriteString(c.w, ": still here\n\n")
		}
		if n := f.client.missed.Swap(0); n > 0 && err == nil {
			err = resync(c.w, n)
		}
		if err != nil || out.Flush() != nil {
			return
		}
	}
}

// writeEvent writes one event. Topic and id hold no line breaks; JSON escapes those of the key.
func writeEvent(w io.Writer, id string, e event) error {
	data, err := json.Marshal(Event{e.topic, e.key})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "id: %s\nevent: %s\ndata: %s\n\n", id, e.topic, data)
	return err
}

// resync tells a listener that it missed n events (0: unknown how many) and must read everything anew.
func resync(w io.Writer, n int64) error {
	_, err := fmt.Fprintf(w, "event: resync\ndata: {\"missed\":%d}\n\n", n)
	return err
}
