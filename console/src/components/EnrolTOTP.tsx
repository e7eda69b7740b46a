import { Button, Field, Input } from "@fluentui/react-components";
import { useMutation } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { beginTOTP, confirmTOTP, type Enrolment } from "../api/session";
import { Line } from "../ui/controls";
import { Fault } from "../ui/Fault";

/** EnrolTOTP adds an authenticator: the password anew, the code to scan, a first code, the recovery codes. */
export function EnrolTOTP({ onDone }: { onDone: () => void }) {
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const begin = useMutation({ mutationFn: () => beginTOTP(password) });
  const confirm = useMutation({ mutationFn: () => confirmTOTP(code.trim()) });
  if (confirm.data) return <Recovery codes={confirm.data.codes} onDone={onDone} />;
  if (!begin.data) {
    return (
      <Step submit="Go on" fault={begin.error} ready={password !== "" && !begin.isPending} act={begin.mutate}>
        <p>An authenticator app gives a code of six digits that is asked for beside the password.</p>
        <Field label="Your password" required>
          <Input type="password" autoComplete="current-password" value={password} onChange={(_, d) => setPassword(d.value)} />
        </Field>
      </Step>
    );
  }
  return (
    <Step submit="Confirm" fault={confirm.error} ready={code.trim().length >= 6 && !confirm.isPending} act={confirm.mutate}>
      <Scan enrolment={begin.data} />
      <Field label="Code that it shows" required>
        <Input inputMode="numeric" autoComplete="one-time-code" value={code} onChange={(_, d) => setCode(d.value)} />
      </Field>
    </Step>
  );
}

function Step(props: { submit: string; ready: boolean; fault: Error | null; act: () => void; children: ReactNode }) {
  return (
    <form
      className="form"
      onSubmit={(e) => {
        e.preventDefault();
        props.act();
      }}
    >
      {props.children}
      {props.fault && <Fault fault={props.fault} />}
      <div>
        <Button type="submit" appearance="primary" disabled={!props.ready}>
          {props.submit}
        </Button>
      </div>
    </form>
  );
}

function Scan({ enrolment: e }: { enrolment: Enrolment }) {
  return (
    <>
      <p>Scan this with your authenticator, then type the code that it shows.</p>
      <img className="qr" src={`data:image/png;base64,${e.png}`} alt="The secret below as a QR code" width={200} height={200} />
      <p className="dim">
        Or type the secret, or <a className="sw-link" href={e.url}>open it on the device that has the authenticator</a>.
      </p>
      <Line text={e.secret} what="the secret" />
    </>
  );
}

function Recovery({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  return (
    <div className="form">
      <p>Store these recovery codes. Each replaces a code of the authenticator once; they are not shown again.</p>
      <pre className="text">{codes.join("\n")}</pre>
      <div>
        <Button appearance="primary" onClick={onDone}>
          I have stored them
        </Button>
      </div>
    </div>
  );
}
