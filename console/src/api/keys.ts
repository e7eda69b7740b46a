import { change } from "./fetch";
import { one } from "./query";

export interface Keys {
  encrypted: boolean;
  provider?: string;
  healthy: boolean;
  error?: string;
  checked?: string;
  next?: string;
  items: { id: string; purpose: string; created: string; wrapped?: string; current: boolean }[] | null;
}

export const keys = () => one<Keys>("/keys");
export const rotateKeys = (dataKeys: boolean) => change<Keys>("POST", "/keys/rotate", { body: { dataKeys } });
