import { change, path } from "./fetch";
import type { Counts } from "./finding";
import type { Status } from "./images";
import { one, pages } from "./query";

export interface Repository {
  name: string;
  created: string;
  images: number;
  tags: number;
  size: number;
  pushed?: string;
  pulled?: string;
  counts: Counts;
  byStatus?: Partial<Record<Status, number>>;
}

export interface Tag {
  repository: string;
  name: string;
  digest: string;
  updated: string;
  by?: string;
}

export const repositories = (search: string, sort: string) => pages<Repository>("/repositories", { search, sort });
export const repository = (name: string) => one<Repository>(path`/repositories/${name}`);
export const tags = (name: string) => pages<Tag>(path`/repositories/${name}/tags`);
export const tagsFile = (name: string) => path`/repositories/${name}/tags`;
export const deleteTag = (name: string, tag: string) => change("DELETE", path`/repositories/${name}/tags/${tag}`);
