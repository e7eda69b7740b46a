package secret

import (
	"sort"
	"strconv"
	"strings"

	"github.com/seawall/seawall/finding"
)

// Config returns the credentials in img's environment, labels and history, in this order. Where names the place:
// "env NAME", "label NAME" or "history N", with N counted from 1 for the oldest instruction. What the environment
// already shows is not reported again for the instruction that set it. At most a hundred are returned for each place.
func (d *Detector) Config(img finding.Image) []finding.Secret {
	var out []finding.Secret
	seen := map[string]bool{}
	for _, kv := range img.Config.Env {
		if name, value, ok := strings.Cut(kv, "="); ok {
			out = append(out, d.setting("env "+name, name, value, seen)...)
		}
	}
	labels := make([]string, 0, len(img.Config.Labels))
	for name := range img.Config.Labels {
		labels = append(labels, name)
	}
	sort.Strings(labels)
	for _, name := range labels {
		out = append(out, d.setting("label "+name, name, img.Config.Labels[name], seen)...)
	}
	return append(out, d.history(img, seen)...)
}

// maxConfig bounds the bytes that are read of one variable, label or instruction.
const maxConfig = 1 << 20

// setting judges a variable or label by its value, then by its name.
func (d *Detector) setting(where, name, value string, seen map[string]bool) []finding.Secret {
	text := []byte(name + "=" + value[:min(len(value), maxConfig)])
	hits := d.scan(text, false)
	if len(hits) == 0 && strings.Contains(value, "://") && !secretName(name) {
		hits = urlsIn("assigned-secret", text)
	}
	if len(hits) == 0 && secretName(name) && configValue(name, value) {
		hits = []hit{{"assigned-secret", len(name) + 1, len(text)}}
	}
	return placed(where, text, hits, seen)
}

// configValue is secretValue, which a name that says password satisfies with letters alone.
func configValue(name, value string) bool {
	words := wordsOf(name)
	if last := words[len(words)-1]; strings.HasPrefix(last, "pass") || last == "pwd" {
		return secretValue(value)
	}
	return strongValue(value)
}

func placed(where string, text []byte, hits []hit, seen map[string]bool) []finding.Secret {
	var out []finding.Secret
	for _, h := range distinct(hits) {
		value := string(text[h.start:h.end])
		if seen[value] {
			continue
		}
		seen[value] = true
		s := inPlace(h.rule, "", text).secret(text[h.start:h.end])
		s.Where = where
		out = append(out, s)
	}
	return out
}

// history reads every instruction, and credits those with content to their layer.
func (d *Detector) history(img finding.Image, seen map[string]bool) []finding.Secret {
	var out []finding.Secret
	layer := 0
	for i, h := range img.Config.History {
		text := []byte(h.CreatedBy[:min(len(h.CreatedBy), maxConfig)])
		hits := append(d.scan(text, false), instructionHits(text)...)
		found := placed("history "+strconv.Itoa(i+1), text, hits, seen)
		if !h.EmptyLayer {
			credit(found, img.Layers, layer)
			layer++
		}
		out = append(out, found...)
	}
	return out
}

func credit(found []finding.Secret, layers []finding.Layer, index int) {
	if index >= len(layers) {
		return
	}
	for i := range found {
		ref := layers[index].LayerRef
		found[i].Layer = &ref
	}
}
