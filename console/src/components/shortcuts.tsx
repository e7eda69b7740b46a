import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle } from "@fluentui/react-components";
import { useEffect, useRef } from "react";
import { useNavigate } from "react-router";
import { useFocusBack } from "../ui/useFocusBack";
import { groups } from "./places";

/** useShortcuts listens for keys outside of fields: "/" searches, "g" and a letter goes, "?" lists them. */
export function useShortcuts(search: () => void, help: () => void) {
  const navigate = useNavigate();
  const pending = useRef(0);
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.metaKey || e.altKey || typing(e.target) || document.querySelector("[role=dialog]")) return;
      const going = Date.now() - pending.current < 1200;
      pending.current = 0;
      if (going) {
        const place = groups.flatMap((g) => g.places).find((p) => p.key === e.key);
        if (place) return void navigate(place.to);
      }
      if (e.key === "g") pending.current = Date.now();
      else if (e.key === "/") {
        e.preventDefault();
        search();
      } else if (e.key === "?") help();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [navigate, search, help]);
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Shortcuts lists them. */
export function Shortcuts({ onClose }: { onClose: () => void }) {
  useFocusBack();
  const lines: [string[], string][] = [
    [["/"], "Search"],
    [["?"], "This list"],
    ...groups.flatMap((g) => g.places.map((p): [string[], string] => [["g", p.key], p.text])),
  ];
  return (
    <Dialog open onOpenChange={(_, d) => !d.open && onClose()}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>Keyboard shortcuts</DialogTitle>
          <DialogContent>
            <dl className="facts keys">
              {lines.map(([keys, text]) => (
                <div key={text} style={{ display: "contents" }}>
                  <dt>
                    {keys.map((k) => (
                      <span key={k}>
                        <kbd>{k}</kbd>{" "}
                      </span>
                    ))}
                  </dt>
                  <dd>{text}</dd>
                </div>
              ))}
            </dl>
          </DialogContent>
          <DialogActions>
            <Button appearance="primary" onClick={onClose}>
              Close
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
