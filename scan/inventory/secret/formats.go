package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"path"
	"strings"
)

// format is a kind of file that is known by its path and read by its own rules.
type format struct {
	is   func(p string) bool
	read func(content []byte) []hit
}

// maxFormat bounds what is read as a file of a known format; such files are small.
const maxFormat = 1 << 20

var formats = []format{
	{named(".docker/config.json", ".dockercfg", ".dockerconfigjson", "containers/auth.json"), dockerAuths},
	{named(".npmrc", "etc/npmrc"), npmrc},
	{named(".pypirc"), settings("pypirc-password", "password")},
	{named(".netrc", "_netrc"), netrc("netrc-password")},
	{func(p string) bool { return p == "etc/apt/auth.conf" || strings.HasPrefix(p, "etc/apt/auth.conf.d/") }, netrc("apt-credentials")},
	{func(p string) bool {
		return p == "etc/apt/sources.list" || strings.HasPrefix(p, "etc/apt/sources.list.d/")
	}, urls("apt-credentials")},
	{named(".git-credentials", ".git/config", ".gitconfig", ".gitmodules", "git/credentials", "etc/gitconfig"), urls("git-credentials")},
	{named("pip.conf", "pip/pip.conf", "uv.toml", ".condarc", "poetry/config.toml"), urls("pip-credentials")},
	{named(".pgpass", "pgpass.conf"), pgpass},
	{named(".my.cnf", "mysql/my.cnf", "etc/my.cnf", "mysql/debian.cnf", ".mylogin.cnf"), settings("mysql-password", "password")},
	{named(".m2/settings.xml", "conf/settings.xml", ".m2/settings-security.xml"), elements("maven-password", "<password>", "</password>")},
	{named("nuget.config"), elements("nuget-password", `"ClearTextPassword" value="`, `"`)},
	{kubernetesConfig, kubeconfig},
	{named("etc/shadow", "etc/shadow-", ".htpasswd"), hashes},
	{named("gcloud/application_default_credentials.json", "gcloud/legacy_credentials/adc.json"), elements("gcp-user-credentials", `"refresh_token": "`, `"`)},
	{named(".azure/msal_token_cache.json", ".azure/accessTokens.json", ".azure/service_principal_entries.json"), azureCache},
	{settingsFile, assignments},
	{configFile, smallAssignments},
}

// named matches paths that are one of suffixes, or end in one behind a slash, in any case.
func named(suffixes ...string) func(string) bool {
	return func(p string) bool {
		for _, s := range suffixes {
			start := len(p) - len(s)
			if start >= 0 && (start == 0 || p[start-1] == '/') && strings.EqualFold(p[start:], s) {
				return true
			}
		}
		return false
	}
}

func formatHits(p string, content []byte) []hit {
	if len(content) > maxFormat {
		return nil
	}
	var hits []hit
	for _, f := range formats {
		if f.is(p) {
			hits = append(hits, f.read(content)...)
		}
	}
	return hits
}

// locate turns values into hits; a value that stands in content in another spelling is left out.
func locate(rule string, content []byte, values []string) []hit {
	var hits []hit
	for _, v := range values {
		if at := bytes.Index(content, []byte(v)); at >= 0 && v != "" {
			hits = append(hits, hit{rule, at, at + len(v)})
		}
	}
	return hits
}

type dockerAuth struct {
	Auth          string `json:"auth"`
	Password      string `json:"password"`
	IdentityToken string `json:"identitytoken"`
	RegistryToken string `json:"registrytoken"`
}

// dockerAuths reads the configuration of the Docker client, in its form of today and in the old one without "auths".
func dockerAuths(content []byte) []hit {
	var config struct {
		Auths map[string]dockerAuth `json:"auths"`
	}
	if json.Unmarshal(content, &config) != nil {
		return nil
	}
	if config.Auths == nil {
		_ = json.Unmarshal(content, &config.Auths) // the old form; anything else leaves no entries
	}
	var values []string
	for _, a := range config.Auths {
		if basicAuth(a.Auth) {
			values = append(values, a.Auth)
		}
		for _, v := range []string{a.Password, a.IdentityToken, a.RegistryToken} {
			if secretValue(v) {
				values = append(values, v)
			}
		}
	}
	return locate("docker-auth", content, values)
}

// basicAuth reports whether encoded is base64 of user:password with a password that is no placeholder.
func basicAuth(encoded string) bool {
	plain, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return false
	}
	_, password, ok := strings.Cut(string(plain), ":")
	return ok && secretValue(strings.TrimRight(password, "\x00"))
}

// lines calls f with each line and where it begins.
func lines(content []byte, f func(line string, at int)) {
	at := 0
	for line := range bytes.Lines(content) {
		f(strings.TrimRight(string(line), "\r\n"), at)
		at += len(line)
	}
}

// npmrc reads the keys that npm sends to a registry (docs.npmjs.com, npmrc, auth related configuration).
func npmrc(content []byte) []hit {
	var hits []hit
	lines(content, func(line string, at int) {
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.Trim(strings.TrimSpace(value), `"'`)
		secret := strings.HasSuffix(name, "_authToken") || strings.HasSuffix(name, "_auth") || strings.HasSuffix(name, "_password")
		if ok && secret && !strings.HasPrefix(name, "#") && !strings.HasPrefix(name, ";") && secretValue(value) {
			start := at + strings.LastIndex(line, value)
			hits = append(hits, hit{"npmrc-auth", start, start + len(value)})
		}
	})
	return hits
}

// settings reads an INI file for a key.
func settings(rule, key string) func([]byte) []hit {
	return func(content []byte) []hit {
		var hits []hit
		lines(content, func(line string, at int) {
			name, value, _ := strings.Cut(line, "=")
			if value = strings.Trim(strings.TrimSpace(value), `"'`); strings.TrimSpace(name) == key && secretValue(value) {
				start := at + strings.LastIndex(line, value)
				hits = append(hits, hit{rule, start, start + len(value)})
			}
		})
		return hits
	}
}

// netrc reads the word behind each "password" (the Inetutils manual, .netrc).
func netrc(rule string) func([]byte) []hit {
	return func(content []byte) []hit {
		var hits []hit
		lines(content, func(line string, at int) {
			if strings.HasPrefix(strings.TrimSpace(line), "#") {
				return
			}
			words := strings.Fields(line)
			for i := 0; i+1 < len(words); i++ {
				if words[i] == "password" && secretValue(words[i+1]) {
					start := at + strings.LastIndex(line, words[i+1])
					hits = append(hits, hit{rule, start, start + len(words[i+1])})
				}
			}
		})
		return hits
	}
}

func urls(rule string) func([]byte) []hit {
	return func(content []byte) []hit { return urlsIn(rule, content) }
}

// pgpass reads host:port:database:user:password (PostgreSQL manual, the password file).
func pgpass(content []byte) []hit {
	var hits []hit
	lines(content, func(line string, at int) {
		fields := strings.SplitN(line, ":", 5)
		if len(fields) == 5 && !strings.HasPrefix(line, "#") && secretValue(fields[4]) {
			hits = append(hits, hit{"pgpass", at + len(line) - len(fields[4]), at + len(line)})
		}
	})
	return hits
}

// elements reads what stands between two marks. Maven writes encrypted passwords in braces.
func elements(rule, open, shut string) func([]byte) []hit {
	return func(content []byte) []hit {
		var hits []hit
		for at := 0; len(hits) < maxPerFile; {
			next := bytes.Index(content[at:], []byte(open))
			if next < 0 {
				break
			}
			start := at + next + len(open)
			length := bytes.Index(content[start:], []byte(shut))
			if length < 0 {
				break
			}
			if secretValue(string(content[start : start+length])) {
				hits = append(hits, hit{rule, start, start + length})
			}
			at = start + length
		}
		return hits
	}
}

func kubernetesConfig(p string) bool {
	base := path.Base(p)
	return strings.HasSuffix(p, ".kube/config") || strings.Contains(base, "kubeconfig") || strings.HasSuffix(base, ".kubeconfig") ||
		strings.HasPrefix(p, "etc/kubernetes/") && path.Ext(base) == ".conf" || p == "etc/rancher/k3s/k3s.yaml"
}

// kubeconfig reads the users' credentials (Kubernetes client configuration, v1).
func kubeconfig(content []byte) []hit {
	var hits []hit
	lines(content, func(line string, at int) {
		name, value, _ := strings.Cut(strings.TrimLeft(line, " -"), ":")
		value = strings.Trim(strings.TrimSpace(value), `"'`)
		switch name {
		case "token", "password", "client-key-data":
			if secretValue(value) {
				start := at + strings.LastIndex(line, value)
				hits = append(hits, hit{"kubeconfig", start, start + len(value)})
			}
		}
	})
	return hits
}

// hashes reads the second field of shadow(5) and of htpasswd files where it is a crypt(5) hash.
func hashes(content []byte) []hit {
	var hits []hit
	lines(content, func(line string, at int) {
		user, rest, ok := strings.Cut(line, ":")
		hash, _, _ := strings.Cut(rest, ":")
		if ok && strings.HasPrefix(hash, "$") && len(hash) >= 20 && len(hits) < maxPerFile {
			start := at + len(user) + 1
			hits = append(hits, hit{"password-hash", start, start + len(hash)})
		}
	})
	return hits
}

// azureCache reads the values of the Azure CLI's caches that are long enough for a token or a secret.
func azureCache(content []byte) []hit {
	var hits []hit
	for _, key := range []string{`"secret": "`, `"refreshToken": "`, `"client_secret": "`, `"accessToken": "`} {
		for _, h := range elements("azure-token-cache", key, `"`)(content) {
			if h.end-h.start >= 30 {
				hits = append(hits, h)
			}
		}
	}
	return hits
}
