import { afterEach, expect, it, vi } from "vitest";
import { stale } from "./events";
import { address, change, get, path, Problem, setCSRF, whenSignedOut } from "./fetch";

const answer = (status: number, body: unknown, type = "application/json") =>
  vi.stubGlobal("fetch", vi.fn(async () => new Response(body === undefined ? null : JSON.stringify(body), { status, headers: { "Content-Type": type } })));

afterEach(() => vi.unstubAllGlobals());

it("encodes each value as one segment", () => expect(path`/repositories/${"team/app"}/tags/${"a b"}`).toBe("/repositories/team%2Fapp/tags/a%20b"));

it("leaves empty parameters out", () => expect(address("/images", { search: "", status: "rejected", deleted: false, limit: 0 })).toBe("/api/v1/images?status=rejected&limit=0"));

it("sends the CSRF token and a key with what changes something", async () => {
  answer(204, undefined);
  setCSRF("secret");
  expect(await change("POST", "/x", { body: { a: 1 }, etag: '"1"' })).toBeUndefined();
  const [, options] = vi.mocked(fetch).mock.calls[0]!;
  expect(options?.headers).toMatchObject({ "X-CSRF-Token": "secret", "If-Match": '"1"', "Content-Type": "application/json", "Idempotency-Key": expect.any(String) });
});

it("turns problem+json into a Problem", async () => {
  answer(422, { type: "about:blank", title: "A field is wrong", status: 422, errors: [{ field: "name", message: "is empty" }] }, "application/problem+json");
  const fault = await get("/x").catch((e: unknown) => e);
  expect(fault).toBeInstanceOf(Problem);
  expect(fault).toMatchObject({ status: 422, title: "A field is wrong", errors: [{ field: "name", message: "is empty" }] });
});

it("says so when the answer is no problem+json, and when there is none", async () => {
  vi.stubGlobal("fetch", vi.fn(async () => new Response("<html>", { status: 502 })));
  expect(await get("/x").catch((e: unknown) => e)).toMatchObject({ status: 502 });
  vi.stubGlobal("fetch", vi.fn(async () => Promise.reject(new TypeError("failed"))));
  expect(await get("/x").catch((e: unknown) => e)).toMatchObject({ status: 0, title: "The hub does not answer" });
});

it("tells when the session is over, but not when a sign-in is refused", async () => {
  const over = vi.fn();
  whenSignedOut(over);
  answer(401, { title: "Not signed in", status: 401 });
  await change("POST", "/session", { body: {} }).catch(() => {});
  expect(over).not.toHaveBeenCalled();
  await get("/images").catch(() => {});
  expect(over).toHaveBeenCalledOnce();
});

it.each([["images", "/images", true], ["images", "/repositories/team%2Fapp", true], ["images", "/audit", false], ["audit", "/audit/checkpoint", true], ["resync", "/keys", true], ["nothing", "/images", false], ["audit", "/auditors", false]])(
  "an event of %s and %s", (topic, resource, want) => expect(stale(topic, resource)).toBe(want),
);
