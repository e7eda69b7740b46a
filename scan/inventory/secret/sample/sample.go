// Package sample makes files that carry credentials, and files that only look as if they did, for the tests of
// package secret and for the measurement in bench/secrets.
//
// It promises values in the form that their issuers give them, random but the same for the same seed, but for keys,
// which are new each time. None of them was ever issued, and none stands in this source: each is assembled when it is asked for, so that scanners of
// source code stay quiet.
package sample

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strings"
)

// Sample is one file.
type Sample struct {
	// Rule is the rule of package secret that must report it; "" for a decoy, which nothing may report.
	Rule    string
	Path    string // slash-separated, no leading slash
	Content string
	// Value is the credential itself, as it stands in Content.
	Value string
}

const (
	digits    = "0123456789"
	hex       = "0123456789abcdef"
	upper     = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lower     = "abcdefghijklmnopqrstuvwxyz"
	base62    = digits + upper + lower
	base64url = base62 + "-_"
)

type maker struct{ r *rand.Rand }

func newMaker(seed uint64) *maker { return &maker{rand.New(rand.NewPCG(seed, seed^0x5ea))} }

func (m *maker) from(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[m.r.IntN(len(alphabet))]
	}
	return string(b)
}

// base64 is the standard encoding of n random bytes.
func (m *maker) base64(n int) string { return base64.StdEncoding.EncodeToString([]byte(m.bytes(n))) }

func (m *maker) bytes(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(m.r.UintN(256))
	}
	return string(b)
}

// Read gives the key generators this maker's randomness.
func (m *maker) Read(p []byte) (int, error) { return copy(p, m.bytes(len(p))), nil }

// checked ends a token with the base62 CRC-32 of its random part, as GitHub and npm do.
func checked(prefix, random string) string {
	sum := crc32.ChecksumIEEE([]byte(random))
	tail := make([]byte, 6)
	for i := len(tail) - 1; i >= 0; i-- {
		tail[i] = base62[sum%62]
		sum /= 62
	}
	return prefix + random + string(tail)
}

func (m *maker) jwt(payload string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + enc([]byte(payload)) + "." + enc([]byte(m.bytes(32)))
}

func (m *maker) rsaKey() string {
	key, err := rsa.GenerateKey(m, 2048)
	if err != nil {
		panic(err)
	}
	return block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
}

func (m *maker) pkcs8Key() string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), m)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return block("PRIVATE KEY", der)
}

func (m *maker) ecKey() string {
	key, err := ecdsa.GenerateKey(elliptic.P384(), m)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		panic(err)
	}
	return block("EC PRIVATE KEY", der)
}

// opensshKey has the frame of an OpenSSH key file: the magic, then the named cipher, then random bytes.
func (m *maker) opensshKey(cipher string) string {
	body := "openssh-key-v1\x00\x00\x00\x00" + string(rune(len(cipher))) + cipher + "\x00\x00\x00\x04none" + m.bytes(300)
	return block("OPENSSH PRIVATE KEY", []byte(body))
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func (m *maker) serviceAccount() string {
	out, err := json.MarshalIndent(map[string]string{
		"type": "service_account", "project_id": "billing-prod-7", "private_key_id": m.from(hex, 40),
		"private_key": m.pkcs8Key(), "client_email": "deploy@billing-prod-7.iam.gserviceaccount.com",
	}, "", "  ")
	if err != nil {
		panic(err)
	}
	return string(out)
}

// All gives one sample of everything that package secret knows, each in a file of a kind where it is found.
func All(seed uint64) []Sample {
	m := newMaker(seed)
	return append(m.tokens(), m.files()...)
}

// line puts a token into a line of source.
func line(rule, file, format, value string) Sample {
	return Sample{Rule: rule, Path: file, Content: "# settings\n" + fmt.Sprintf(format, value) + "\n", Value: value}
}

func (m *maker) tokens() []Sample {
	const py, js, sh = "app/settings.py", "srv/www/config.js", "opt/run.sh"
	return []Sample{
		line("aws-access-key", py, "ACCESS = %q", "AKIA"+m.from(upper+"234567", 16)),
		line("aws-access-key", sh, "export AWS_ACCESS_KEY_ID=%s", "ASIA"+m.from(upper+"234567", 16)),
		line("aws-secret-key", sh, "export AWS_SECRET_ACCESS_KEY=%s", m.base64(30)),
		line("azure-storage-key", py, "conn = 'DefaultEndpointsProtocol=https;AccountName=billing;AccountKey=%s;EndpointSuffix=core.windows.net'", m.base64(64)),
		line("azure-client-secret", py, "client_secret = %q", m.from(base62, 3)+"8Q~"+m.from(base62+"_.-", 34)),
		line("azure-shared-access-key", py, "bus = 'Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=%s'", m.base64(32)),
		line("gcp-api-key", js, "var key = %q;", "AIza"+m.from(base64url, 35)),
		line("gcp-oauth-secret", py, "secret = %q", "GOCSPX-"+m.from(base64url, 28)),
		line("github-token", sh, "git clone https://x-access-token:%s@github.com/acme/app", checked("ghp_", m.from(base62, 30))),
		line("github-token", js, "const t = %q", checked("gho_", m.from(base62, 30))),
		line("github-token", js, "const t = %q", checked("ghs_", m.from(base62, 30))),
		line("github-token", py, "T = %q", "github_pat_"+m.from(base62, 22)+"_"+m.from(base62, 59)),
		line("gitlab-token", sh, "curl -H 'PRIVATE-TOKEN: %s' https://gitlab.acme.dev", "glpat-"+m.from(base64url, 20)),
		line("gitlab-token", sh, "RUNNER=%s", "glrt-"+m.from(base64url, 20)),
		line("slack-token", py, "bot = %q", "xoxb-"+m.from("123456789", 12)+"-"+m.from("123456789", 13)+"-"+m.from(base62, 24)),
		line("slack-token", py, "app = %q", "xapp-1-A"+m.from(upper+digits, 10)+"-"+m.from("123456789", 13)+"-"+m.from(hex, 64)),
		line("slack-webhook", py, "hook = %q", "https://hooks.slack.com/services/T"+m.from(upper+digits, 10)+"/B"+m.from(upper+digits, 10)+"/"+m.from(base62, 24)),
		line("stripe-key", js, "stripe(%q)", "sk_live_"+m.from(base62, 24)),
		line("stripe-key", js, "stripe(%q)", "rk_live_"+m.from(base62, 99)),
		line("npm-token", js, "token: %q", checked("npm_", m.from(base62, 30))),
		line("pypi-token", sh, "twine upload -u __token__ -p %s dist/*", "pypi-"+"AgEIcHlwaS5vcmc"+m.from(base64url, 150)),
		line("rubygems-token", "root/deploy.rb", "key = %q", "rubygems_"+m.from(hex, 48)),
		line("crates-token", sh, "cargo login %s", "cio"+m.from(base62, 32)),
		line("dockerhub-token", sh, "docker login -u acme -p %s", "dckr_pat_"+m.from(base64url, 27)),
		line("huggingface-token", py, "login(token=%q)", "hf_"+m.from(upper+lower, 34)),
		line("anthropic-key", py, "client = C(api_key=%q)", "sk-ant-"+"api03-"+m.from(base64url, 93)+"AA"),
		line("openai-key", py, "openai.api_key = %q", "sk-proj-"+m.from(base64url, 74)+"T3Blbk"+"FJ"+m.from(base64url, 74)),
		line("sendgrid-key", py, "sg = %q", "SG."+m.from(base64url, 22)+"."+m.from(base64url, 43)),
		line("digitalocean-token", sh, "doctl auth init -t %s", "dop_v1_"+m.from(hex, 64)),
		line("vault-token", sh, "export VAULT=%s", "hvs."+m.from(base64url, 95)),
		line("terraform-token", "root/.terraformrc", "  token = %q", m.from(base62, 14)+".atlasv1."+m.from(base64url, 67)),
		line("telegram-token", py, "bot = %q", m.from("123456789", 10)+":AA"+m.from(base64url, 33)),
		line("discord-webhook", py, "hook = %q", "https://discord.com/api/webhooks/"+m.from("123456789", 18)+"/"+m.from(base64url, 68)),
		line("newrelic-key", js, "license: %q", "NRAK-"+m.from(upper+digits, 27)),
		line("grafana-token", py, "g = %q", "glsa_"+m.from(base62, 32)+"_"+m.from(hex, 8)),
		line("shopify-token", py, "s = %q", "shpat_"+m.from(hex, 32)),
		line("postman-key", py, "p = %q", "PMAK-"+m.from(hex, 24)+"-"+m.from(hex, 34)),
		line("linear-key", py, "l = %q", "lin_api_"+m.from(base62, 40)),
		line("databricks-token", py, "d = %q", "dapi"+m.from(hex, 32)),
		line("doppler-token", py, "d = %q", "dp.pt."+m.from(base62, 43)),
		line("pulumi-token", sh, "export PULUMI=%s", "pul-"+m.from(hex, 40)),
		line("square-token", py, "s = %q", "sq0atp-"+m.from(base64url, 22)),
		line("mailgun-key", py, "m = %q", "key-"+m.from(hex, 32)),
		line("mailchimp-key", py, "mailchimp = %q", m.from(hex, 32)+"-us12"),
		line("age-key", "root/keys.txt", "%s", "AGE-SECRET-KEY-1"+m.from("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)),
		line("jwt", py, "auth = 'Bearer %s'", m.jwt(`{"sub":"svc-billing","role":"writer","iat":1790000000}`)),
		line("kubernetes-token", "root/token", "%s", m.jwt(`{"iss":"kubernetes/serviceaccount","sub":"system:serviceaccount:default:ci"}`)),
		line("database-url", py, "DSN = %q", "postgres://billing:"+m.from(base62, 14)+"@db.acme.dev:5432/billing"),
		line("database-url", py, "DSN = %q", "mongodb+srv://billing:"+m.from(base62, 14)+"@cluster0.acme.mongodb.net/x"),
	}
}

func (m *maker) files() []Sample {
	file := func(rule, path, value, format string) Sample {
		return Sample{Rule: rule, Path: path, Value: value, Content: strings.ReplaceAll(format, "%s", value)}
	}
	key := func(rule, path, value string) Sample { return file(rule, path, value, "%s") }
	userPass := base64.StdEncoding.EncodeToString([]byte("acme:" + m.from(base62, 16)))
	quoted := strings.Trim(fmt.Sprintf("%q", m.pkcs8Key()), `"`)
	return []Sample{
		key("private-key", "etc/ssl/private/server.key", m.rsaKey()),
		key("private-key", "opt/app/tls.pem", m.pkcs8Key()),
		key("private-key", "opt/app/ec.pem", m.ecKey()),
		key("private-key", "root/.ssh/id_ed25519", m.opensshKey("none")),
		file("private-key", "srv/config.json", quoted, `{"tls": {"key": "%s"}}`),
		key("private-key-encrypted", "root/.ssh/id_rsa", m.opensshKey("aes256-ctr")),
		key("ssh-host-key", "etc/ssh/ssh_host_ed25519_key", m.opensshKey("none")),
		key("pgp-private-key", "root/secret.asc", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n"+m.base64(400)+"\n-----END PGP PRIVATE KEY BLOCK-----\n"),
		key("putty-key", "root/id.ppk", "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: x\nPublic-Lines: 2\n"+m.base64(40)+"\nPrivate-Lines: 1\n"+m.base64(33)+"\nPrivate-MAC: "+m.from(hex, 64)+"\n"),
		key("gcp-service-account", "opt/app/sa.json", m.serviceAccount()),
		file("docker-auth", "root/.docker/config.json", userPass, `{"auths": {"registry.acme.dev": {"auth": "%s"}}}`),
		file("docker-auth", "root/.dockercfg", userPass, `{"registry.acme.dev": {"auth": "%s"}}`),
		file("npmrc-auth", "home/node/.npmrc", m.from(hex, 8)+"-"+m.from(hex, 24), "//npm.acme.dev/:_authToken=%s\n"),
		file("pypirc-password", "root/.pypirc", m.from(base62, 16), "[distutils]\nindex-servers = acme\n[acme]\nusername = ci\npassword = %s\n"),
		file("netrc-password", "root/.netrc", m.from(base62, 16), "machine git.acme.dev\n  login ci\n  password %s\n"),
		file("git-credentials", "root/.git-credentials", m.from(base62, 20), "https://ci:%s@git.acme.dev\n"),
		file("git-credentials", "app/.git/config", m.from(base62, 20), "[remote \"origin\"]\n\turl = https://ci:%s@git.acme.dev/app.git\n"),
		file("pgpass", "root/.pgpass", m.from(base62, 15), "db.acme.dev:5432:*:billing:%s\n"),
		file("mysql-password", "root/.my.cnf", m.from(base62, 15), "[client]\nuser = root\npassword = %s\n"),
		file("aws-secret-key", "root/.aws/credentials", m.base64(30), "[default]\naws_access_key_id = x\naws_secret_access_key = %s\n"),
		file("kubeconfig", "root/.kube/config", m.from(base62, 40), "apiVersion: v1\nkind: Config\nusers:\n- name: ci\n  user:\n    token: %s\n"),
		file("kubeconfig", "etc/kubernetes/admin.conf", base64.StdEncoding.EncodeToString([]byte(m.ecKey())), "apiVersion: v1\nkind: Config\nusers:\n- name: admin\n  user:\n    client-key-data: %s\n"),
		file("maven-password", "root/.m2/settings.xml", m.from(base62, 14), "<settings><servers><server><id>acme</id><username>ci</username><password>%s</password></server></servers></settings>\n"),
		file("nuget-password", "root/.nuget/NuGet/NuGet.Config", m.from(base62, 14), "<configuration><packageSourceCredentials><acme><add key=\"ClearTextPassword\" value=\"%s\" /></acme></packageSourceCredentials></configuration>\n"),
		file("pip-credentials", "etc/pip.conf", m.from(base62, 14), "[global]\nindex-url = https://ci:%s@pypi.acme.dev/simple\n"),
		file("apt-credentials", "etc/apt/auth.conf.d/acme.conf", m.from(base62, 14), "machine apt.acme.dev login ci password %s\n"),
		file("password-hash", "etc/shadow", "$6$"+m.from(base62, 12)+"$"+m.from(base62+"./", 86), "root:%s:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n"),
		file("assigned-secret", "app/.env", m.from(base62, 18), "DEBUG=0\nDB_PASSWORD=%s\n"),
		file("assigned-secret", "opt/app/application.properties", m.from(base62, 18), "server.port=80\nspring.datasource.password=%s\n"),
		file("assigned-secret", "srv/deploy/docker-compose.yml", m.from(base62, 18), "services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: \"%s\"\n"),
		file("assigned-secret", "srv/prod.tfvars", m.from(base62, 18), "db_password = \"%s\"\n"),
	}
}

// Decoys gives files that look like samples and hold nothing that opens anything: published examples, placeholders,
// references to variables, public halves, and real-looking keys in the test data of installed packages.
func Decoys(seed uint64) []Sample {
	m := newMaker(seed)
	decoy := func(path, content string) Sample { return Sample{Path: path, Content: content} }
	return []Sample{
		decoy("app/a.py", "ACCESS = 'AKIA"+"IOSFODNN7EXAMPLE'\n"),
		decoy("root/.aws/credentials", "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY"+"EXAMPLEKEY\n"),
		decoy("root/.aws/credentials", "aws_secret_access_key = YOUR_SECRET_ACCESS_KEY_GOES_RIGHT_HERE_0\n"),
		decoy("app/.env", "DB_PASSWORD=changeme\nAPI_TOKEN=${TOKEN}\nSECRET_KEY=<your-secret>\nX_PASSWORD=\nPASSWORD_FILE=/run/secrets/db\n"),
		decoy("app/.env", "TOKEN_URL=https://auth.acme.dev/oauth/token\nPASSWORD_MIN_LENGTH=12\nSECRET_NAME=billing-db-password\n"),
		decoy("app/.npmrc", "//registry.example/:_authToken=${NPM_TOKEN}\n"),
		decoy("root/.netrc", "machine a.dev login b password $PASSWORD\n"),
		decoy("root/.docker/config.json", `{"auths": {"registry.acme.dev": {}}, "credsStore": "desktop"}`),
		decoy("app/db.py", "DSN = 'postgres://user:password@localhost/db'\nB = 'mysql://root:%s@host/x' % p\nC = f'redis://:{pw}@h'\n"),
		decoy("app/tok.py", "T = 'ghp_"+strings.Repeat("x", 36)+"'\nU = 'glpat-"+strings.Repeat("0", 20)+"'\n"),
		decoy("app/stripe.js", "stripe('sk_test_"+m.from(base62, 24)+"')\n"),
		decoy("app/pem.py", "if b'-----BEGIN RSA PRIVATE KEY-----' in data and b'-----END RSA PRIVATE KEY-----' in data: pass\n"),
		decoy("app/readme.pem", "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n"),
		decoy("etc/ssl/pub.pem", block("PUBLIC KEY", []byte(m.bytes(90)))+block("CERTIFICATE", []byte(m.bytes(600)))),
		decoy("usr/local/go/src/crypto/tls/testdata/k.pem", m.ecKey()),
		decoy("usr/lib/python3/dist-packages/foo/tests/k.pem", m.ecKey()),
		decoy("app/node_modules/x/test/fixtures/k.pem", m.ecKey()),
		decoy("usr/share/doc/openssl/k.pem", m.ecKey()),
		decoy("etc/ssl/private/ssl-cert-snakeoil.key", m.ecKey()),
		decoy("etc/shadow", "root:*:19000:0:99999:7:::\nsshd:!:19000::::::\n"),
		decoy("app/azurite.txt", "AccountName=devstoreaccount1;AccountKey="+m.base64(64)+";\n"),
		decoy("app/jwt.md", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."+"eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ."+m.from(base64url, 43)+"\n"),
		decoy("app/tz.txt", "Asia/Tokyo npm_config_registry npm_package_dependencies_some_long_name hf_transfer_enabled\n"),
		decoy("app/hash.lock", "sha512-"+m.base64(64)+"\nintegrity "+m.from(hex, 64)+"\n"),
		decoy("etc/pip.conf", "[global]\nindex-url = https://${USER}:${PASS}@pypi.acme.dev/simple\n"),
	}
}
