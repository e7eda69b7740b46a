package state

import (
	"context"

	"github.com/seawall/seawall/audit"
	"github.com/seawall/seawall/catalog"
)

// Credential is what a mirror or an import signs in with at another registry.
type Credential struct {
	Name string `json:"name"`
	// Host is the only registry that the secret is sent to: "registry.example:5000".
	Host string `json:"host"`
	User string `json:"user"`
	// Secret is stored sealed where there are keys, and never sent out.
	Secret string `json:"-"`
}

type credentialDoc struct {
	Credential
	Secret string `json:"secret"`
}

func credentialCell(name string) cell { return cell{"credential", "doc", name} }

// PutCredential creates or replaces a credential.
func (db *DB) PutCredential(ctx context.Context, c Credential, by audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		doc, err := t.sealJSON(ctx, credentialCell(c.Name), credentialDoc{c, c.Secret})
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, `INSERT INTO credential (name, doc) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET doc = excluded.doc`, c.Name, doc)
		return err
	}, by)
}

// Credential returns a credential with its secret; catalog.ErrNotFound.
func (db *DB) Credential(ctx context.Context, name string) (c Credential, err error) {
	err = db.read(ctx, func(t tx) error {
		var doc []byte
		if err := t.row(ctx, `SELECT doc FROM credential WHERE name = ?`, name).Scan(&doc); err != nil {
			return orAbsent(err, catalog.ErrNotFound)
		}
		c, err = t.openCredential(ctx, name, doc)
		return err
	})
	return c, err
}

func (t tx) openCredential(ctx context.Context, name string, doc []byte) (Credential, error) {
	var d credentialDoc
	err := t.openJSON(ctx, credentialCell(name), doc, &d)
	d.Credential.Secret = d.Secret
	return d.Credential, err
}

// Credentials lists the credentials without their secrets.
func (db *DB) Credentials(ctx context.Context) (out []Credential, err error) {
	err = db.read(ctx, func(t tx) error {
		rows, err := list(ctx, t, scanIDDoc, `SELECT name, doc FROM credential ORDER BY name`)
		out = make([]Credential, 0, len(rows))
		for _, r := range rows {
			c, err := t.openCredential(ctx, r.id, r.doc)
			if err != nil {
				return err
			}
			c.Secret = ""
			out = append(out, c)
		}
		return err
	})
	return out, err
}

// DeleteCredential forgets a credential; catalog.ErrNotFound.
func (db *DB) DeleteCredential(ctx context.Context, name string, by audit.Entry) error {
	return db.write(ctx, func(t tx) error {
		return t.must(ctx, catalog.ErrNotFound, `DELETE FROM credential WHERE name = ?`, name)
	}, by)
}
