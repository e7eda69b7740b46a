import { QueryClientProvider, useQuery, useQueryClient } from "@tanstack/react-query";
import { StrictMode, useEffect, useMemo, type ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { Navigate, useLocation } from "react-router";
import { RouterProvider } from "react-router/dom";
import { setCSRF, whenSignedOut } from "./api/fetch";
import { newClient } from "./api/query";
import { session } from "./api/session";
import { routes } from "./routes";
import { Fault } from "./ui/Fault";
import { Theme } from "./ui/theme";
import "./ui/base.css";

function App() {
  const client = useMemo(newClient, []);
  const router = useMemo(() => routes(SignedIn), []);
  return (
    <StrictMode>
      <Theme>
        <QueryClientProvider client={client}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </Theme>
    </StrictMode>
  );
}

/** SignedIn shows its children to who is signed in and has nothing left to do first; others it sends to sign in. */
function SignedIn({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const here = useLocation();
  const { data, error, refetch } = useQuery({ ...session(), staleTime: 60_000 });
  if (data) setCSRF(data.csrf);
  useEffect(() => {
    whenSignedOut(() => void client.invalidateQueries({ queryKey: ["/session"] }));
  }, [client]);
  if (!data) return error ? <Fault fault={error} retry={() => void refetch()} /> : null;
  if (!data.signedIn || data.must) {
    const back = here.pathname + here.search;
    return <Navigate to={`/signin${back === "/" ? "" : `?back=${encodeURIComponent(back)}`}`} replace />;
  }
  return children;
}

createRoot(document.getElementById("root")!).render(<App />);
