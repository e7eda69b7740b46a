import { Field, Input } from "@fluentui/react-components";
import { useState } from "react";
import type { TokenCreated } from "../../api/users";
import { dayEnd, inDays } from "../../lib/time";
import { Line } from "../../ui/controls";
import { FormDialog, Notice } from "../../ui/Form";
import { useRefresh } from "../../ui/useAct";
import { useHost } from "../FirstPush";

/** NewSecret makes a token or a secret and shows it once. */
export function NewSecret(props: { title: string; user: string; make: (title: string, expires: string) => Promise<TokenCreated>; onClose: () => void }) {
  const [title, setTitle] = useState("");
  const [until, setUntil] = useState(inDays(90));
  const [made, setMade] = useState<TokenCreated>();
  const refresh = useRefresh();
  const host = useHost();
  if (made) {
    return (
      <Notice title={props.title} onClose={props.onClose}>
        <p>Store it now: it is not shown again.</p>
        <Line text={made.secret} what="the secret" />
        <p>To use it with Docker, give it as the password to:</p>
        <Line text={`docker login ${host} -u ${props.user}`} />
      </Notice>
    );
  }
  return (
    <FormDialog
      title={props.title}
      submit="Make it"
      ready={title.trim() !== "" && until !== ""}
      onClose={() => made === undefined && props.onClose()}
      keep
      onSubmit={async () => {
        setMade(await props.make(title.trim(), dayEnd(until)));
        await refresh("/tokens", "/services");
      }}
    >
      <Field label="What it is for" required><Input value={title} onChange={(_, d) => setTitle(d.value)} /></Field>
      <Field label="Until the end of" hint="At most a year ahead" required><Input type="date" min={inDays(1)} max={inDays(364)} value={until} onChange={(_, d) => setUntil(d.value)} /></Field>
    </FormDialog>
  );
}
