import { Button, Field, Input } from "@fluentui/react-components";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { beginTOTP, confirmTOTP } from "../api/session";
import { Line } from "../ui/controls";
import { Fault } from "../ui/Fault";

/** EnrolTOTP adds an authenticator: its secret, a first code, the recovery codes. */
export function EnrolTOTP({ onDone }: { onDone: () => void }) {
  const [code, setCode] = useState("");
  const begin = useMutation({ mutationFn: beginTOTP });
  const confirm = useMutation({ mutationFn: () => confirmTOTP(code) });
  if (confirm.data) {
    return (
      <div className="form">
        <p>Store these recovery codes. Each replaces a code of the authenticator once; they are not shown again.</p>
        <pre className="text">{confirm.data.codes.join("\n")}</pre>
        <Button appearance="primary" onClick={onDone}>
          I have stored them
        </Button>
      </div>
    );
  }
  if (!begin.data) {
    return (
      <div className="form">
        <p>An authenticator gives a code of six digits that is asked for beside the password.</p>
        {begin.error && <Fault fault={begin.error} />}
        <Button appearance="primary" disabled={begin.isPending} onClick={() => begin.mutate()}>
          Add an authenticator
        </Button>
      </div>
    );
  }
  return (
    <form
      className="form"
      onSubmit={(e) => {
        e.preventDefault();
        confirm.mutate();
      }}
    >
      <p>Type this secret into your authenticator, or open the link on the device that has it. Then type the code that it shows.</p>
      <Line text={begin.data.secret} what="the secret" />
      <a className="sw-link wrap" href={begin.data.uri}>
        Open in an authenticator
      </a>
      <Field label="Code" required>
        <Input inputMode="numeric" autoComplete="one-time-code" value={code} onChange={(_, d) => setCode(d.value)} />
      </Field>
      {confirm.error && <Fault fault={confirm.error} />}
      <Button type="submit" appearance="primary" disabled={confirm.isPending || code.length < 6}>
        Confirm
      </Button>
    </form>
  );
}
