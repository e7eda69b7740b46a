package version

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/osv-scalibr/semantic"
	"github.com/klauspost/compress/zstd"
)

// A judge is an ecosystem's own tool. It answers for each pair with -1, 0, 1, or with refused.
type judge func(t *testing.T, pairs [][2]string) []int

const refused = 9

var oracles = []struct {
	name      string
	ecosystem string
	sources   []string // files of the real advisories whose versions are compared too
	pieces    string   // what generated versions are made of
	judge     judge
	count     int
}{
	{"dpkg", "Debian", []string{"Debian"}, "0 1 2 9 10 01 . . - ~ ~ + : a z A Z rc deb12u1 ubuntu0.1 dfsg ~beta git20200101 +b1", byDpkg, 800},
	{"rpm", "Red Hat", []string{"AlmaLinux"}, "0 1 2 9 10 01 . . - ~ ^ ^ _ + a z A rc el8 el9_2 fc40 module+el8.9.0+1 git20200101 :", byRPM, 6000},
	{"apk", "Alpine", []string{"Alpine"}, "0 1 2 9 10 01 001 . . . a b _alpha _beta _pre _rc _p _git _cvs _rc1 _p2 c1 . -r0 -r1 -r10 20240101", byApk, 800},
	{"npm", "npm", []string{"npm"}, "0 1 2 10 01 . . . - - + alpha beta rc rc.1 -rc.1 -0 x A a-b 1.2.3 1.0.0", byNode, 6000},
	{"PyPI", "PyPI", []string{"PyPI"}, "0 1 2 10 01 . . . ! a b c rc alpha beta pre preview post rev r dev - _ + .dev1 .post2 rc1 a2 +local ubuntu x final v", byPackaging, 8000},
	{"Maven", "Maven", []string{"Maven"}, "0 1 2 10 01 . . . - - a b m x alpha beta rc cr sp ga final release snapshot jre foo .RELEASE -SNAPSHOT .Final _", byMaven, 8000},
	{"RubyGems", "RubyGems", []string{"RubyGems"}, "0 1 2 10 01 . . . - a b pre rc rc1 beta .0 .a A", byRuby, 8000},
	{"Packagist", "Packagist", []string{"Packagist"}, "0 1 2 10 01 . . . - a b alpha beta RC rc p pl patch dev -dev -beta1 stable 20200101 x _ + v", byComposer, 8000},
}

// TestAgainstTools compares thousands of pairs with the tools themselves, generated ones and those that the public
// advisories name.
func TestAgainstTools(t *testing.T) {
	for _, o := range oracles {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() {
				o.count /= 10
			}
			random := rand.New(rand.NewPCG(1, 2))
			pairs := generate(random, strings.Fields(o.pieces), o.ecosystem, o.count)
			pairs = append(pairs, pairUp(random, realVersions(t, o.sources), o.count/2)...)
			answers := o.judge(t, pairs)
			var differ []disagreement
			compared := 0
			for i, p := range pairs {
				got, err := Compare(o.ecosystem, p[0], p[1])
				if err != nil || answers[i] == refused {
					continue
				}
				if compared++; got != answers[i] {
					differ = append(differ, disagreement{p, got, answers[i]})
				}
			}
			t.Logf("%d pairs compared, %d differ", compared, len(differ))
			if compared < o.count/6 {
				t.Errorf("only %d of %d pairs could be compared", compared, len(pairs))
			}
			if o.name == "Maven" && len(differ) < compared/100 {
				differ = withoutCircles(t, differ, o.judge)
			}
			for _, d := range differ[:min(len(differ), 20)] {
				t.Errorf("%q against %q: got %d, the tool says %d", d.pair[0], d.pair[1], d.got, d.want)
			}
		})
	}
}

type disagreement struct {
	pair      [2]string
	got, want int
}

// withoutCircles drops the pairs that Maven itself puts in a circle with a third version, so that no order can agree
// with it. The third is the begin of one of them, or the oldest release.
func withoutCircles(t *testing.T, differ []disagreement, ask judge) []disagreement {
	var triples [][2]string
	var owner []int
	for n, d := range differ {
		a, b := d.pair[0], d.pair[1]
		for i := range len(a) + 1 {
			third := strings.TrimRight(a[:i], ".-")
			triples = append(triples, [2]string{a, b}, [2]string{b, third}, [2]string{third, a})
			owner = append(owner, n)
		}
	}
	circular := map[int]bool{}
	answers := ask(t, triples)
	for i, n := range owner {
		a, b, c := answers[3*i], answers[3*i+1], answers[3*i+2]
		if min(a, b, c) >= 0 && a+b+c > 0 || max(a, b, c) <= 0 && a+b+c < 0 {
			circular[n] = true
		}
	}
	var left []disagreement
	for n, d := range differ {
		if !circular[n] {
			left = append(left, d)
		}
	}
	t.Logf("%d of %d differences are circles of the tool's own", len(differ)-len(left), len(differ))
	return left
}

// generate makes pairs that are near to each other: the second is often the first with a piece changed.
func generate(r *rand.Rand, pieces []string, ecosystem string, count int) [][2]string {
	make1 := func() []string {
		v := []string{strconv.Itoa(r.IntN(3))}
		if r.IntN(2) == 0 {
			v = append(v, ".", strconv.Itoa(r.IntN(12)), ".", strconv.Itoa(r.IntN(3)))
		}
		for range r.IntN(7) {
			v = append(v, pieces[r.IntN(len(pieces))])
		}
		return v
	}
	ok := func(v []string) bool {
		_, err := Parse(ecosystem, strings.Join(v, ""))
		return err == nil
	}
	var out [][2]string
	for len(out) < count {
		a := make1()
		b := append([]string(nil), a...)
		switch r.IntN(4) {
		case 0:
			b = make1()
		case 1:
			b[r.IntN(len(b))] = pieces[r.IntN(len(pieces))]
		case 2:
			b = append(b, pieces[r.IntN(len(pieces))])
		case 3:
			i := r.IntN(len(b))
			b = append(b[:i:i], b[i+1:]...)
		}
		// Few of the ungrammatical are kept: the tools refuse most of them, or answer without sense.
		if ok(a) && ok(b) {
			out = append(out, [2]string{strings.Join(a, ""), strings.Join(b, "")})
		}
	}
	return out
}

func pairUp(r *rand.Rand, versions []string, count int) [][2]string {
	var out [][2]string
	for range count {
		if len(versions) == 0 {
			break
		}
		i := r.IntN(len(versions))
		j := (i + 1 + r.IntN(20)) % len(versions)
		out = append(out, [2]string{versions[i], versions[j]})
	}
	return out
}

// sharedData is where the public data lies that the project does not carry itself.
func sharedData() string {
	if dir := os.Getenv("SEAWALL_SHARED_DATA"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "..", "..", "shared", "data")
}

// realVersions are the versions that OSV files name, one file of JSON lines per ecosystem. None without the data.
func realVersions(t *testing.T, names []string) []string {
	var out []string
	for _, name := range names {
		path := filepath.Join(sharedData(), "advisories", "osv", name+".jsonl.zst")
		f, err := os.Open(path)
		if err != nil {
			t.Logf("without the versions of real advisories: %s is not there", path)
			continue
		}
		defer f.Close()
		z, err := zstd.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		lines := bufio.NewScanner(z)
		lines.Buffer(nil, 64<<20)
		for lines.Scan() {
			out = appendVersions(out, lines.Bytes())
		}
	}
	return out
}

func appendVersions(out []string, line []byte) []string {
	var record struct {
		Affected []struct {
			Versions []string
			Ranges   []struct {
				Type   string
				Events []map[string]string
			}
		}
	}
	if json.Unmarshal(line, &record) != nil {
		return out
	}
	for _, a := range record.Affected {
		out = append(out, a.Versions...)
		for _, r := range a.Ranges {
			for _, e := range r.Events {
				for _, v := range e {
					if r.Type != "GIT" && !strings.ContainsAny(v, "\n\t") {
						out = append(out, v)
					}
				}
			}
		}
	}
	return out
}

func need(t *testing.T, tool string) string {
	path, err := exec.LookPath(tool)
	if err != nil {
		t.Skipf("%s is not installed", tool)
	}
	return path
}

func byDpkg(t *testing.T, pairs [][2]string) []int {
	tool := need(t, "dpkg")
	return each(pairs, func(p [2]string) int {
		for answer, op := range map[int]string{-1: "lt", 0: "eq", 1: "gt"} {
			cmd := exec.Command(tool, "--compare-versions", p[0], op, p[1])
			complaint := &bytes.Buffer{}
			cmd.Stderr = complaint
			err := cmd.Run()
			if strings.Contains(complaint.String(), "bad syntax") && strings.Contains(complaint.String(), "error") {
				return refused
			}
			if err == nil {
				return answer
			}
		}
		return refused
	})
}

func each(pairs [][2]string, answer func([2]string) int) []int {
	out := make([]int, len(pairs))
	for i, p := range pairs {
		out[i] = answer(p)
	}
	return out
}

// byApk runs the apk of an Alpine root file system by the C library that lies beside it.
func byApk(t *testing.T, pairs [][2]string) []int {
	archive := filepath.Join(sharedData(), "images", "alpine", "alpine-minirootfs-3.20.3-x86_64.tar.gz")
	if _, err := os.Stat(archive); err != nil {
		t.Skipf("no apk: %s is not there", archive)
	}
	dir := t.TempDir()
	if out, err := exec.Command("tar", "-xzf", archive, "-C", dir, "./lib", "./usr/lib", "./sbin/apk").CombinedOutput(); err != nil {
		t.Skipf("no apk: unpacking %s: %v: %s", archive, err, out)
	}
	run := func(args ...string) (string, error) {
		all := append([]string{"--library-path", dir + "/lib:" + dir + "/usr/lib", dir + "/sbin/apk", "version"}, args...)
		out, err := exec.Command(dir+"/lib/ld-musl-x86_64.so.1", all...).Output()
		return strings.TrimSpace(string(out)), err
	}
	if out, err := run("-t", "1", "2"); out != "<" {
		t.Skipf("no apk: the one in %s does not start here: %v", archive, err)
	}
	return each(pairs, func(p [2]string) int {
		if out, err := run("-c", p[0], p[1]); err != nil || out != "" {
			return refused
		}
		out, _ := run("-t", p[0], p[1])
		switch out {
		case "<":
			return -1
		case "=":
			return 0
		case ">":
			return 1
		}
		return refused
	})
}

// byScript gives a program its pairs as lines "a<TAB>b" in a file and reads a number a line.
func byScript(t *testing.T, pairs [][2]string, command func(script, input string) *exec.Cmd, name, script string) []int {
	dir := t.TempDir()
	path, input := filepath.Join(dir, name), filepath.Join(dir, "pairs")
	var lines strings.Builder
	for _, p := range pairs {
		fmt.Fprintf(&lines, "%s\t%s\n", p[0], p[1])
	}
	for file, text := range map[string]string{path: script, input: lines.String()} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := command(path, input)
	complaint := &bytes.Buffer{}
	cmd.Stderr = complaint
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("%s does not run here: %v: %.300s", cmd.Path, err, complaint)
	}
	var answers []int
	for _, word := range strings.Fields(string(out)) {
		n, err := strconv.Atoi(word)
		if err != nil {
			t.Fatalf("%s answered %q", cmd.Path, word)
		}
		answers = append(answers, n)
	}
	if len(answers) != len(pairs) {
		t.Fatalf("%s gave %d answers to %d pairs: %.300s", cmd.Path, len(answers), len(pairs), complaint)
	}
	return answers
}

func byRPM(t *testing.T, pairs [][2]string) []int {
	tool := need(t, "rpm")
	const script = `local out = {}
for line in io.lines(%q) do
local a, b = line:match("([^\t]*)\t(.*)")
local ok, r = pcall(rpm.vercmp, a, b)
out[#out+1] = ok and r or 9
end
print(table.concat(out, " "))`
	return byScript(t, pairs, func(path, input string) *exec.Cmd {
		return exec.Command(tool, "--eval", "%{lua:"+fmt.Sprintf(script, input)+"}")
	}, "rpm.lua", "")
}

func byPackaging(t *testing.T, pairs [][2]string) []int {
	tool := need(t, "python3")
	return byScript(t, pairs, func(path, input string) *exec.Cmd { return exec.Command(tool, path, input) }, "v.py", `
import sys, warnings
warnings.simplefilter("ignore")
try:
    from packaging import version
    if not hasattr(version, "LegacyVersion"): raise ImportError
except ImportError:
    from pip._vendor.packaging import version
parse = getattr(version, "parse")
for line in open(sys.argv[1]):
    a, b = line.rstrip("\n").split("\t")
    try:
        x, y = parse(a), parse(b)
        print((x > y) - (x < y))
    except Exception:
        print(9)
`)
}

func byNode(t *testing.T, pairs [][2]string) []int {
	tool := need(t, "node")
	root, err := exec.Command(need(t, "npm"), "root", "-g").Output()
	if err != nil {
		t.Skipf("npm root -g: %v", err)
	}
	module := filepath.Join(strings.TrimSpace(string(root)), "npm", "node_modules", "semver")
	return byScript(t, pairs, func(path, input string) *exec.Cmd { return exec.Command(tool, path, module, input) }, "v.js", `
const semver = require(process.argv[2])
for (const line of require("fs").readFileSync(process.argv[3], "utf8").trimEnd().split("\n")) {
  const [a, b] = line.split("\t")
  let r = 9
  // With a dot after the third number the loose mode cuts that number in two: nothing to agree with.
  const clear = v => !/^[v=\s]*\d+\.\d+\.\d+\./.test(v)
  if (clear(a) && clear(b)) try { r = semver.compare(a, b, true) } catch (e) {}
  console.log(r)
}
`)
}

func byMaven(t *testing.T, pairs [][2]string) []int {
	tool := need(t, "java")
	const jars = "/usr/share/maven/lib/maven-artifact-3.x.jar:/usr/share/maven/lib/commons-lang3.jar"
	if _, err := os.Stat(strings.Split(jars, ":")[0]); err != nil {
		t.Skipf("no maven-artifact: %v", err)
	}
	return byScript(t, pairs, func(path, input string) *exec.Cmd { return exec.Command(tool, "-cp", jars, path, input) }, "V.java", `
import java.nio.file.*;
import org.apache.maven.artifact.versioning.ComparableVersion;
public class V { public static void main(String[] args) throws Exception {
  StringBuilder out = new StringBuilder();
  for (String line : Files.readAllLines(Path.of(args[0]))) {
    String[] p = line.split("\t", -1);
    out.append(Integer.signum(new ComparableVersion(p[0]).compareTo(new ComparableVersion(p[1])))).append('\n');
  }
  System.out.print(out);
} }
`)
}

func byRuby(t *testing.T, pairs [][2]string) []int {
	tool := need(t, "ruby")
	return byScript(t, pairs, func(path, input string) *exec.Cmd { return exec.Command(tool, path, input) }, "v.rb", `
File.foreach(ARGV[0]) do |line|
  a, b = line.chomp.split("\t", -1)
  r = begin
    Gem::Version.new(a) <=> Gem::Version.new(b)
  rescue ArgumentError
    9
  end
  puts r
end
`)
}

func byComposer(t *testing.T, pairs [][2]string) []int {
	tool := need(t, "php")
	const autoload = "/usr/share/php/Composer/Semver/autoload.php"
	if _, err := os.Stat(autoload); err != nil {
		t.Skipf("no composer/semver: %v", err)
	}
	return byScript(t, pairs, func(path, input string) *exec.Cmd { return exec.Command(tool, path, autoload, input) }, "v.php", `<?php
require $argv[1];
$parser = new Composer\Semver\VersionParser();
foreach (file($argv[2], FILE_IGNORE_NEW_LINES) as $line) {
  [$a, $b] = explode("\t", $line);
  if (preg_match('/\d{19}/', $line)) { echo "9\n"; continue; } // over PHP's integers
  try { echo version_compare($parser->normalize($a), $parser->normalize($b)), "\n"; }
  catch (Throwable $e) { echo "9\n"; }
}
`)
}

// TestAgainstSemantic compares the versions of real advisories with a second implementation, for the ecosystems
// whose own tool is not at hand.
func TestAgainstSemantic(t *testing.T) {
	for _, ecosystem := range []string{"Go", "crates.io", "NuGet", "Bitnami", "ConanCenter"} {
		t.Run(ecosystem, func(t *testing.T) {
			random := rand.New(rand.NewPCG(3, 4))
			pairs := pairUp(random, realVersions(t, []string{ecosystem}), 3000)
			if len(pairs) == 0 {
				t.Skip("no real advisories to take versions from")
			}
			compareWithSemantic(t, ecosystem, pairs)
		})
	}
}

func compareWithSemantic(t *testing.T, ecosystem string, pairs [][2]string) {
	differ := 0
	for _, p := range pairs {
		got, err := Compare(ecosystem, p[0], p[1])
		if err != nil || ecosystem == "ConanCenter" && (p[0] != strings.Trim(p[0], letterRange) || p[1] != strings.Trim(p[1], letterRange)) {
			// OpenSSL's 1.1.1k is newer than 1.1.1, and cci.20200203 is a snapshot: semantic reads pre-releases.
			continue
		}
		theirs, err := semantic.Parse(p[0], ecosystem)
		if err != nil {
			continue
		}
		want, err := theirs.CompareStr(p[1])
		if err == nil && got != want {
			if differ++; differ <= 10 {
				t.Errorf("%q against %q: got %d, semantic says %d", p[0], p[1], got, want)
			}
		}
	}
}

const letterRange = "abcdefghijklmnopqrstuvwxyz"
