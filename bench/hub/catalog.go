package main

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"time"
)

// catalog measures what the console's first pages ask, by HTTP, over a large catalog.
func (b *bench) catalog(ctx context.Context) error {
	dir := filepath.Join(b.out, fmt.Sprintf("hub-catalog-%d", b.size.repositories))
	if err := b.seedCatalog(ctx, dir); err != nil {
		return err
	}
	h, err := b.start(ctx, dir)
	if err != nil {
		return err
	}
	defer h.stop()
	fmt.Printf("\n%d repositories of 10 tags: p90 of 20 answers after the first, by HTTP\n", b.size.repositories)
	row("start to ready", h.after.Seconds(), 2, "s")
	middle := repositoryName(b.size.repositories / 2)
	for _, p := range []struct {
		name, path string
		most       float64
	}{
		{"overview", "/overview", 300},
		{"repositories", "/repositories", 100},
		{"repositories by verdict", "/repositories?sort=verdict", 100},
		{"repositories, search", "/repositories?search=" + url.QueryEscape(middle[:len(middle)-1]), 100},
		{"images", "/images", 100},
		{"images by verdict", "/images?sort=verdict", 100},
		{"images, search a repository", "/images?search=" + url.QueryEscape(middle), 100},
		{"images, search a tag", "/images?search=v7", 100},
		{"images, search what is not there", "/images?search=nosuchthing", 100},
		{"images with a finding", "/images?finding=CVE-2026-7", 100},
		{"images of a repository", "/images?repository=" + url.QueryEscape(middle), 100},
		{"tags of a repository", "/repositories/" + url.PathEscape(middle) + "/tags", 100},
		{"findings, open", "/findings?state=open", 100},
		{"jobs", "/jobs", 100},
		{"audit trail", "/audit", 100},
	} {
		if err := h.answers(ctx, p.name, p.path, p.most); err != nil {
			return err
		}
	}
	return h.resident(ctx, "hub with this catalog", 20*time.Second)
}

func (h *process) answers(ctx context.Context, name, path string, most float64) error {
	var took []float64
	for range 21 {
		begin := time.Now()
		if err := h.call(ctx, "GET", path, nil, nil); err != nil {
			return err
		}
		took = append(took, float64(time.Since(begin).Microseconds())/1000)
	}
	took = took[1:]
	slices.Sort(took)
	row(name, took[len(took)*9/10], most, "ms")
	fmt.Printf("%-44s %10.2f ms, slowest %.2f ms\n", "    median", median(took), took[len(took)-1])
	return nil
}
