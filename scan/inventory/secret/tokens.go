package secret

import "bytes"

// set is a set of bytes.
type set [256]bool

// setOf returns the set of ranges, given as pairs of first and last byte.
func setOf(ranges string) *set {
	s := &set{}
	for i := 0; i+1 < len(ranges); i += 2 {
		for b := int(ranges[i]); b <= int(ranges[i+1]); b++ {
			s[b] = true
		}
	}
	return s
}

// The alphabets, as pairs of first and last byte.
const (
	digit     = "09"
	hexLower  = "09af"
	base32    = "AZ27"
	upperNum  = "AZ09"
	letters   = "AZaz"
	alphanum  = "09AZaz"
	urlSafe   = "09AZaz--__"
	base64Std = "09AZaz++//"
	azureSet  = "09AZaz--__..~~"
	bech32    = "AZ09"
)

// part is a literal, or from least to most bytes of an alphabet.
type part struct {
	literal     string
	alphabet    string
	least, most int
}

func lit(s string) part                   { return part{literal: s} }
func run(alphabet string, n int) part     { return part{alphabet: alphabet, least: n, most: n} }
func some(alphabet string, a, b int) part { return part{alphabet: alphabet, least: a, most: b} }

// token is the form of a credential that its own text gives away: an anchor that hardly anything else holds, with
// parts behind it and sometimes a run before it.
type token struct {
	rule   string
	anchor string
	before part // zero: none
	after  []part
	// near, when not empty, must stand in lower case somewhere in the hundred bytes before the token: for forms
	// that are too plain alone.
	near string
	// only holds for forms that are told from the bytes of a program with certainty.
	binary bool
	// value says that the anchor is a name and the value only begins behind it.
	value bool
}

// tokens is sorted by rule. The forms are those that the issuers document or give out.
var tokens = []token{
	{rule: "age-key", anchor: "AGE-SECRET-KEY-1", after: []part{run(bech32, 58)}, binary: true},
	{rule: "anthropic-key", anchor: "sk-ant-", after: []part{some(alphanum, 3, 8), lit("-"), some(urlSafe, 80, 120)}, binary: true},
	{rule: "aws-access-key", anchor: "AKIA", after: []part{run(base32, 16)}, binary: true},
	{rule: "aws-access-key", anchor: "ASIA", after: []part{run(base32, 16)}},
	{rule: "azure-client-secret", anchor: "Q~", before: run(azureSet, 4), after: []part{some(azureSet, 31, 34)}},
	{rule: "azure-shared-access-key", anchor: "SharedAccessKey=", after: []part{run(base64Std, 43), lit("=")}, value: true, binary: true},
	{rule: "azure-storage-key", anchor: "AccountKey=", after: []part{run(base64Std, 86), lit("==")}, value: true, binary: true},
	{rule: "crates-token", anchor: "cio", after: []part{run(alphanum, 32)}},
	{rule: "databricks-token", anchor: "dapi", after: []part{run(hexLower, 32)}, binary: true},
	{rule: "digitalocean-token", anchor: "dop_v1_", after: []part{run(hexLower, 64)}, binary: true},
	{rule: "digitalocean-token", anchor: "doo_v1_", after: []part{run(hexLower, 64)}, binary: true},
	{rule: "digitalocean-token", anchor: "dor_v1_", after: []part{run(hexLower, 64)}, binary: true},
	{rule: "discord-webhook", anchor: "discord.com/api/webhooks/", after: []part{some(digit, 17, 20), lit("/"), some(urlSafe, 60, 80)}, value: true, binary: true},
	{rule: "discord-webhook", anchor: "discordapp.com/api/webhooks/", after: []part{some(digit, 17, 20), lit("/"), some(urlSafe, 60, 80)}, value: true, binary: true},
	{rule: "dockerhub-token", anchor: "dckr_pat_", after: []part{run(urlSafe, 27)}, binary: true},
	{rule: "dockerhub-token", anchor: "dckr_oat_", after: []part{some(urlSafe, 27, 40)}, binary: true},
	{rule: "doppler-token", anchor: "dp.pt.", after: []part{some(alphanum, 40, 44)}, binary: true},
	{rule: "doppler-token", anchor: "dp.st.", after: []part{some(azureSet, 40, 80)}},
	{rule: "gcp-api-key", anchor: "AIza", after: []part{run(urlSafe, 35)}, binary: true},
	{rule: "gcp-oauth-secret", anchor: "GOCSPX-", after: []part{run(urlSafe, 28)}, binary: true},
	{rule: "github-token", anchor: "ghp_", after: []part{run(alphanum, 36)}, binary: true},
	{rule: "github-token", anchor: "gho_", after: []part{run(alphanum, 36)}, binary: true},
	{rule: "github-token", anchor: "ghu_", after: []part{run(alphanum, 36)}, binary: true},
	{rule: "github-token", anchor: "ghs_", after: []part{run(alphanum, 36)}, binary: true},
	{rule: "github-token", anchor: "ghr_", after: []part{some(alphanum, 36, 76)}, binary: true},
	{rule: "github-token", anchor: "github_pat_", after: []part{run(alphanum, 22), lit("_"), run(alphanum, 59)}, binary: true},
	{rule: "gitlab-token", anchor: "glpat-", after: []part{some(azureSet, 20, 319)}, binary: true},
	{rule: "gitlab-token", anchor: "glrt-", after: []part{some(azureSet, 20, 319)}, binary: true},
	{rule: "gitlab-token", anchor: "gldt-", after: []part{some(azureSet, 20, 319)}, binary: true},
	{rule: "gitlab-token", anchor: "glcbt-", after: []part{some(azureSet, 20, 319)}, binary: true},
	{rule: "gitlab-token", anchor: "glptt-", after: []part{run(hexLower, 40)}, binary: true},
	{rule: "gitlab-token", anchor: "glagent-", after: []part{some(urlSafe, 50, 319)}, binary: true},
	{rule: "grafana-token", anchor: "glsa_", after: []part{run(alphanum, 32), lit("_"), run("09AFaf", 8)}, binary: true},
	{rule: "huggingface-token", anchor: "hf_", after: []part{run(letters, 34)}},
	{rule: "linear-key", anchor: "lin_api_", after: []part{run(alphanum, 40)}, binary: true},
	{rule: "mailchimp-key", anchor: "-us", before: run(hexLower, 32), after: []part{some(digit, 1, 2)}, near: "mailchimp"},
	{rule: "mailgun-key", anchor: "key-", after: []part{run(hexLower, 32)}},
	{rule: "newrelic-key", anchor: "NRAK-", after: []part{run(upperNum, 27)}, binary: true},
	{rule: "npm-token", anchor: "npm_", after: []part{run(alphanum, 36)}, binary: true},
	{rule: "openai-key", anchor: "sk-proj-", after: []part{some(urlSafe, 60, 200)}, binary: true},
	{rule: "openai-key", anchor: "sk-svcacct-", after: []part{some(urlSafe, 60, 200)}, binary: true},
	{rule: "openai-key", anchor: "T3BlbkFJ", before: part{alphabet: urlSafe, least: 20, most: 23}, after: []part{run(alphanum, 20)}},
	{rule: "postman-key", anchor: "PMAK-", after: []part{run(hexLower, 24), lit("-"), run(hexLower, 34)}, binary: true},
	{rule: "pulumi-token", anchor: "pul-", after: []part{run(hexLower, 40)}, binary: true},
	{rule: "pypi-token", anchor: "pypi-AgE", after: []part{some(urlSafe, 60, 1000)}, binary: true},
	{rule: "rubygems-token", anchor: "rubygems_", after: []part{run(hexLower, 48)}, binary: true},
	{rule: "sendgrid-key", anchor: "SG.", after: []part{run(urlSafe, 22), lit("."), run(urlSafe, 43)}, binary: true},
	{rule: "shopify-token", anchor: "shpat_", after: []part{run("09AFaf", 32)}, binary: true},
	{rule: "shopify-token", anchor: "shpca_", after: []part{run("09AFaf", 32)}, binary: true},
	{rule: "shopify-token", anchor: "shppa_", after: []part{run("09AFaf", 32)}, binary: true},
	{rule: "shopify-token", anchor: "shpss_", after: []part{run("09AFaf", 32)}, binary: true},
	{rule: "slack-token", anchor: "xoxb-", after: []part{some(digit, 8, 14), lit("-"), some("09AZaz--", 18, 80)}, binary: true},
	{rule: "slack-token", anchor: "xoxp-", after: []part{some(digit, 8, 14), lit("-"), some("09AZaz--", 18, 120)}, binary: true},
	{rule: "slack-token", anchor: "xoxa-", after: []part{some("09AZaz--", 24, 120)}, binary: true},
	{rule: "slack-token", anchor: "xoxr-", after: []part{some("09AZaz--", 24, 120)}, binary: true},
	{rule: "slack-token", anchor: "xapp-", after: []part{run(digit, 1), lit("-"), some(upperNum, 8, 12), lit("-"), some(digit, 10, 14), lit("-"), run(hexLower, 64)}, binary: true},
	{rule: "slack-webhook", anchor: "hooks.slack.com/services/", after: []part{lit("T"), some(upperNum, 8, 12), lit("/B"), some(upperNum, 8, 12), lit("/"), some(alphanum, 23, 25)}, value: true, binary: true},
	{rule: "square-token", anchor: "sq0atp-", after: []part{run(urlSafe, 22)}, binary: true},
	{rule: "square-token", anchor: "sq0csp-", after: []part{run(urlSafe, 43)}, binary: true},
	{rule: "stripe-key", anchor: "sk_live_", after: []part{some(alphanum, 24, 120)}, binary: true},
	{rule: "stripe-key", anchor: "rk_live_", after: []part{some(alphanum, 24, 120)}, binary: true},
	{rule: "telegram-token", anchor: ":AA", before: some(digit, 8, 10), after: []part{run(urlSafe, 33)}},
	{rule: "terraform-token", anchor: ".atlasv1.", before: run(alphanum, 14), after: []part{some(urlSafe, 60, 70)}, binary: true},
	{rule: "vault-token", anchor: "hvs.", after: []part{some(urlSafe, 90, 200)}, binary: true},
	{rule: "vault-token", anchor: "hvb.", after: []part{some(urlSafe, 130, 300)}, binary: true},
}

// view is what the matchers of one text share.
type view struct {
	binary bool // the text is no text but a program's bytes
	// budget is how many bytes may still be read by the matchers that read far, so that a file of nothing but
	// anchors does not have each of them read the whole.
	budget int
}

func viewOf(text []byte, binary bool) *view { return &view{binary, 16*len(text) + 1<<20} }

// spend takes n bytes from the budget if they are there, and says whether they were.
func (v *view) spend(n int) bool {
	if n > v.budget {
		return false
	}
	v.budget -= n
	return true
}

// matcher looks at one occurrence of an anchor at text[at:].
type matcher func(text []byte, at int, v *view) (hit, bool)

// alphabets holds each set once.
type alphabets map[string]*set

func (a alphabets) compile(p part) compiled {
	if a[p.alphabet] == nil {
		a[p.alphabet] = setOf(p.alphabet)
	}
	return compiled{p, a[p.alphabet]}
}

// matcher compiles the token's parts.
func (t *token) matcher(sets alphabets) matcher {
	before, after := sets.compile(t.before), make([]compiled, len(t.after))
	for i, p := range t.after {
		after[i] = sets.compile(p)
	}
	return func(text []byte, at int, v *view) (hit, bool) {
		if v.binary && !t.binary {
			return hit{}, false
		}
		start, ok := before.back(text, at)
		end := at + len(t.anchor)
		for _, p := range after {
			if !ok {
				return hit{}, false
			}
			end, ok = p.forward(text, end)
		}
		if t.value {
			start = at + len(t.anchor)
		}
		return hit{t.rule, start, end}, ok && v.spend(end-at) && t.stands(text, start, end)
	}
}

// stands reports whether text[start:end] is a word of its own, in the right company and no placeholder.
func (t *token) stands(text []byte, start, end int) bool {
	if !t.value && inWord(text, start) || end < len(text) && wordByte(text[end]) {
		return false
	}
	context := text[max(0, start-100):start]
	if t.near != "" && !bytes.Contains(bytes.ToLower(context), []byte(t.near)) {
		return false
	}
	if bytes.Contains(context, []byte("devstoreaccount1")) { // the storage emulator's key, the same for everyone
		return false
	}
	return random(string(text[start:end]))
}

// inWord reports whether text[start:] goes on with a word; the letter of an escape such as \n is none.
func inWord(text []byte, start int) bool {
	if start == 0 || !wordByte(text[start-1]) {
		return false
	}
	escape := start > 1 && text[start-2] == '\\' && (text[start-1] == 'n' || text[start-1] == 'r' || text[start-1] == 't')
	return !escape
}

func wordByte(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '_'
}

type compiled struct {
	part
	set *set
}

// forward returns where the part ends that begins at text[at:].
func (c *compiled) forward(text []byte, at int) (int, bool) {
	if c.literal != "" {
		return at + len(c.literal), bytes.HasPrefix(text[at:], []byte(c.literal))
	}
	end := at
	for end < len(text) && end-at < c.most && c.set[text[end]] {
		end++
	}
	return end, end-at >= c.least
}

// back returns where the part begins that ends before text[at].
func (c *compiled) back(text []byte, at int) (int, bool) {
	start := at
	for start > 0 && at-start < c.most && c.set[text[start-1]] {
		start--
	}
	return start, at-start >= c.least
}
