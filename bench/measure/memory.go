package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// interval between two looks at a process tree. A peak that is shorter may be missed; ru_maxrss, which the kernel
// keeps, is the lower bound that the table shows beside it.
const interval = 5 * time.Millisecond

// watch samples the memory of a process and its descendants until the returned function is called, which gives the
// largest sum in bytes.
func watch(pid int) func() int64 {
	done, peak := make(chan struct{}), make(chan int64)
	go func() {
		var most int64
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			most = max(most, treeMemory(pid))
			select {
			case <-done:
				peak <- most
				return
			case <-ticker.C:
			}
		}
	}()
	return func() int64 {
		close(done)
		return <-peak
	}
}

// treeMemory adds up what a process and its descendants hold: anonymous pages, mapped file pages (counted for each
// process that maps them: the sum errs upwards) and shared memory. Memory files (memfd_create) belong to nobody's
// resident set until they are mapped; they count once each, with the blocks that they occupy.
func treeMemory(pid int) int64 {
	files := map[uint64]int64{}
	private, shared := walkTree(pid, files)
	var inFiles int64
	for _, size := range files {
		inFiles += size
	}
	return private + max(shared, inFiles)
}

func walkTree(pid int, files map[uint64]int64) (private, shared int64) {
	private, shared = residentSet(pid)
	memoryFiles(pid, files)
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return private, shared
	}
	for _, list := range lists {
		children, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for _, field := range strings.Fields(string(children)) {
			if child, err := strconv.Atoi(field); err == nil {
				p, s := walkTree(child, files)
				private, shared = private+p, shared+s
			}
		}
	}
	return private, shared
}

// residentSet reads RssAnon + RssFile and RssShmem (proc_pid_status(5)) in bytes, zeros when the process has ended.
func residentSet(pid int) (private, shared int64) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0
	}
	return statusField(status, "RssAnon:") + statusField(status, "RssFile:"), statusField(status, "RssShmem:")
}

func statusField(status []byte, name string) int64 {
	_, rest, ok := bytes.Cut(status, []byte("\n"+name))
	if !ok {
		return 0
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(string(line), "kB")), 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}

func memoryFiles(pid int, files map[uint64]int64) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if target, err := os.Readlink(path); err != nil || !strings.HasPrefix(target, "/memfd:") {
			continue
		}
		var st syscall.Stat_t
		if syscall.Stat(path, &st) == nil {
			files[st.Ino] = st.Blocks * 512
		}
	}
}
