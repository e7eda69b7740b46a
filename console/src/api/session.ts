import type { Permission } from "../lib/may";
import { change } from "./fetch";
import { one } from "./query";

export interface Session {
  signedIn: boolean;
  principal?: { kind: string; id: string; name: string; groups?: string[] };
  must?: "password" | "totp" | "";
  permissions: Permission[];
  csrf?: string;
  expires?: string;
  providers: { id: string; title: string; url: string }[];
  banner?: string;
}

export const session = () => one<Session>("/session");

export const signIn = (name: string, password: string, totp?: string) =>
  change<Session>("POST", "/session", { body: { name, password, totp: totp || undefined } });

export const signOut = () => change("DELETE", "/session");

export const changePassword = (current: string, next: string) =>
  change("POST", "/session/password", { body: { current, new: next } });

export const beginTOTP = () => change<{ secret: string; uri: string }>("POST", "/session/totp");
export const confirmTOTP = (code: string) => change<{ codes: string[] }>("POST", "/session/totp/confirm", { body: { code } });
export const removeTOTP = (code: string) => change("DELETE", "/session/totp", { body: { code } });
