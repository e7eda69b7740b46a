import { Button, Checkbox, MessageBar, MessageBarBody, MessageBarTitle } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { keys, rotateKeys, type Keys as Data } from "../api/keys";
import { Mark } from "../components/marks";
import { useMay } from "../components/session";
import { Loaded } from "../ui/Fault";
import { FormDialog } from "../ui/Form";
import { Bones, Empty, Facts, Page, Panel } from "../ui/Page";
import { Table, type Column } from "../ui/Table";
import { Time } from "../ui/Time";
import { useRefresh } from "../ui/useAct";

type DataKey = NonNullable<Data["items"]>[number];

const columns: Column<DataKey>[] = [
  { title: "Key", track: "minmax(0, 1.6fr)", cell: (k) => <div className="cut mono">{k.id}</div> },
  { title: "For", track: "minmax(0, 1fr)", cell: (k) => k.purpose },
  { title: "State", track: "100px", cell: (k) => (k.current ? <Mark tone="good">In use</Mark> : <Mark>Reads only</Mark>) },
  { title: "Made", track: "100px", from: 2, end: true, cell: (k) => <Time at={k.created} /> },
  { title: "Wrapped", track: "100px", from: 2, end: true, cell: (k) => <Time at={k.wrapped} /> },
];

// How data at rest is encrypted.
export default function Keys() {
  const query = useQuery(keys());
  const may = useMay();
  const [rotating, setRotating] = useState(false);
  return (
    <Page title="Keys" sub="Encryption at rest" actions={query.data?.encrypted && may("key.rotate") && <Button appearance="primary" onClick={() => setRotating(true)}>Rotate…</Button>}>
      <Loaded query={query} bones={<Bones lines={8} />}>
        {(k) => (k.encrypted ? <Encrypted data={k} /> : <Plain />)}
      </Loaded>
      {rotating && <Rotate onClose={() => setRotating(false)} />}
    </Page>
  );
}

function Plain() {
  return (
    <div className="panel">
      <Empty title="Data at rest is not encrypted">
        <p>
          Give the hub a key-encryption key, in a file or in a key management service, and it seals blobs, state and its evidence with keys of its own that only that key opens. See <span className="mono">docs/keys.md</span>.
        </p>
      </Empty>
    </div>
  );
}

function Encrypted({ data: k }: { data: Data }) {
  return (
    <div className="stack">
      {!k.healthy && (
        <MessageBar intent="error" layout="multiline">
          <MessageBarBody>
            <MessageBarTitle>The key-encryption key does not answer</MessageBarTitle>
            {k.error} Reads fail once the keys in memory have run out.
          </MessageBarBody>
        </MessageBar>
      )}
      <Panel title="Key-encryption key">
        <Facts
          items={[
            ["State", <Mark key="s" tone={k.healthy ? "good" : "bad"}>{k.healthy ? "Answers" : "Does not answer"}</Mark>],
            ["Provider", <span key="p" className="mono">{k.provider}</span>],
            ["Last asked", <Time key="c" at={k.checked} />],
            ["Asked again", <Time key="n" at={k.next} never="when it is needed" />],
          ]}
        />
      </Panel>
      <Table label="Data keys" plain columns={columns} rows={k.items ?? []} total={k.items?.length} rowKey={(x) => x.purpose + x.id} height={44} empty={<Empty title="No data key yet" />} />
    </div>
  );
}

function Rotate({ onClose }: { onClose: () => void }) {
  const [fresh, setFresh] = useState(false);
  const refresh = useRefresh();
  return (
    <FormDialog title="Rotate keys" submit="Rotate" done="The keys are rotated" onClose={onClose} onSubmit={async () => { await rotateKeys(fresh); await refresh("/keys"); }}>
      <p>Every data key is wrapped anew by the current key-encryption key. Data is not rewritten.</p>
      <Checkbox label="Also make new data keys for what is written from now on" checked={fresh} onChange={(_, d) => setFresh(!!d.checked)} />
    </FormDialog>
  );
}
