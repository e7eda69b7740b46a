// Command measure runs commands in turn, several times each, and prints their times, memory and ratios.
//
//	measure -n 5 -read image.tar -before 'ours=rm -rf cache' 'ours=seawall scan image.tar' 'peer=scanner image.tar'
//
// It promises that all commands meet the same machine: they alternate, so that a slow minute slows every one of them,
// and the files named by -read are in the page cache when the clock starts, each time. Times are taken without looking at the
// processes; memory is taken in runs of its own, by sampling. It leaves out cold disks.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "measure: %v\n", err)
		os.Exit(1)
	}
}

type options struct {
	title    string
	runs     int
	memRuns  int
	read     []string
	before   map[string]string // by command name: what to run, untimed, before each run
	accepted []int             // exit codes
	log      string            // file that takes results as JSON lines
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, commands, err := parse(args)
	if err != nil {
		return err
	}
	results := make([]result, len(commands))
	for i, c := range commands {
		results[i].Case, results[i].Name, results[i].Command = o.title, c.name, c.line
	}
	for round := range o.runs + o.memRuns {
		for i, c := range commands {
			one, err := measured(ctx, c, o, round >= o.runs)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			results[i].add(one, round < o.runs)
		}
	}
	if err := appendLog(o.log, results); err != nil {
		return err
	}
	return printTable(out, o.title, results)
}

// measured runs c once, after what belongs before it. The files are read before each run: some machines, virtual ones
// above all, give the page cache back within seconds.
func measured(ctx context.Context, c command, o options, memory bool) (sample, error) {
	for _, path := range o.read {
		if err := readOnce(path); err != nil {
			return sample{}, err
		}
	}
	if line := o.before[c.name]; line != "" {
		if _, err := execute(ctx, command{name: c.name, line: line}, []int{0}, false); err != nil {
			return sample{}, fmt.Errorf("before it: %w", err)
		}
	}
	return execute(ctx, c, o.accepted, memory)
}

func parse(args []string) (options, []command, error) {
	o := options{before: map[string]string{}}
	flags := flag.NewFlagSet("measure", flag.ContinueOnError)
	flags.StringVar(&o.title, "title", "", "heading of the table")
	flags.IntVar(&o.runs, "n", 5, "timed runs of each command")
	flags.IntVar(&o.memRuns, "mem", 1, "further runs of each command in which memory is sampled")
	flags.StringVar(&o.log, "log", "", "append the results to this file as JSON lines")
	accepted := flags.String("ok", "0,1", "exit codes that are no error: scanners exit 1 when they find something")
	flags.Func("read", "file or directory to read before each run, so that no disk is measured", func(s string) error {
		o.read = append(o.read, s)
		return nil
	})
	flags.Func("before", "NAME=COMMAND: run untimed before each run of NAME", func(s string) error {
		c, err := parseCommand(s)
		o.before[c.name] = c.line
		return err
	})
	if err := flags.Parse(args); err != nil {
		return o, nil, err
	}
	for _, code := range strings.Split(*accepted, ",") {
		n, err := strconv.Atoi(code)
		if err != nil {
			return o, nil, fmt.Errorf("-ok %q: want exit codes separated by commas", *accepted)
		}
		o.accepted = append(o.accepted, n)
	}
	commands, err := parseCommands(flags.Args())
	for name := range o.before {
		known := slices.ContainsFunc(commands, func(c command) bool { return c.name == name })
		if err == nil && !known {
			err = fmt.Errorf("-before names %q, which is no command", name)
		}
	}
	return o, commands, err
}

func parseCommands(args []string) ([]command, error) {
	if len(args) == 0 {
		return nil, errors.New("no command: give NAME=COMMAND once or more")
	}
	var out []command
	for _, a := range args {
		c, err := parseCommand(a)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func parseCommand(s string) (command, error) {
	name, line, ok := strings.Cut(s, "=")
	if !ok || name == "" || strings.TrimSpace(line) == "" {
		return command{}, fmt.Errorf("%q: want NAME=COMMAND", s)
	}
	return command{name: name, line: line}, nil
}

func appendLog(path string, results []result) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	encoder := json.NewEncoder(f)
	for _, r := range results {
		if err := encoder.Encode(r); err != nil {
			return err
		}
	}
	return f.Close()
}
