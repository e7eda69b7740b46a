import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { Problem } from "../api/fetch";
import type { Manifest } from "../api/images";
import { Fault } from "../ui/Fault";
import { CountsMark, SeverityMark, StatusMark, statusOf } from "./marks";

afterEach(cleanup);

it("names a severity in words", () => {
  render(<SeverityMark severity="critical" />);
  expect(screen.getByText("Critical")).toBeTruthy();
});

it("reads counts out", () => {
  render(<CountsMark counts={{ critical: 2, high: 14, medium: 0, low: 1200, negligible: 0, unknown: 0 }} />);
  expect(screen.getByRole("img", { name: "2 critical, 14 high, 0 medium, 1200 low" })).toBeTruthy();
});

it("shows a status, also one that it does not know", () => {
  render(<StatusMark status="quarantined" />);
  expect(screen.getByText("Quarantined")).toBeTruthy();
  render(<StatusMark status={"melted" as never} />);
  expect(screen.getByText("Melted")).toBeTruthy();
});

it("lets a person's decision count while it holds", () => {
  const m = (expires?: string) => ({ status: "rejected", override: { status: "released", by: "mira", reason: "", at: "", expires } }) as unknown as Manifest;
  expect(statusOf(m())).toEqual({ status: "released", byHand: true });
  expect(statusOf(m("0001-01-01T00:00:00Z"))).toEqual({ status: "released", byHand: true });
  expect(statusOf(m("2020-01-01T00:00:00Z"))).toEqual({ status: "rejected", byHand: false });
});

it("shows a problem in the hub's words", () => {
  render(<Fault fault={new Problem({ status: 403, title: "Not allowed", detail: "It needs image.push.", request: "ab12", errors: [{ field: "name", message: "is taken" }] })} />);
  const alert = screen.getByRole("alert").textContent;
  for (const text of ["Not allowed", "It needs image.push.", "ab12", "name: is taken"]) expect(alert).toContain(text);
});
