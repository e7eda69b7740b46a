package check

import (
	"cmp"
	"fmt"
	"time"

	"github.com/seawall/seawall/scan/inventory/distro"
)

// reproducible is a day before which no image was built: builders that promise the same bytes every time write the
// epoch, or zip's 1980, as the day of creation.
var reproducible = time.Date(2013, 1, 1, 0, 0, 0, 0, time.UTC)

func oldImage(in *Input, now time.Time) result {
	created := in.Image.Created
	age := now.Sub(created)
	if created.Before(reproducible) || age <= cmp.Or(in.MaxAge, DefaultMaxAge) {
		return result{}
	}
	return result{detail: fmt.Sprintf("built on %s, %d days ago", created.UTC().Format(time.DateOnly), int(age.Hours()/24))}
}

func endOfLife(in *Input, now time.Time) result {
	d := in.Distro
	if d.ID == "" || !distro.IsEndOfLife(d.ID, d.VersionID, now) {
		return result{}
	}
	date, _ := distro.EndOfLife(d.ID, d.VersionID)
	return result{detail: fmt.Sprintf("%s has had no security updates since %s", cmp.Or(d.Name, d.ID+" "+d.VersionID), date)}
}
