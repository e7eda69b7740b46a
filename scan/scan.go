// Package scan takes a reference to what is in the image and what is known against it. It joins the stages: image
// opens and reads, inventory lists, advisory matches, gate decides; none of them knows another.
//
// It promises that the bytes of layers are parsed only in a confined process of their own (see package sandbox), that
// a layer that was analysed once is not read again as long as its bytes are provably the same, and that what could
// not be read is a gap in the result, never a clean image.
//
// It leaves out reports, flags and the finding of the database.
package scan

import (
	"context"
	"encoding/binary"
	"strings"
	"time"

	"github.com/seawall/seawall/finding"
	"github.com/seawall/seawall/scan/image"
	"github.com/seawall/seawall/scan/inventory"
)

// Inventories opens ref and lists what is in each image that it names: one, or with Options.Image.AllPlatforms one for
// each platform. An error means that ref could not be opened or that the worker could not run; a layer that cannot be
// read is a gap of its inventory.
func Inventories(ctx context.Context, ref string, o Options) ([]finding.Inventory, error) {
	src, err := image.Open(ctx, ref, o.Image)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	var all []finding.Inventory
	for _, img := range src.Images {
		inv, err := take(ctx, img, &o)
		if err != nil {
			return nil, err
		}
		all = append(all, inv)
	}
	return all, nil
}

// take lists what is in one image.
func take(ctx context.Context, img *image.Image, o *Options) (finding.Inventory, error) {
	n := noun(img)
	if img.OS != "" && img.OS != "linux" {
		return finding.Inventory{Image: n, Analyser: AnalyserVersion, Gaps: []finding.Gap{{
			Kind: finding.GapUnsupportedOS, Where: img.OS, Detail: "images for " + img.OS + " are not evaluated",
		}}}, nil
	}
	results, err := analyse(ctx, img, o)
	if err != nil {
		return finding.Inventory{}, err
	}
	layers, gaps := decode(img, &n, results, o.Scanned)
	inv, facts := inventory.Merge(layers, n)
	inv.Scanned = o.Scanned
	inv.Gaps = append(gaps, inv.Gaps...)
	judge(&inv, &facts, time.Now())
	return inv, nil
}

// analyse returns the result of every layer by its index: from the cache where that is sound, from a worker otherwise.
func analyse(ctx context.Context, img *image.Image, o *Options) (map[int]analysed, error) {
	if img.RootDir != "" {
		return runWorker(ctx, o.counted(1, nil), nil, img.RootDir)
	}
	results := map[int]analysed{}
	var unread []missing
	identities := map[int]string{}
	counted := o.counted(len(img.Layers), img.Layers)
	for i := range img.Layers {
		l := &img.Layers[i]
		identities[l.Index] = l.Blob.Identity()
		r, verified, ok := o.cached(l, identities[l.Index])
		if !ok {
			unread = append(unread, missing{l, verified})
			continue
		}
		results[l.Index] = r
		counted.progress(Progress{Layer: l.Index, State: LayerCached, Done: r.size})
	}
	if len(unread) == 0 {
		return results, nil
	}
	read, err := runWorker(ctx, counted, unread, "")
	if err != nil {
		return nil, err
	}
	for _, l := range unread {
		results[l.Index] = read[l.Index]
		o.keep(l.Layer, identities[l.Index], read[l.Index])
	}
	return results, nil
}

// cached finds the result of a layer whose bytes were verified before. Where only the result is missing, verified is
// the diff id that need not be computed again.
func (o *Options) cached(l *image.Layer, identity string) (r analysed, verified string, ok bool) {
	if o.Cache == nil {
		return r, "", false
	}
	diffID, ok := o.Cache.Verified(identity)
	if !ok || l.DiffID != "" && l.DiffID != diffID {
		return r, "", false // a claim that does not hold is told when the layer is read
	}
	for _, kinds := range []scanned{o.Scanned, All} { // who looked for everything has looked for this
		stored, ok := o.Cache.Layer(cacheKey(kinds, diffID))
		if ok && len(stored) >= 8 {
			return analysed{diffID: diffID, size: int64(binary.BigEndian.Uint64(stored)), payload: stored[8:]}, diffID, true
		}
	}
	return r, diffID, false
}

// keep stores a result under the diff id that was computed while reading, if the bytes stayed the same meanwhile. The
// cache only saves time: what cannot be stored is read again the next time.
func (o *Options) keep(l *image.Layer, before string, r analysed) {
	if o.Cache == nil || r.err != nil || r.diffID == "" || !l.Blob.Steady(before) {
		return
	}
	stored := binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(r.payload)), uint64(r.size))
	if err := o.Cache.PutLayer(cacheKey(o.Scanned, r.diffID), append(stored, r.payload...)); err != nil {
		return
	}
	_ = o.Cache.PutVerified(before, r.diffID)
}

// counted tells progress how many layers there are and how large each is in transfer.
func (o *Options) counted(count int, layers []image.Layer) Options {
	c := *o
	if o.Progress == nil {
		return c
	}
	c.Progress = func(p Progress) {
		p.Layers = count
		if p.Layer < len(layers) && layers[p.Layer].Size > 0 {
			p.Total = layers[p.Layer].Size
		}
		o.Progress(p)
	}
	return c
}

// decode turns results into layers, bottom first, fills in what reading told of them, and makes a gap of each that is
// missing.
func decode(img *image.Image, n *finding.Image, results map[int]analysed, s scanned) ([]inventory.Layer, []finding.Gap) {
	layers := make([]inventory.Layer, max(len(img.Layers), len(results)))
	var gaps []finding.Gap
	for i := range layers {
		r := results[i]
		if r.err == nil {
			layers[i], r.err = inventory.DecodeLayer(r.payload, s)
		}
		if r.err != nil {
			layers[i] = inventory.Layer{Scanned: s}
			gaps = append(gaps, finding.Gap{Kind: finding.GapUnreadable, Where: where(img, i), Detail: r.err.Error()})
			continue
		}
		gaps = append(gaps, skipped(r.skipped)...)
		n.Size += r.size
		if i < len(n.Layers) {
			n.Layers[i].DiffID, n.Layers[i].Size = r.diffID, r.size
		}
	}
	if n.ID == "" && len(layers) == 1 {
		n.ID = results[0].diffID // a root file system is known by its tree
	}
	return layers, gaps
}

// skipped makes gaps of the parts of a directory that were not entered.
func skipped(all []string) []finding.Gap {
	var gaps []finding.Gap
	for _, s := range all {
		path, why, _ := strings.Cut(s, ": ")
		gaps = append(gaps, finding.Gap{Kind: finding.GapUnreadable, Where: path, Detail: why})
	}
	return gaps
}

func where(img *image.Image, i int) string {
	if i < len(img.Layers) {
		return img.Layers[i].Name()
	}
	return img.RootDir
}
