import { Button, Field, Input, Textarea } from "@fluentui/react-components";
import { useState } from "react";
import { useNavigate } from "react-router";
import { deleteImage, liftOverride, overrideImage, type Manifest } from "../../api/images";
import { repositoryPath } from "../../lib/names";
import { dayEnd } from "../../lib/time";
import { FormDialog } from "../../ui/Form";
import { useAct, useRefresh } from "../../ui/useAct";

/** OverrideImage releases or rejects an image against its verdict. */
export function OverrideImage({ image: m, etag, status, onClose }: { image: Manifest; etag: string; status: "released" | "rejected"; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const [until, setUntil] = useState("");
  const refresh = useRefresh();
  const release = status === "released";
  return (
    <FormDialog
      title={release ? "Release this image by hand" : "Reject this image by hand"}
      submit={release ? "Release" : "Reject"}
      danger={!release}
      ready={reason.trim() !== ""}
      done={release ? "The image is released" : "The image is rejected"}
      onClose={onClose}
      onSubmit={async () => {
        await overrideImage(m.repository, m.digest, status, reason, dayEnd(until), etag);
        await refresh("/images", "/repositories", "/overview");
      }}
    >
      <p>{release ? "It is served from then on, whatever its verdict." : "It is not served from then on where the policy is enforced, whatever its verdict."} Your name and the reason go into the audit trail.</p>
      <Field label="Reason" required>
        <Textarea value={reason} onChange={(_, d) => setReason(d.value)} rows={3} />
      </Field>
      <Field label="Until the end of" hint="Empty: until somebody lifts it">
        <Input type="date" value={until} onChange={(_, d) => setUntil(d.value)} />
      </Field>
    </FormDialog>
  );
}

/** Lift ends a decision made by hand. */
export function Lift({ image: m, etag }: { image: Manifest; etag: string }) {
  const act = useAct(() => liftOverride(m.repository, m.digest, etag), "The verdict counts again", "/images", "/repositories", "/overview");
  return (
    <Button size="small" disabled={act.isPending} onClick={() => act.mutate()}>
      Lift this decision
    </Button>
  );
}

/** DeleteImage deletes softly. */
export function DeleteImage({ image: m, onClose }: { image: Manifest; onClose: () => void }) {
  const refresh = useRefresh();
  const navigate = useNavigate();
  return (
    <FormDialog
      title="Delete this image"
      submit="Delete"
      danger
      done="The image is deleted; it can be restored for a while"
      onClose={onClose}
      onSubmit={async () => {
        await deleteImage(m.repository, m.digest);
        await refresh("/images", "/overview");
        void navigate(repositoryPath(m.repository));
      }}
    >
      <p>
        It is not served from then on, and loses its tags{m.tags?.length ? ` (${m.tags.join(", ")})` : ""}. It can be restored until the grace of the retention rule is over.
      </p>
    </FormDialog>
  );
}
