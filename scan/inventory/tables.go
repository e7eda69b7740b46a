package inventory

import (
	"github.com/google/osv-scalibr/extractor/filesystem/language/cpp/conanlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dart/pubspec"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/depsjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/packagesconfig"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/packageslockjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/paketlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/elixir/mixlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/haskell/cabal"
	"github.com/google/osv-scalibr/extractor/filesystem/language/haskell/stacklock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/java/gradlelockfile"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/bunlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/packagelockjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/pnpmlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/yarnlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/julia/manifesttoml"
	"github.com/google/osv-scalibr/extractor/filesystem/language/php/composerlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/pdmlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/pipfilelock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/poetrylock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/pylock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/uvlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/wheelegg"
	"github.com/google/osv-scalibr/extractor/filesystem/language/r/renvlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/ruby/gemfilelock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/rust/cargolock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/swift/packageresolved"
	"github.com/google/osv-scalibr/extractor/filesystem/language/swift/podfilelock"
	"github.com/google/osv-scalibr/extractor/filesystem/misc/wordpress/plugins"
	"github.com/google/osv-scalibr/extractor/filesystem/os/chisel"
	"github.com/google/osv-scalibr/extractor/filesystem/os/cos"
	"github.com/google/osv-scalibr/extractor/filesystem/os/flatpak"
	"github.com/google/osv-scalibr/extractor/filesystem/os/pacman"
	"github.com/google/osv-scalibr/extractor/filesystem/os/portage"
	"github.com/google/osv-scalibr/extractor/filesystem/os/snap"
)

// packageParsers returns the parsers by base name and by extension with its dot. The tables are written out, so that
// what is read can be seen in one place; DESIGN.md says why.
func packageParsers() (byName map[string]*parser, byExt map[string][]*parser) {
	byName = map[string]*parser{
		// Distributions.
		"status":                &dpkgStatusParser,
		"copyright":             &dpkgCopyrightParser,
		"installed":             &apkParser,
		"Packages":              &rpmParser,
		"Packages.db":           &rpmParser,
		"rpmdb.sqlite":          &rpmParser,
		"container-manifest-2":  &rpmManifestParser,
		"rpmdb.sqlite-wal":      &rpmLogParser,
		"desc":                  installedBy(pacman.New, below("var/lib/pacman/local/")),
		"PF":                    installedBy(portage.New, below("var/db/pkg/")),
		"cos-package-info.json": installedBy(cos.New, nil),
		"manifest.wall":         installedBy(chisel.New, below("var/lib/chisel/")),
		"snap.yaml":             installedBy(snap.New, below("snap/")),

		// What is installed for a language.
		"package.json":   &npmParser,
		"METADATA":       &distInfoParser,
		"PKG-INFO":       &distInfoParser,
		"DESCRIPTION":    &rPackageParser,
		"installed.json": &composerParser,

		// What was built from source.
		"node_version.h": &nodeParser,
		"patchlevel.h":   &pythonParser,
		"rbconfig.rb":    &rubyParser,
		"php_version.h":  &phpParser,
		"release":        &javaParser,

		// What lock files declare.
		"conan.lock":                  declaredBy(conanlock.New),
		"pubspec.lock":                declaredBy(pubspec.New),
		"packages.config":             declaredBy(packagesconfig.New),
		"packages.lock.json":          declaredBy(packageslockjson.New),
		"paket.lock":                  declaredBy(paketlock.New),
		"mix.lock":                    declaredBy(mixlock.New),
		"cabal.project.freeze":        declaredBy(cabal.New),
		"stack.yaml.lock":             declaredBy(stacklock.New),
		"gradle.lockfile":             declaredBy(gradlelockfile.New),
		"buildscript-gradle.lockfile": declaredBy(gradlelockfile.New),
		"package-lock.json":           declaredBy(packagelockjson.New),
		"npm-shrinkwrap.json":         declaredBy(packagelockjson.New),
		"pnpm-lock.yaml":              declaredBy(pnpmlock.New),
		"yarn.lock":                   declaredBy(yarnlock.New),
		"bun.lock":                    declaredBy(bunlock.New),
		"Manifest.toml":               declaredBy(manifesttoml.New),
		"composer.lock":               declaredBy(composerlock.New),
		"pdm.lock":                    declaredBy(pdmlock.New),
		"Pipfile.lock":                declaredBy(pipfilelock.New),
		"poetry.lock":                 declaredBy(poetrylock.New),
		"pylock.toml":                 declaredBy(pylock.New),
		"uv.lock":                     declaredBy(uvlock.New),
		"requirements.txt":            &requirementsParser,
		"renv.lock":                   declaredBy(renvlock.New),
		"Gemfile.lock":                declaredBy(gemfilelock.New),
		"gems.locked":                 declaredBy(gemfilelock.New),
		"Cargo.lock":                  declaredBy(cargolock.New),
		"Package.resolved":            declaredBy(packageresolved.New),
		"Podfile.lock":                declaredBy(podfilelock.New),
	}
	byExt = map[string][]*parser{
		".list":     {&dpkgListParser},
		".gemspec":  {&gemspecParser},
		".egg-info": {&eggInfoParser},
		".egg":      {archives(wheelegg.New)},
		".whl":      {archives(wheelegg.New)},
		".spdx":     {&bitnamiParser},
		".json":     {&condaParser, installedBy(depsjson.New, endsIn(".deps.json"))},
		".xml":      {installedBy(flatpak.New, endsIn("metainfo.xml"))},
		".php":      {installedBy(plugins.New, inWordPressPlugin)},
	}
	jars := []*parser{jarParser()}
	for _, ext := range []string{".jar", ".war", ".ear", ".jmod", ".par", ".sar", ".jpi", ".hpi", ".lpkg", ".nar"} {
		byExt[ext] = jars
	}
	return byName, byExt
}
