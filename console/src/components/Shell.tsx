import { Button, Menu, MenuDivider, MenuItem, MenuItemRadio, MenuList, MenuPopover, MenuTrigger, SearchBox, Tooltip } from "@fluentui/react-components";
import { NavigationRegular } from "@fluentui/react-icons/svg/navigation";
import { PersonRegular } from "@fluentui/react-icons/svg/person";
import { useQueryClient } from "@tanstack/react-query";
import { Suspense, useCallback, useEffect, useRef, useState } from "react";
import { Link, NavLink, Outlet, useLocation, useNavigate } from "react-router";
import { listen } from "../api/events";
import { setCSRF } from "../api/fetch";
import { session, signOut } from "../api/session";
import { searchTarget } from "../lib/names";
import { Boundary } from "../ui/Fault";
import { Bones } from "../ui/Page";
import { Says } from "../ui/say";
import { useTheme, type Choice } from "../ui/theme";
import { groups } from "./places";
import { useMay, useSession } from "./session";
import { Shortcuts, useShortcuts } from "./shortcuts";

/** Shell is the frame around every page of a signed-in person. */
export function Shell() {
  const [open, setOpen] = useState(false);
  const [help, setHelp] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const { pathname } = useLocation();
  useShortcuts(useCallback(() => field.current?.focus(), []), useCallback(() => setHelp(true), []));
  const main = useArrival(pathname);
  useEffect(() => setOpen(false), [pathname]);
  return (
    <>
      <a href="#main" className="skip">
        Skip to content
      </a>
      <div className="frame">
        <header className="top">
          <Button className="burger" appearance="subtle" icon={<NavigationRegular />} aria-label="Navigation" aria-expanded={open} onClick={() => setOpen(!open)} />
          <Link to="/" className="brand" aria-label="Seawall, overview">
            <img src="/favicon.svg" alt="" />
            <span>Seawall</span>
          </Link>
          <Find field={field} />
          <span className="grow" />
          <Live />
          <Me onHelp={() => setHelp(true)} />
        </header>
        <Navigation open={open} />
        <main className="main" id="main" tabIndex={-1} ref={main}>
          <Boundary key={pathname}>
            <Suspense fallback={<Bones lines={10} />}>
              <Outlet />
            </Suspense>
          </Boundary>
        </main>
      </div>
      {help && <Shortcuts onClose={() => setHelp(false)} />}
      <Says />
    </>
  );
}

// After going to another page the reader of a screen reader stands at its beginning, not at the old link.
function useArrival(pathname: string) {
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) {
      main.current?.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
    first.current = false;
  }, [pathname]);
  return main;
}

function Find({ field }: { field: React.RefObject<HTMLInputElement | null> }) {
  const [text, setText] = useState("");
  const navigate = useNavigate();
  return (
    <form
      className="search"
      role="search"
      aria-label="Everywhere"
      onSubmit={(e) => {
        e.preventDefault();
        if (text.trim()) void navigate(searchTarget(text, location.host));
      }}
    >
      <SearchBox input={{ ref: field }} aria-label="Search an image, a tag, a digest or an advisory" aria-keyshortcuts="/" placeholder="Search image, digest, CVE" value={text} onChange={(_, d) => setText(d.value)} />
    </form>
  );
}

function Navigation({ open }: { open: boolean }) {
  const may = useMay();
  return (
    <nav className={open ? "nav open" : "nav"} aria-label="Main">
      {groups.map((g) => {
        const places = g.places.filter((p) => !p.action || may(p.action));
        return (
          places.length > 0 && (
            <div key={g.title}>
              <h2>{g.title}</h2>
              <ul>
                {places.map((p) => (
                  <li key={p.to}>
                    <NavLink to={p.to} end={p.to === "/"}>
                      {p.icon}
                      {p.text}
                    </NavLink>
                  </li>
                ))}
              </ul>
            </div>
          )
        );
      })}
    </nav>
  );
}

function Live() {
  const client = useQueryClient();
  const [live, setLive] = useState(false);
  useEffect(() => listen(client, setLive), [client]);
  return (
    <Tooltip content={live ? "The hub tells of changes as they happen" : "No connection for live updates; trying again"} relationship="description">
      <span className={live ? "live on" : "live"} role="status">
        {live ? "Live" : "Offline"}
      </span>
    </Tooltip>
  );
}

function Me({ onHelp }: { onHelp: () => void }) {
  const who = useSession()?.principal;
  const { choice, choose } = useTheme();
  const client = useQueryClient();
  const navigate = useNavigate();
  const leave = async () => {
    await signOut().catch(() => {}); // the session may be over already
    setCSRF("");
    await client.cancelQueries();
    await client.fetchQuery({ ...session(), staleTime: 0 }); // the frame sends whoever is not signed in to sign in
    await navigate("/signin");
    client.removeQueries({ predicate: (q) => q.queryKey[0] !== "/session" });
  };
  return (
    <Menu checkedValues={{ theme: [choice] }} onCheckedValueChange={(_, d) => choose(d.checkedItems[0] as Choice)}>
      <MenuTrigger disableButtonEnhancement>
        <Button appearance="subtle" icon={<PersonRegular />} aria-label={`Account of ${who?.name ?? ""}`}>
          <span className="cut me-name" style={{ maxWidth: 140 }}>{who?.name}</span>
        </Button>
      </MenuTrigger>
      <MenuPopover>
        <MenuList>
          <MenuItem onClick={() => void navigate("/settings?tab=account")}>My account and tokens</MenuItem>
          <MenuItem onClick={onHelp} secondaryContent="?">
            Keyboard shortcuts
          </MenuItem>
          <MenuDivider />
          <MenuItemRadio name="theme" value="system">Colours of the system</MenuItemRadio>
          <MenuItemRadio name="theme" value="light">Light</MenuItemRadio>
          <MenuItemRadio name="theme" value="dark">Dark</MenuItemRadio>
          <MenuDivider />
          <MenuItem onClick={() => void leave()}>Sign out</MenuItem>
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}
