package foreign

import "encoding/json"

// trivyDoc is the part that is read of Trivy's JSON, SchemaVersion 2.
type trivyDoc struct {
	Results []struct {
		Target, Class, Type string
		Vulnerabilities     []trivyVulnerability
		Secrets             []struct {
			RuleID, Title, Severity string
		}
		Misconfigurations []struct {
			ID, AVDID, Title, Severity, Status string
		}
	}
}

type trivyVulnerability struct {
	VulnerabilityID, PkgName, InstalledVersion, FixedVersion string
	Title, Severity                                          string
	VendorIDs                                                []string
	PkgIdentifier                                            struct{ PURL string }
}

func (c *collector) trivy(body []byte) error {
	c.source = "trivy"
	var doc trivyDoc
	if err := json.Unmarshal(body, &doc); err != nil {
		return err
	}
	for _, r := range doc.Results {
		for i := range r.Vulnerabilities {
			if err := c.add(r.Vulnerabilities[i].entry(r.Type)); err != nil {
				return err
			}
		}
		for _, s := range r.Secrets {
			if err := c.add(entry{kind: "secret", ids: []string{s.RuleID}, title: s.Title, severity: s.Severity, path: r.Target}); err != nil {
				return err
			}
		}
		for _, m := range r.Misconfigurations {
			if m.Status == "PASS" || m.Status == "EXCEPTION" {
				continue
			}
			if err := c.add(entry{kind: "check", ids: []string{m.ID, m.AVDID}, title: m.Title, severity: m.Severity, path: r.Target}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *trivyVulnerability) entry(resultType string) entry {
	e := entry{
		kind: "vulnerability", ids: append([]string{v.VulnerabilityID}, v.VendorIDs...), title: v.Title,
		name: v.PkgName, pkgType: typeOf(resultType), version: v.InstalledVersion, fixed: v.FixedVersion, severity: v.Severity,
	}
	if t, name, _, ok := parsePURL(v.PkgIdentifier.PURL); ok {
		e.pkgType, e.name = t, name
	}
	return e
}
