package secret

// anchor is a text that hardly anything but a credential holds, and who looks closer where it stands.
type anchor struct {
	text  string
	match matcher
}

// databaseSchemes are those of URLs that commonly carry a password.
var databaseSchemes = []string{
	"postgres://", "postgresql://", "mysql://", "mariadb://", "mongodb://", "mongodb+srv://", "redis://", "rediss://",
	"amqp://", "amqps://", "sqlserver://", "clickhouse://",
}

// awsSecretNames are the names under which tools and SDKs keep a secret access key, less their first letter where
// its case differs.
var awsSecretNames = []string{
	"aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "aws_secret_key", "AWS_SECRET_KEY", "ecretAccessKey",
	"awsSecretKey",
}

func allAnchors() []anchor {
	var all []anchor
	sets := alphabets{}
	for i := range tokens {
		all = append(all, anchor{tokens[i].anchor, tokens[i].matcher(sets)})
	}
	for _, scheme := range databaseSchemes {
		all = append(all, anchor{scheme, databaseURL})
	}
	for _, name := range awsSecretNames {
		all = append(all, anchor{name, awsSecretKey(len(name))})
	}
	return append(all,
		anchor{"-----BEGIN ", privateKey},
		anchor{"LS0tLS1CRUdJTi", encodedPrivateKey},
		anchor{"PuTTY-User-Key-File-", puttyKey},
		anchor{"eyJ", jsonWebToken},
	)
}
