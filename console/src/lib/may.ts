// What the signed-in person may do. The hub decides; the console only leaves out what would be refused.

export interface Scope {
  kind: "all" | "cluster" | "namespace" | "repository";
  name?: string;
}

export interface Permission {
  action: string;
  scope: Scope;
}

/** may reports whether one of the permissions allows action, on repository if one is given. */
export function may(permissions: Permission[] | undefined, action: string, repository?: string): boolean {
  return (permissions ?? []).some((p) => p.action === action && covers(p.scope, repository));
}

function covers(scope: Scope, repository: string | undefined): boolean {
  if (scope.kind === "all" || repository === undefined) return true;
  return scope.kind === "repository" && matchPath(scope.name ?? "", repository);
}

/** matchPath matches a shell pattern over a slash-separated name; "**" stands for any number of elements. */
export function matchPath(pattern: string, name: string): boolean {
  const source = pattern
    .replace(/^\//, "")
    .split("/")
    .map((element) => (element === "**" ? "**" : elementSource(element)));
  let expression = "";
  source.forEach((element, i) => {
    if (element !== "**") expression += (i > 0 && source[i - 1] !== "**" ? "/" : "") + element;
    else if (i === source.length - 1) expression += i === 0 ? ".*" : "(?:/.*)?";
    else expression += i === 0 ? "(?:.*/)?" : "/(?:.*/)?";
  });
  try {
    return new RegExp(`^${expression}$`).test(name);
  } catch {
    return false; // a bracket that is left open: such a pattern matches nothing
  }
}

function elementSource(element: string): string {
  return element.replace(/[.+^${}()|\\]/g, "\\$&").replace(/\*/g, "[^/]*").replace(/\?/g, "[^/]");
}
