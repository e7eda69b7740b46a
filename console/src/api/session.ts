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

/** Enrolment is what an authenticator needs: secret in base32, url "otpauth://…", png that URL as QR code in base64. */
export interface Enrolment {
  secret: string;
  url: string;
  png: string;
}

export const beginTOTP = (password: string) => change<Enrolment>("POST", "/session/totp", { body: { password } });
export const confirmTOTP = (code: string) => change<{ codes: string[] }>("POST", "/session/totp/confirm", { body: { code } });
export const removeTOTP = (password: string, code: string) => change("DELETE", "/session/totp", { body: { password, code } });
