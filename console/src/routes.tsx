import type { ComponentType, ReactNode } from "react";
import { createBrowserRouter, type RouteObject } from "react-router";
import { Shell } from "./components/Shell";
import { Broken } from "./pages/broken";

// Each page is a file of its own that is fetched when it is first opened.
const page = (load: () => Promise<{ default: ComponentType }>): Pick<RouteObject, "lazy"> => ({
  lazy: async () => ({ Component: (await load()).default }),
});

/** routes is the router; guard stands around everything that needs somebody signed in. */
export function routes(Guard: ComponentType<{ children: ReactNode }>) {
  return createBrowserRouter([
    { path: "/signin", ErrorBoundary: Broken, HydrateFallback: Nothing, ...page(() => import("./pages/signin")) },
    {
      path: "/",
      element: (
        <Guard>
          <Shell />
        </Guard>
      ),
      ErrorBoundary: Broken,
      HydrateFallback: Nothing,
      children: [
        { index: true, ...page(() => import("./pages/overview")) },
        { path: "images", ...page(() => import("./pages/images")) },
        { path: "images/*", ...page(() => import("./pages/reference")) },
        { path: "repositories", ...page(() => import("./pages/repositories")) },
        { path: "repositories/:repository", ...page(() => import("./pages/repository")) },
        { path: "repositories/:repository/images/:digest", ...page(() => import("./pages/image")) },
        { path: "repositories/*", ...page(() => import("./pages/reference")) },
        { path: "findings", ...page(() => import("./pages/findings")) },
        { path: "findings/:key", ...page(() => import("./pages/finding")) },
        { path: "advisories", ...page(() => import("./pages/advisories")) },
        { path: "advisories/:id", ...page(() => import("./pages/advisory")) },
        { path: "exceptions", ...page(() => import("./pages/exceptions")) },
        { path: "exceptions/:id", ...page(() => import("./pages/exceptions")) },
        { path: "outdated", ...page(() => import("./pages/outdated")) },
        { path: "rules", ...page(() => import("./pages/rules")) },
        { path: "users", ...page(() => import("./pages/users")) },
        { path: "keys", ...page(() => import("./pages/keys")) },
        { path: "audit", ...page(() => import("./pages/audit")) },
        { path: "jobs", ...page(() => import("./pages/jobs")) },
        { path: "notifications", ...page(() => import("./pages/notifications")) },
        { path: "settings", ...page(() => import("./pages/settings")) },
        { path: "*", ...page(() => import("./pages/missing")) },
      ],
    },
  ]);
}

function Nothing() {
  return null;
}
