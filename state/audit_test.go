package state

import "github.com/seawall/seawall/audit"

var auditAll = audit.Query{}
