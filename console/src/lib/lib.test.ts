import { describe, expect, it } from "vitest";
import { toCSV } from "./csv";
import { bytes, count, mode, parseBytes, percent, plural, short } from "./format";
import { matchPath, may, type Permission } from "./may";
import { imagePath, isAdvisory, parseReference, searchTarget } from "./names";
import { toRule, toText } from "./ruleForm";
import { emptySigner } from "./trustForm";
import { ago, date, dateTime, dayEnd, inDays, known, past } from "./time";

const d = `sha256:${"ab".repeat(32)}`;

describe("format", () => {
  it.each([[0, "0 B"], [1023, "1023 B"], [1536, "1.5 KiB"], [405 * 1024 ** 2, "405 MiB"], [-1, ""], [Number.NaN, ""]])("bytes of %d", (n, want) => expect(bytes(n)).toBe(want));
  it.each([["10 GiB", 10 * 1024 ** 3], ["500M", 500 * 1024 ** 2], ["1024", 1024], ["1.5kb", 1536]])("reads %s", (text, want) => expect(parseBytes(text)).toBe(want));
  it.each(["", "ten", "-1", "1 XB"])("refuses %j as a size", (text) => expect(parseBytes(text)).toBeNaN());
  it("writes numbers", () => {
    expect(count(12345)).toBe("12,345");
    expect(plural(1, "image")).toBe("1 image");
    expect(plural(2, "repository", "repositories")).toBe("2 repositories");
    expect(percent(0.004)).toBe("0.4 %");
    expect(short(d)).toBe("sha256:abababababab");
    expect(mode(0o4755)).toBe("4755");
  });
});

describe("time", () => {
  const now = Date.parse("2026-11-21T12:00:00Z");
  it.each([["2026-11-21T11:59:30Z", "just now"], ["2026-11-21T11:00:00Z", "1 h ago"], ["2026-11-20T11:00:00Z", "1 day ago"], ["2026-11-26T12:00:00Z", "in 5 days"], ["0001-01-01T00:00:00Z", ""], ["rubbish", ""]])("ago of %s", (t, want) => expect(ago(t, now)).toBe(want));
  it("knows Go's zero time", () => {
    expect(known("0001-01-01T00:00:00Z")).toBe(false);
    expect(past("0001-01-01T00:00:00Z")).toBe(false);
    expect(dateTime(undefined)).toBe("");
    expect(date("rubbish")).toBe("");
  });
  it("ends a day where the next begins", () => {
    expect(new Date(dayEnd("2026-12-31")).getTime()).toBe(new Date("2027-01-01T00:00:00").getTime());
    expect(dayEnd("")).toBe("");
    expect(inDays(1, new Date(2026, 11, 31))).toBe("2027-01-01");
  });
});

describe("names", () => {
  it.each([
    ["team/app", { repository: "team/app" }],
    ["hub:5000/team/app:1", { repository: "team/app", tag: "1" }],
    [`hub:5000/team/app:1@${d}`, { repository: "team/app", tag: "1", digest: d }],
    ["localhost:9/x", { repository: "localhost:9/x" }],
  ])("reads %s", (text, want) => expect(parseReference(text, "hub:5000")).toEqual(want));
  it.each(["CVE-2026-1234", "cve-2021-44228", "GHSA-jfh8-c2jp-5v3q", "DSA-5500-1", "RUSTSEC-2024-0001", "MAL-2024-1"])("%s is an advisory", (t) => expect(isAdvisory(t)).toBe(true));
  it.each(["team/app", "app-2026-1", "go-app", "CVE", d])("%s is none", (t) => expect(isAdvisory(t)).toBe(false));
  it.each([
    ["cve-2026-1234", "/advisories/CVE-2026-1234"],
    [`hub/team/app@${d}`, imagePath("team/app", d)],
    ["hub/team/app", "/images?search=team%2Fapp"],
    ["abababababab", "/images?search=abababababab"],
  ])("searching %s goes to %s", (text, want) => expect(searchTarget(text, "hub")).toBe(want));
  it("encodes a repository as one segment", () => expect(imagePath("team/app", d)).toBe(`/repositories/team%2Fapp/images/${d}`));
});

describe("may", () => {
  it.each([
    ["a/**", "a/b/c", true], ["a/**", "a", true], ["**/c", "a/b/c", true], ["**/c", "c", true], ["a/**/c", "a/c", true], ["a/**/c", "a/b/b/c", true],
    ["a/*", "a/b/c", false], ["a/?.x", "a/b.x", true], ["a.b/*", "acb/x", false], ["**", "a/b", true], ["", "a", false], ["[a-", "a", false],
  ])("%s on %s", (pattern, name, want) => expect(matchPath(pattern, name)).toBe(want));
  const on = (kind: "all" | "repository", name?: string): Permission[] => [{ action: "image.push", scope: { kind, name } }];
  it("asks for the scope only where there is one", () => {
    expect(may(on("all"), "image.push", "x")).toBe(true);
    expect(may(on("repository", "team/*"), "image.push", "team/app")).toBe(true);
    expect(may(on("repository", "team/*"), "image.push", "other/app")).toBe(false);
    expect(may(on("repository", "team/*"), "image.push")).toBe(true);
    expect(may(undefined, "image.push")).toBe(false);
  });
});

describe("CSV", () => {
  it("quotes, and defuses formulas", () => expect(toCSV([["a,b", 'c"d', "=1+1", -1, undefined]])).toBe('"a,b","c""d",\'=1+1,-1,\r\n'));
});

const pem = "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n";

describe("the form of a rule", () => {
  it("gives back what it was given", () => {
    const rule = {
      id: 4, order: 10, name: "production", pattern: "prod/**", mode: "enforce" as const, gate: "max:\n  critical: 0\n", verdictMaxAge: "1d", owner: "platform", tags: { immutable: ["v*"] }, quota: 10 * 1024 ** 3,
      due: { critical: 1, high: 2, medium: 3, low: 4, exploited: 0 }, retention: { keepNewest: 5, keepTags: ["v*", "latest"] }, trust: { signers: [{ name: "release", keys: [pem] }], attestations: [{ predicate: "vulnerability-scan", maxAge: "1d", signer: { name: "scanner", keyless: { issuer: "https://ci.example", identity: "/.*/", root: "{}" } } }] }, mirror: { source: "registry.example/x", onPull: true, tags: ["stable"], every: "6h", platforms: ["linux/amd64"], ca: "PEM" },
    };
    const { id: _, ...input } = rule;
    expect(JSON.parse(JSON.stringify(toRule(toText(rule))))).toEqual(input);
  });
  it("leaves out what is not set", () => expect(toRule({ ...toText(), name: "x", pattern: "**" })).toEqual({ order: 10, name: "x", pattern: "**" }));
  it.each([[{ order: "ten" }, /Order/], [{ quota: "much" }, /Quota/], [{ trust: { signers: [emptySigner], attestations: [] } }, /name of a signer/],
    [{ trust: { signers: [{ ...emptySigner, name: "release", keys: "no PEM" }], attestations: [] } }, /paste PEM/],
    [{ trust: { signers: [{ ...emptySigner, name: "release", keys: "-----BEGIN EC PRIVATE KEY-----" }], attestations: [] } }, /private key/],
  ])("says what is wrong with %j", (change, want) => expect(() => toRule({ ...toText(), name: "x", pattern: "**", ...change })).toThrow(want));
});
