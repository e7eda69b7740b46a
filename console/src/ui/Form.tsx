import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle } from "@fluentui/react-components";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useSay } from "./say";
import { Fault } from "./Fault";
import { useFocusBack } from "./useFocusBack";

/** FormDialog asks for something and does it. It stays open, with the fault, when that fails. */
export function FormDialog(props: {
  title: string;
  submit: string;
  danger?: boolean;
  wide?: boolean;
  ready?: boolean;
  /** done is what is said afterwards; "" says nothing. */
  done?: string;
  /** keep leaves closing to the caller, who shows something next. */
  keep?: boolean;
  onSubmit: () => Promise<unknown>;
  onClose: () => void;
  children?: ReactNode;
}) {
  useFocusBack();
  const say = useSay();
  const act = useMutation({
    mutationFn: props.onSubmit,
    onSuccess: () => {
      if (props.done) say(props.done);
      if (!props.keep) props.onClose();
    },
  });
  return (
    <Dialog open onOpenChange={(_, d) => !d.open && !act.isPending && props.onClose()}>
      <DialogSurface style={{ maxWidth: props.wide ? 860 : 560 }}>
        <form
          onSubmit={(e) => {
            e.preventDefault();
            act.mutate();
          }}
        >
          <DialogBody>
            <DialogTitle>{props.title}</DialogTitle>
            <DialogContent>
              <div className="form">
                {props.children}
                {act.error && <Fault fault={act.error} />}
              </div>
            </DialogContent>
            <DialogActions>
              <Button onClick={props.onClose} disabled={act.isPending}>
                Cancel
              </Button>
              <Button type="submit" appearance="primary" disabled={act.isPending || props.ready === false} style={props.danger ? { backgroundColor: "#b3122f", color: "#fff" } : undefined}>
                {act.isPending ? "Working…" : props.submit}
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}

/** Notice shows something once: a secret that is not stored. */
export function Notice(props: { title: string; onClose: () => void; children: ReactNode }) {
  useFocusBack();
  return (
    <Dialog open modalType="alert">
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{props.title}</DialogTitle>
          <DialogContent>
            <div className="form">{props.children}</div>
          </DialogContent>
          <DialogActions>
            <Button appearance="primary" onClick={props.onClose}>
              I have stored it
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
