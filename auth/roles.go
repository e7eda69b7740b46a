package auth

import "slices"

// Names of the built-in roles.
const (
	RoleReader   = "reader"
	RolePuller   = "puller"
	RolePusher   = "pusher"
	RoleSigner   = "signer"
	RoleReviewer = "reviewer"
	RoleOperator = "operator"
	RoleAuditor  = "auditor"
	RoleOwner    = "owner"
)

// Actions are all that there are, in the order in which the documentation lists them.
var Actions = []Action{
	ImageList, ImagePull, ImageHeld, ImagePush, ImageDelete, ImageSign, ImageRelease, ImageScan, ImageImport,
	ExceptionRequest, ExceptionApprove, FindingEdit, ReportImport, RuleRead, RuleWrite, UserRead, UserWrite,
	KeyRead, KeyRotate, JobRead, JobWrite, AuditRead, NotifyRead, NotifyWrite, SystemRead, SystemWrite,
}

// hubWide are the actions that are not about single repositories, clusters or namespaces.
var hubWide = []Action{
	RuleWrite, UserRead, UserWrite, KeyRead, KeyRotate, JobRead, JobWrite, AuditRead, NotifyRead, NotifyWrite,
	SystemRead, SystemWrite,
}

// HubWide reports whether an action is allowed only by a grant on everything.
func HubWide(a Action) bool { return slices.Contains(hubWide, a) }

// order is that of rising power, for listings.
var order = []string{RoleReader, RolePuller, RolePusher, RoleSigner, RoleReviewer, RoleOperator, RoleAuditor, RoleOwner}

var titles = map[string]string{
	RoleReader:   "Sees repositories, images and findings",
	RolePuller:   "Pulls what is released",
	RolePusher:   "Pushes and pulls images",
	RoleSigner:   "Pushes signatures and attestations",
	RoleReviewer: "Decides about held images and exceptions",
	RoleOperator: "Runs the registry: rules, imports, jobs, notifications",
	RoleAuditor:  "Sees everything, the audit trail too, and changes nothing",
	RoleOwner:    "May do everything, users and keys too",
}

// builtin is not to be changed: docs/access.md shows it and a test holds the two together.
var builtin = map[string][]Action{
	RoleReader: {ImageList, RuleRead},
	RolePuller: {ImageList, ImagePull, RuleRead},
	RolePusher: {ImageList, ImagePull, ImagePush, ImageScan, ExceptionRequest, ReportImport, RuleRead},
	RoleSigner: {ImageList, ImagePull, ImageSign, RuleRead},
	RoleReviewer: {
		ImageList, ImagePull, ImageHeld, ImageRelease, ImageScan, ExceptionRequest, ExceptionApprove, FindingEdit,
		ReportImport, RuleRead,
	},
	RoleOperator: {
		ImageList, ImagePull, ImageHeld, ImagePush, ImageDelete, ImageScan, ImageImport, ExceptionRequest, FindingEdit,
		ReportImport, RuleRead, RuleWrite, KeyRead, JobRead, JobWrite, NotifyRead, NotifyWrite, SystemRead, SystemWrite,
	},
	RoleAuditor: {ImageList, RuleRead, UserRead, KeyRead, JobRead, AuditRead, NotifyRead, SystemRead},
	RoleOwner:   Actions,
}

// Builtin returns the built-in roles.
func Builtin() []Role {
	roles := make([]Role, len(order))
	for i, name := range order {
		roles[i] = Role{Name: name, Title: titles[name], Actions: slices.Clone(builtin[name]), Builtin: true}
	}
	return roles
}
