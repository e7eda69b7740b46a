package inventory

import (
	"strings"
	"sync"
)

// spdxIDs are the ids of https://spdx.org/licenses/ that packages use, one word each. Matching ignores case.
const spdxIDs = `0BSD AFL-2.1 AFL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-1.1 Apache-2.0 APSL-2.0 Artistic-1.0
Artistic-1.0-Perl Artistic-1.0-cl8 Artistic-2.0 Beerware BlueOak-1.0.0 BSD-1-Clause BSD-2-Clause BSD-2-Clause-Patent
BSD-3-Clause BSD-3-Clause-Clear BSD-3-Clause-LBNL BSD-4-Clause BSD-4-Clause-UC BSD-Source-Code BSL-1.0 BUSL-1.1
bzip2-1.0.6 CC0-1.0 CC-BY-2.0 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CC-BY-NC-4.0 CC-PDDC CDDL-1.0 CDDL-1.1
CECILL-2.1 CPL-1.0 curl ECL-2.0 EFL-2.0 Elastic-2.0 EPL-1.0 EPL-2.0 EUPL-1.1 EUPL-1.2 FSFAP FSFUL FSFULLR FTL
GFDL-1.2-only GFDL-1.2-or-later GFDL-1.3-only GFDL-1.3-or-later GPL-1.0-only GPL-1.0-or-later GPL-2.0-only
GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later HPND ICU IJG Info-ZIP ISC JSON LGPL-2.0-only LGPL-2.0-or-later
LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later Libpng libtiff LPL-1.02 LPPL-1.3c MirOS MIT MIT-0
MIT-Modern-Variant MPL-1.1 MPL-2.0 MPL-2.0-no-copyleft-exception MS-PL MulanPSL-2.0 NAIST-2003 NCSA Net-SNMP NTP
OFL-1.1 OLDAP-2.8 OpenSSL OSL-3.0 PHP-3.0 PHP-3.01 PostgreSQL PSF-2.0 Python-2.0 Python-2.0.1 QPL-1.0 Ruby SGI-B-2.0
Sleepycat SMLNJ SSPL-1.0 TCL Unicode-3.0 Unicode-DFS-2016 Unlicense UPL-1.0 Vim W3C WTFPL X11 Xnet Zlib ZPL-2.1
Spencer-86 Spencer-94 Spencer-99 blessing Bitstream-Vera CNRI-Python mpich2 TCP-wrappers UCD NIST-PD snprintf dtoa
Classpath-exception-2.0 GCC-exception-2.0 GCC-exception-3.1 Autoconf-exception-2.0 Autoconf-exception-3.0
Bison-exception-2.2 Font-exception-2.0 Libtool-exception LLVM-exception OpenSSL-exception Linux-syscall-note
Universal-FOSS-exception-1.0 Qwt-exception-1.0 openvpn-openssl-exception`

// spdxAliases are other names in use, in lower case: of Debian, Fedora's old scheme, PyPI classifiers, npm and gems.
const spdxAliases = `agpl-3=AGPL-3.0-only agpl-3+=AGPL-3.0-or-later agpl-3.0=AGPL-3.0-only apache=Apache-2.0
apache 2=Apache-2.0 apache2=Apache-2.0 apache2.0=Apache-2.0 apache 2.0=Apache-2.0 apache-2=Apache-2.0 asl 2.0=Apache-2.0
apache license=Apache-2.0 apache software license=Apache-2.0 apache license 2.0=Apache-2.0
apache license, version 2.0=Apache-2.0 apache software license 2.0=Apache-2.0 apache license version 2.0=Apache-2.0
artistic=Artistic-1.0-Perl artistic-2=Artistic-2.0 boost=BSL-1.0
bsd-2=BSD-2-Clause bsd-3=BSD-3-Clause bsd-4=BSD-4-Clause 2-clause bsd=BSD-2-Clause 3-clause bsd=BSD-3-Clause
bsd-2-clauses=BSD-2-Clause bsd-3-clauses=BSD-3-Clause bsd 2-clause=BSD-2-Clause bsd 3-clause=BSD-3-Clause
bsd 3-clause license=BSD-3-Clause new bsd=BSD-3-Clause new bsd license=BSD-3-Clause modified bsd=BSD-3-Clause
simplified bsd=BSD-2-Clause bsd-3-clause-ucb=BSD-3-Clause bzip2=bzip2-1.0.6 cc0=CC0-1.0 epl=EPL-1.0
expat=MIT the mit license=MIT mit license=MIT mit/expat=MIT the mit license (mit)=MIT mit license (mit)=MIT
gpl=GPL-1.0-or-later gpl+=GPL-1.0-or-later gpl-1=GPL-1.0-only gpl-1+=GPL-1.0-or-later gpl-2=GPL-2.0-only gpl-2+=GPL-2.0-or-later
gpl-3=GPL-3.0-only gpl-3+=GPL-3.0-or-later gpl-2.0=GPL-2.0-only gpl-2.0+=GPL-2.0-or-later gpl-3.0=GPL-3.0-only
gpl-3.0+=GPL-3.0-or-later gplv2=GPL-2.0-only gplv2+=GPL-2.0-or-later gplv3=GPL-3.0-only gplv3+=GPL-3.0-or-later
gpl2=GPL-2.0-only gpl3=GPL-3.0-only
lgpl=LGPL-2.0-or-later lgpl-2=LGPL-2.0-only lgpl-2+=LGPL-2.0-or-later lgpl-2.1=LGPL-2.1-only lgpl-2.1+=LGPL-2.1-or-later
lgpl-3=LGPL-3.0-only lgpl-3+=LGPL-3.0-or-later lgpl-2.0=LGPL-2.0-only lgpl-2.0+=LGPL-2.0-or-later lgpl-3.0=LGPL-3.0-only
lgpl-3.0+=LGPL-3.0-or-later lgplv2=LGPL-2.0-only lgplv2+=LGPL-2.0-or-later lgplv2.1=LGPL-2.1-only
lgplv2.1+=LGPL-2.1-or-later lgplv3=LGPL-3.0-only lgplv3+=LGPL-3.0-or-later
gfdl-1.2=GFDL-1.2-only gfdl-1.2+=GFDL-1.2-or-later gfdl-1.3=GFDL-1.3-only gfdl-1.3+=GFDL-1.3-or-later
isc license=ISC isc license (iscl)=ISC mplv1.1=MPL-1.1 mplv2.0=MPL-2.0 mpl-2=MPL-2.0 mpl 2.0=MPL-2.0
mozilla public license 2.0 (mpl 2.0)=MPL-2.0 mozilla public license 2.0=MPL-2.0
openldap=OLDAP-2.8 psf=PSF-2.0 psf-2=PSF-2.0 python=Python-2.0 python software foundation license=PSF-2.0 psfl=PSF-2.0
ruby license=Ruby sil-1.1=OFL-1.1 ofl=OFL-1.1 the unlicense (unlicense)=Unlicense unicode=Unicode-DFS-2016
zlib/libpng=Zlib zpl 2.1=ZPL-2.1 zpl-2.1=ZPL-2.1 zope public license=ZPL-2.1`

// spdxNames maps lower-case names to ids. It is made at first use: most scans of a warm cache need none.
var spdxNames = sync.OnceValue(func() map[string]string {
	names := map[string]string{}
	for _, id := range strings.Fields(spdxIDs) {
		names[strings.ToLower(id)] = id
	}
	// An alias ends where its id, which holds no space, ends.
	for text := spdxAliases; text != ""; {
		name, rest, _ := strings.Cut(text, "=")
		i := strings.IndexAny(rest, " \n")
		if i < 0 {
			i = len(rest)
		}
		names[strings.TrimSpace(name)] = rest[:i]
		text = strings.TrimSpace(rest[i:])
	}
	return names
})

// spdxExpression turns a name, or an expression of names with "and", "or" and "with", into SPDX ids. What it does not
// know stays as found, whole: half an expression would say something else.
func spdxExpression(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if id, ok := spdxID(text); ok {
		return id
	}
	words := strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ", " / ", " OR ", ", ", " and ").Replace(text))
	var out []string
	for len(words) > 0 {
		if op, ok := spdxOperators[strings.ToLower(words[0])]; ok {
			out, words = append(out, op), words[1:]
			continue
		}
		n := 1
		for n < len(words) && spdxOperators[strings.ToLower(words[n])] == "" {
			n++
		}
		id, ok := spdxID(strings.Join(words[:n], " "))
		if !ok {
			return text
		}
		out, words = append(out, id), words[n:]
	}
	return strings.NewReplacer("( ", "(", " )", ")").Replace(strings.Join(out, " "))
}

var spdxOperators = map[string]string{"and": "AND", "or": "OR", "with": "WITH", "(": "(", ")": ")"}

func spdxID(name string) (string, bool) {
	name = strings.ToLower(strings.TrimSpace(name))
	id, ok := spdxNames()[name]
	if !ok {
		if _, bare, found := strings.Cut(name, "license :: osi approved :: "); found {
			id, ok = spdxNames()[bare]
		}
	}
	return id, ok
}
