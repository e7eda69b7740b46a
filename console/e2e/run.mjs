// Walks through the console in Chromium: npm run e2e -- [--url http://hub] [--user name] [--password password] [--out folder]
// Without a URL it walks the made-up hub of dev/. For each page, wide and narrow, light and dark, it checks that
// nothing was written to the browser's console as an error, that nothing stands out of the page to the right, and that
// axe finds no serious fault of accessibility; and it takes a picture. Before that it works. Against the made-up hub: it
// makes an exception, releases an image, looks for the audit record and sees an image arrive. Against a real hub, as one
// of its administrators: it pushes an image from outside and does not reload until its findings are there, then asks for
// an exception, finds the record of it and changes a rule. --only names pages, or "work".
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { start } from "../dev/server.mjs";
import { image, push } from "./registry.mjs";

const { values: args } = parseArgs({
  options: {
    url: { type: "string" }, user: { type: "string", default: "mira" }, password: { type: "string", default: "seawall" },
    out: { type: "string", default: new URL("out", import.meta.url).pathname }, only: { type: "string" }, chromium: { type: "string", default: "/usr/bin/chromium" },
  },
});
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
mkdirSync(args.out, { recursive: true });

const server = args.url ? undefined : await start(0);
const url = args.url ?? `http://127.0.0.1:${server.address().port}`;
const browser = await chromium.launch({
  executablePath: args.chromium,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

const faults = [];
const fault = (where, text) => {
  faults.push(`${where}: ${text}`);
  console.error(`FAULT ${where}: ${text}`);
};

async function open(width, colorScheme) {
  // CSP stays on: axe is put in by the debugger, not by a script element.
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, ignoreHTTPSErrors: true, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.where = `${width} ${colorScheme}`;
  page.on("console", (m) => {
    const refused = /status of 40[13]/.test(m.text()); // asked on purpose: a wrong password, a code that is missing
    if (m.type() === "error" && !(refused && page.expectRefusal)) fault(page.where, m.text());
  });
  page.on("pageerror", (e) => fault(page.where, e.message));
  return page;
}

async function signIn(page) {
  await page.goto(`${url}/signin`);
  await page.getByLabel("Name").fill(args.user);
  await page.getByLabel("Password").fill(args.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
}

async function settled(page) {
  await page.locator(".bone").first().waitFor({ state: "detached", timeout: 8000 }).catch(() => fault(page.where, "still loading after 8 s"));
  await page.waitForFunction(() => [...document.querySelectorAll(".chart")].every((c) => c.innerText || c.querySelector("canvas"))).catch(() => fault(page.where, "no chart"));
  await page.evaluate(() => document.fonts.ready);
}

async function inspect(page, name) {
  await settled(page);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (over > 0) fault(page.where, `${over} px stand out of the page`);
  await page.screenshot({ path: `${args.out}/${name}.png` });
  // Fluent UI's guards at both ends of a tab list hand the focus on at once: nobody ever stands on one.
  const found = await page.evaluate(`${axe}; axe.run({ exclude: ["[data-tabster-dummy]"] }, { resultTypes: ["violations"] })`);
  for (const v of found.violations.filter((v) => v.impact === "serious" || v.impact === "critical")) {
    fault(page.where, `axe ${v.id}: ${v.help}; ${v.nodes.slice(0, 3).map((n) => `${n.target.join(" ")} ${n.any[0]?.message ?? ""}`).join(" | ")}`);
  }
}

// The pages that do not depend on what the hub holds, and those that are found by looking.
async function pages(page) {
  const list = [["overview", "/"], ["images", "/images"], ["repositories", "/repositories"], ["findings", "/findings"], ["advisories", "/advisories?search=ssl"], ["exceptions", "/exceptions"], ["outdated", "/outdated"],
    ["rules", "/rules"], ["effective", "/rules?tab=effective&repository=platform%2Fgateway"], ["users", "/users"], ["services", "/users?tab=services"], ["grants", "/users?tab=grants"], ["roles", "/users?tab=roles"], ["issuers", "/users?tab=issuers"], ["who-can", "/users?tab=who"],
    ["credentials", "/rules?tab=credentials"], ["keys", "/keys"], ["audit", "/audit"], ["jobs", "/jobs"], ["targets", "/notifications"], ["notify-rules", "/notifications?tab=rules"], ["deliveries", "/notifications?tab=log"],
    ["system", "/settings"], ["database", "/settings?tab=database"], ["settings", "/settings?tab=settings"], ["account", "/settings?tab=account"], ["missing", "/nothing"]];
  const get = (resource) => page.evaluate((r) => fetch(`/api/v1${r}`).then((a) => a.json()), resource);
  const m = (await get("/images?kind=image&sort=verdict&limit=1")).items?.[0];
  if (m) {
    const at = `/repositories/${encodeURIComponent(m.repository)}`;
    list.push(["repository", at], ["tags", `${at}?tab=tags`]);
    for (const tab of ["findings", "packages", "secrets", "checks", "layers", "executables", "custody"]) list.push([`image-${tab}`, `${at}/images/${m.digest}?tab=${tab}`]);
  }
  const t = (await get("/findings?type=vulnerability&limit=1")).items?.[0];
  if (t) list.push(["finding", `/findings/${t.key}`], ["advisory", `/advisories/${t.id}`]);
  return list.filter(([name]) => !args.only || args.only.split(",").includes(name));
}

async function walk(width, scheme) {
  const page = await open(width, scheme);
  await signIn(page);
  for (const [name, path] of await pages(page)) {
    page.where = `${name} ${width} ${scheme}`;
    await page.goto(url + path);
    await page.locator("h1").waitFor();
    await inspect(page, `${name}-${width}-${scheme}`);
  }
  await page.context().close();
}

// What a person does with a real hub. Nothing of it needs the advisory database: a starter set knows lodash.
async function workForReal() {
  const page = await open(1280, "light");
  const tag = Date.now().toString(36);
  page.where = "push";
  await signIn(page);
  await page.goto(`${url}/images`);
  await page.getByText("Live", { exact: true }).waitFor();
  const files = { "etc/os-release": 'ID=debian\nVERSION_ID="12"\n', "app/node_modules/lodash/package.json": '{"name":"lodash","version":"4.17.11"}', "app/tag": tag };
  await push(url, { name: args.user, password: args.password }, "e2e/app", tag, image({ layers: [{ files }] }));
  await page.getByRole("link", { name: `e2e/app:${tag}` }).click({ timeout: 20_000 }); // without a reload
  await page.getByRole("table", { name: "Findings" }).getByRole("button", { name: "CVE-2019-10744" }).click({ timeout: 60_000 });
  page.where = "exception";
  await page.getByRole("button", { name: "Make an exception…" }).click();
  const reason = `The walk ${tag} says so`;
  await page.getByRole("textbox", { name: "Reason" }).fill(reason);
  await page.getByRole("button", { name: "Ask for it" }).click();
  await page.getByRole("textbox", { name: "Reason" }).waitFor({ state: "detached" });
  await page.waitForFunction(() => document.activeElement?.closest("[role=dialog]"));
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  page.where = "custody";
  await page.getByRole("tab", { name: "Chain of custody" }).click();
  await page.getByRole("link", { name: /Audit record/ }).first().click();
  await page.getByRole("dialog").getByText("e2e/app").first().waitFor();
  page.where = "audit";
  await page.goto(`${url}/audit`);
  await page.getByRole("button", { name: "exception.request" }).first().click();
  await page.getByRole("dialog").getByText(reason).first().waitFor();
  await page.keyboard.press("Escape");
  page.where = "rule";
  await page.goto(`${url}/rules`);
  await page.getByRole("button", { name: "New rule…" }).click();
  await ruleWithTrust(page, `walk ${tag}`);
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByRole("row").filter({ hasText: `walk ${tag}` }).getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await authenticator(page);
  await page.context().close();
}

const publicKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "pem" });

async function ruleWithTrust(page, name) {
  await page.getByRole("textbox", { name: "Name", exact: true }).fill(name);
  await page.getByRole("textbox", { name: "Repositories" }).fill("nothing/here");
  await page.getByRole("button", { name: "Require a signature" }).click();
  await page.getByRole("textbox", { name: "Name of the signer" }).fill("release");
  await page.getByRole("textbox", { name: "Public keys" }).fill(publicKey);
  await inspect(page, "rule-trust-1280-light");
}

// The way to an authenticator as far as its QR code; it is not confirmed, so nothing changes.
async function authenticator(page) {
  page.where = "authenticator";
  await page.goto(`${url}/settings?tab=account`);
  await page.getByRole("button", { name: "Add an authenticator…" }).click();
  await page.getByLabel("Your password").fill(args.password);
  await page.getByRole("button", { name: "Go on" }).click();
  await page.waitForFunction(() => document.querySelector("img.qr")?.naturalWidth > 0);
  await inspect(page, "authenticator-1280-light");
}

// What a person does with the made-up hub.
async function work() {
  const page = await open(1280, "light");
  page.where = "sign-in";
  page.expectRefusal = true;
  await page.goto(`${url}/images?status=rejected`);
  await page.waitForURL(/signin\?back=/);
  await inspect(page, "signin-1280-light");
  await page.getByLabel("Name").fill("totp");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Password").fill("seawall");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByLabel("Code of your authenticator").fill("123456");
  await inspect(page, "signin-totp-1280-light");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.waitForURL(/images\?status=rejected/); // the deep link is kept
  page.expectRefusal = false;
  page.where = "exception";
  await page.getByRole("row").nth(1).getByRole("link").click();
  await page.getByRole("table", { name: "Findings" }).getByRole("button").filter({ hasText: "CVE-" }).first().click();
  await inspect(page, "finding-panel-1280-light");
  await page.getByRole("button", { name: "Make an exception…" }).click();
  await page.getByRole("textbox", { name: "Reason" }).fill("Not reachable from outside");
  await inspect(page, "exception-form-1280-light");
  await page.getByRole("button", { name: "Ask for it" }).click();
  await page.getByRole("textbox", { name: "Reason" }).waitFor({ state: "detached" });
  await page.waitForFunction(() => document.activeElement?.closest("[role=dialog]")); // the focus is back in the panel
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  page.where = "release";
  await page.getByRole("button", { name: "Release…" }).click();
  await page.getByRole("textbox", { name: "Reason" }).fill("Needed today");
  await inspect(page, "release-form-1280-light");
  await page.getByRole("dialog").getByRole("button", { name: "Release" }).click();
  await page.getByText("Released by hand").first().waitFor();
  page.where = "keyboard";
  await page.keyboard.press("g");
  await page.keyboard.press("a");
  await page.getByRole("button", { name: "image.release" }).first().click();
  await page.getByRole("dialog").getByText("Needed today").first().waitFor();
  await inspect(page, "audit-record-1280-light");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("/");
  await page.keyboard.type("CVE-2026-10001");
  await page.keyboard.press("Enter");
  await page.waitForURL(/advisories\/CVE-2026-10001/);
  await page.locator("h1").focus();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await inspect(page, "shortcuts-1280-light");
  page.where = "live";
  await page.keyboard.press("Escape");
  await page.goto(`${url}/images`);
  await page.getByText("Live", { exact: true }).waitFor();
  await page.evaluate(async () => {
    const { csrf } = await (await fetch("/api/v1/session")).json();
    await fetch("/api/v1/arrive", { method: "POST", headers: { "X-CSRF-Token": csrf }, body: '{"repository":"live/app"}' });
  });
  await page.getByRole("link", { name: "live/app:1" }).waitFor({ timeout: 5000 }); // without a reload
  page.where = "rule form";
  await page.goto(`${url}/rules`);
  await page.getByRole("button", { name: "production" }).click();
  await page.getByRole("dialog").waitFor();
  await inspect(page, "rule-form-1280-light");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "New rule…" }).click();
  await ruleWithTrust(page, "signed");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await authenticator(page);
  page.where = "new password";
  await page.getByRole("button", { name: /Account of/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.waitForURL(/signin/);
  await page.getByLabel("Name").fill("eve");
  await page.getByLabel("Password").fill("seawall");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByLabel("Password that you were given").waitFor();
  await inspect(page, "signin-new-password-1280-light");
  await page.context().close();
}

try {
  if (!args.only || args.only === "work") await (args.url ? workForReal() : work());
  for (const [width, scheme] of args.only === "work" ? [] : [[1280, "light"], [1280, "dark"], [390, "light"]]) await walk(width, scheme);
} catch (e) {
  fault("walk", e.stack);
} finally {
  await browser.close();
  server?.close();
  server?.closeAllConnections();
}
console.log(faults.length === 0 ? `no fault; pictures in ${args.out}` : `${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
