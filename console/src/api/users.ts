import type { Permission, Scope } from "../lib/may";
import { change, path } from "./fetch";
import { one, type List } from "./query";

export interface User {
  id: string;
  name: string;
  email?: string;
  provider?: string;
  groups?: string[];
  hasTotp: boolean;
  mustChangePassword?: boolean;
  disabled: boolean;
  created: string;
  lastSignIn?: string;
  failures?: number;
  lockedUntil?: string;
}

export interface Service {
  id: string;
  name: string;
  title?: string;
  disabled: boolean;
  created: string;
}

export interface Role {
  name: string;
  title?: string;
  actions: string[] | null;
  builtin: boolean;
}

export interface Grant {
  id: number;
  subject: string;
  role: string;
  scope: Scope;
}

export interface Issuer {
  id: string;
  url: string;
  audience: string;
  keys?: string;
  claims?: Record<string, string>;
  subject: string;
  grants: Grant[] | null;
}

export interface Token {
  id: string;
  kind: string;
  subject: string;
  title?: string;
  narrow?: Permission[];
  created: string;
  expires: string;
  used?: string;
  address?: string;
  agent?: string;
}

export interface Holder {
  subject: string;
  name?: string;
  role: string;
  scope: Scope;
}

export type TokenCreated = { token: Token; secret: string };

export const users = (search: string) => one<List<User>>("/users", { search });
export const createUser = (body: { name: string; email?: string; roles?: string[] }) =>
  change<{ user: User; password?: string }>("POST", "/users", { body });
export const changeUser = (id: string, body: { email?: string; groups?: string[]; disabled?: boolean; unlock?: boolean }) =>
  change<User>("PATCH", path`/users/${id}`, { body });
export const removeUserTOTP = (id: string) => change("DELETE", path`/users/${id}/totp`);
export const deleteUser = (id: string) => change("DELETE", path`/users/${id}`);
export const resetPassword = (id: string) => change<{ password?: string }>("POST", path`/users/${id}/password`, { body: {} });

export const services = () => one<List<Service>>("/services");
export const createService = (body: { name: string; title?: string; roles?: string[] }) => change<Service>("POST", "/services", { body });
export const changeService = (id: string, body: { title?: string; disabled?: boolean }) => change<Service>("PATCH", path`/services/${id}`, { body });
export const deleteService = (id: string) => change("DELETE", path`/services/${id}`);
export const secrets = (id: string) => one<List<Token>>(path`/services/${id}/secrets`);
export const createSecret = (id: string, title: string, expires: string) =>
  change<TokenCreated>("POST", path`/services/${id}/secrets`, { body: { title, expires } });

export const roles = () => one<List<Role>>("/roles");
/** putRole makes a role, or changes the one of that name. */
export const putRole = (body: Role) => change<Role>("POST", "/roles", { body });
export const deleteRole = (name: string) => change("DELETE", path`/roles/${name}`);

export const grants = (subject = "") => one<List<Grant>>("/grants", { subject });
export const createGrant = (subject: string, role: string, scope: Scope) =>
  change<Grant>("POST", "/grants", { body: { id: 0, subject, role, scope } });
export const deleteGrant = (id: number) => change("DELETE", path`/grants/${id}`);

export const issuers = () => one<List<Issuer>>("/issuers");
/** putIssuer makes an issuer, or changes the one of that id. */
export const putIssuer = (body: Issuer) => change<Issuer>("POST", "/issuers", { body });
export const deleteIssuer = (id: string) => change("DELETE", path`/issuers/${id}`);

export const whoCan = (action: string, repository: string) => one<List<Holder>>("/who-can", { action, repository });

export const tokens = () => one<List<Token>>("/tokens");
export const createToken = (title: string, expires: string, narrow?: Permission[]) =>
  change<TokenCreated>("POST", "/tokens", { body: { title, expires, narrow } });
export const deleteToken = (id: string) => change("DELETE", path`/tokens/${id}`);
export const sessions = (user = "") => one<List<Token>>("/sessions", { user });
