package secret

import (
	"strings"

	"github.com/seawall/seawall/finding"
)

// Rule is what one kind of credential is called and how grave it is to ship it.
type Rule struct {
	ID       string // stable; suppressions and gate files name it
	Title    string
	Severity finding.Severity
	// Advice says what to do beyond taking the value out of the image.
	Advice string
}

const (
	critical = finding.SeverityCritical
	high     = finding.SeverityHigh
	medium   = finding.SeverityMedium
)

// rules is sorted by id. Critical: whoever holds the image holds the account. High: a credential with a narrower
// reach. Medium: needs something more to be used, or is guessed from a name. Low: worth a look.
var rules = []Rule{
	{"age-key", "age identity", high, "Encrypt anew to a fresh identity."},
	{"anthropic-key", "Anthropic API key", high, "Revoke it in the console."},
	{"apt-credentials", "password of an APT repository", high, "Mount auth.conf as a build secret."},
	{"assigned-secret", "value assigned to a name that says password, secret, token or key", medium, "Pass it at run time."},
	{"aws-access-key", "AWS access key id", high, "Deactivate the key in IAM; prefer roles."},
	{"aws-secret-key", "AWS secret access key", critical, "Deactivate the key in IAM; prefer roles."},
	{"azure-client-secret", "Microsoft Entra client secret", critical, "Delete the secret of the application; prefer workload identity."},
	{"azure-shared-access-key", "Azure shared access key", critical, "Regenerate the key."},
	{"azure-storage-key", "Azure storage account key", critical, "Rotate the account's keys."},
	{"azure-token-cache", "Azure CLI token cache", critical, "Sign the account out everywhere."},
	{"crates-token", "crates.io token", high, "Revoke it on crates.io."},
	{"database-url", "database URL with a password", high, "Change the password; pass the URL at run time."},
	{"databricks-token", "Databricks access token", high, "Revoke it in the workspace."},
	{"digitalocean-token", "DigitalOcean token", critical, "Revoke it in the control panel."},
	{"discord-webhook", "Discord webhook URL", medium, "Delete the webhook."},
	{"docker-auth", "container registry password in a Docker configuration", critical, "Change the password; mount the file as a build secret."},
	{"dockerhub-token", "Docker Hub access token", critical, "Revoke it in the account's settings."},
	{"doppler-token", "Doppler token", critical, "Revoke it in the dashboard."},
	{"gcp-api-key", "Google API key", medium, "Restrict or delete the key."},
	{"gcp-oauth-secret", "Google OAuth client secret", high, "Reset the client's secret."},
	{"gcp-service-account", "Google Cloud service account key", critical, "Delete the key; prefer workload identity."},
	{"gcp-user-credentials", "Google Cloud user credentials", critical, "Revoke with gcloud auth revoke."},
	{"git-credentials", "password in a Git configuration", critical, "Revoke it; mount credentials as a build secret."},
	{"github-token", "GitHub token", critical, "Revoke it in the account's settings."},
	{"gitlab-token", "GitLab token", critical, "Revoke it in the account's settings."},
	{"grafana-token", "Grafana service account token", high, "Delete the token."},
	{"huggingface-token", "Hugging Face token", high, "Invalidate it in the account's settings."},
	{"jwt", "JSON Web Token", medium, "End the session, or change the key that signed it."},
	{"kubeconfig", "Kubernetes client credential", critical, "Rotate the user's credential."},
	{"kubernetes-token", "Kubernetes service account token", critical, "Delete the token's secret or account."},
	{"linear-key", "Linear API key", high, "Revoke it in the account's settings."},
	{"mailchimp-key", "Mailchimp API key", high, "Disable it in the account's settings."},
	{"mailgun-key", "Mailgun API key", high, "Rotate it in the control panel."},
	{"maven-password", "server password in Maven settings", high, "Change it; mount settings.xml as a build secret."},
	{"mysql-password", "password in a MySQL option file", high, "Change the password; mount the file at run time."},
	{"netrc-password", "password in a netrc file", high, "Change it; mount the file as a build secret."},
	{"newrelic-key", "New Relic user key", medium, "Delete the key."},
	{"npm-token", "npm access token", critical, "Revoke it with npm token revoke."},
	{"npmrc-auth", "registry credential in an npm configuration", critical, "Revoke it; mount .npmrc as a build secret."},
	{"nuget-password", "package source password in a NuGet configuration", high, "Change it; mount the file as a build secret."},
	{"openai-key", "OpenAI API key", high, "Revoke it in the dashboard."},
	{"password-hash", "password hash", medium, "Lock the account or set its password at run time."},
	{"pgp-private-key", "OpenPGP private key", high, "Revoke the key."},
	{"pgpass", "password in a PostgreSQL password file", high, "Change the password; mount the file at run time."},
	{"pip-credentials", "index password in a pip configuration", high, "Change it; mount the file as a build secret."},
	{"postman-key", "Postman API key", medium, "Revoke it in the account's settings."},
	{"private-key", "private key", high, "Replace the key pair and revoke its certificates."},
	{"private-key-encrypted", "private key under a passphrase", medium, "Keep it out of images: a passphrase can be guessed offline."},
	{"pulumi-token", "Pulumi access token", critical, "Revoke it in the account's settings."},
	{"putty-key", "PuTTY private key", high, "Replace the key pair."},
	{"pypi-token", "PyPI token", critical, "Revoke it in the account's settings."},
	{"pypirc-password", "password in a .pypirc file", critical, "Change it; mount the file as a build secret."},
	{"rubygems-token", "RubyGems API key", critical, "Revoke it in the account's settings."},
	{"sendgrid-key", "SendGrid API key", high, "Delete the key."},
	{"shopify-token", "Shopify access token", high, "Rotate it in the partner dashboard."},
	{"slack-token", "Slack token", high, "Revoke it with auth.revoke."},
	{"slack-webhook", "Slack webhook URL", medium, "Delete the webhook."},
	{"square-token", "Square access token", high, "Replace it in the developer dashboard."},
	{"ssh-host-key", "SSH host key", high, "Make host keys when the container starts: every copy of the image shares this one."},
	{"stripe-key", "Stripe live key", critical, "Roll the key in the dashboard."},
	{"telegram-token", "Telegram bot token", high, "Revoke it with BotFather."},
	{"terraform-token", "HCP Terraform token", critical, "Delete the token."},
	{"vault-token", "Vault token", critical, "Revoke it with vault token revoke."},
}

// Rules lists every rule, sorted by id.
func Rules() []Rule { return append([]Rule(nil), rules...) }

// ruleOf returns the rule named id, which the tables of this package spell right (a test holds them to it).
func ruleOf(id string) *Rule {
	for i := range rules {
		if rules[i].ID == id {
			return &rules[i]
		}
	}
	return &Rule{ID: id, Title: id, Severity: medium}
}

// inPlace names what a key is by the place where it lies.
func inPlace(id, path string, content []byte) *Rule {
	switch {
	case id != "private-key":
	case strings.HasPrefix(path, "etc/ssh/ssh_host_"):
		id = "ssh-host-key"
	case isServiceAccount(content):
		id = "gcp-service-account"
	}
	return ruleOf(id)
}

func (r *Rule) secret(value []byte) finding.Secret {
	return finding.Secret{Rule: r.ID, Title: r.Title, Severity: r.Severity, Masked: mask(r.ID, string(value))}
}
