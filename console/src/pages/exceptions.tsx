import { Button, Field, Textarea } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { decideException, exceptions, exceptionStates, type Exception } from "../api/exceptions";
import { Mark } from "../components/marks";
import { RequestException } from "../components/RequestException";
import { useMay, useSession } from "../components/session";
import { plural } from "../lib/format";
import { ago, date, known } from "../lib/time";
import { useView } from "../lib/useView";
import { Choice, CSV, titled } from "../ui/controls";
import { Fault } from "../ui/Fault";
import { FormDialog } from "../ui/Form";
import { Empty, Facts, Page, Panel } from "../ui/Page";
import { Table, type Column } from "../ui/Table";
import { useRefresh } from "../ui/useAct";

const tones = { requested: "warn", approved: "good", refused: "bad", revoked: "", expired: "" } as const;

const rest: Column<Exception>[] = [
  { title: "In", track: "minmax(0, 1.2fr)", from: 2, cell: (e) => <div className="two"><div className="cut mono">{e.repositories}</div><div className="cut">{e.state === "approved" ? `${plural(e.covers, "finding")} now` : ""}</div></div> },
  { title: "State", track: "100px", cell: (e) => <Mark tone={tones[e.state]}>{titled(e.state)}</Mark> },
  { title: "Asked for by", track: "minmax(0, 1fr)", from: 2, cell: (e) => <div className="two"><div className="cut">{e.requestedBy}</div><div className="cut">{ago(e.requestedAt)}</div></div> },
  { title: "Decided by", track: "minmax(0, 1fr)", from: 3, cell: (e) => <div className="cut">{e.decidedBy}</div> },
  { title: "Until", track: "96px", from: 2, end: true, cell: (e) => date(e.suppression.expires) || "always" },
];

function names(e: Exception): string {
  return [e.suppression.id, e.suppression.package && `in ${e.suppression.package}`, e.suppression.path && `at ${e.suppression.path}`].filter(Boolean).join(" ") || "everything";
}

// Exceptions wait here for a second pair of eyes.
export default function Exceptions() {
  const { id } = useParams();
  const [view, set] = useView({ state: "", repository: "" });
  const query = useQuery(exceptions(view.state, view.repository));
  const may = useMay();
  const [asking, setAsking] = useState(false);
  const items = query.data?.items;
  const waiting = items?.filter((e) => e.state === "requested") ?? [];
  const chosen = id ? items?.find((e) => String(e.id) === id) : undefined;
  return (
    <Page
      title={id ? `Exception ${id}` : "Exceptions"}
      crumbs={id ? [{ text: "Exceptions", to: "/exceptions" }] : undefined}
      actions={
        <>
          <CSV resource="/exceptions" query={{ state: view.state }} />
          {may("exception.request") && <Button appearance="primary" onClick={() => setAsking(true)}>Ask for an exception…</Button>}
        </>
      }
    >
      {query.error && !query.data ? (
        <Fault fault={query.error} retry={() => void query.refetch()} />
      ) : id ? (
        chosen ? <One exception={chosen} /> : items && <div className="panel"><Empty title="There is no such exception" /></div>
      ) : (
        <div className="stack">
          {waiting.length > 0 && !view.state && (
            <Panel title={`${plural(waiting.length, "exception")} to decide`} bare>
              <ul className="list">
                {waiting.map((e) => (
                  <li key={e.id} className="rows" style={{ padding: "10px 16px", justifyContent: "space-between" }}>
                    <span className="wrap">
                      <strong>{names(e)}</strong> in <span className="mono">{e.repositories}</span>
                      <span className="dim"> · {e.requestedBy}: {e.suppression.reason}</span>
                    </span>
                    <Decide exception={e} />
                  </li>
                ))}
              </ul>
            </Panel>
          )}
          <div>
            <div className="bar">
              <Choice label="State" any="Any" value={view.state} options={exceptionStates} onChange={(state) => set({ state })} />
            </div>
            <Table label="Exceptions" columns={[{ title: "Sets aside", track: "minmax(0, 2fr)", cell: First }, ...rest]} rows={items} total={query.data?.total} rowKey={(e) => e.id} height={52}
              empty={<Empty title="No exception"><p>An exception sets a finding aside for a while, with a reason and an owner. Ask for one here, or from a finding; somebody else approves it.</p></Empty>} />
          </div>
        </div>
      )}
      {asking && <RequestException start={{}} onClose={() => setAsking(false)} />}
    </Page>
  );
}

function First(e: Exception) {
  return (
    <div className="two">
      <Link className="stretch cut" to={`/exceptions/${e.id}`}>{names(e)}</Link>
      <div className="cut">{e.suppression.reason}</div>
    </div>
  );
}

function One({ exception: e }: { exception: Exception }) {
  return (
    <Panel title={names(e)} actions={<Decide exception={e} />}>
      <Facts
        items={[
          ["State", <Mark key="s" tone={tones[e.state]}>{titled(e.state)}</Mark>],
          ["As", e.as === "false-positive" ? "a false positive" : "an accepted risk"],
          ["Repositories", <span key="r" className="mono">{e.repositories}</span>],
          ["Sets aside", e.state === "approved" ? `${plural(e.covers, "finding")} now` : ""],
          ["Reason", e.suppression.reason],
          ["Owner", e.suppression.owner],
          ["Until", known(e.suppression.expires) ? date(e.suppression.expires) : "always"],
          ["Asked for by", `${e.requestedBy}, ${ago(e.requestedAt)}`],
          ["Decided by", e.decidedBy ? `${e.decidedBy}, ${ago(e.decidedAt)}` : ""],
          ["Comment", e.comment],
        ]}
      />
    </Panel>
  );
}

function Decide({ exception: e }: { exception: Exception }) {
  const may = useMay();
  const me = useSession()?.principal;
  const refresh = useRefresh();
  const [to, setTo] = useState<"approved" | "refused" | "revoked" | "">("");
  const [comment, setComment] = useState("");
  if (!may("exception.approve")) return null;
  const mine = e.requestedBy === me?.name || e.requestedBy === me?.id;
  const verbs = { approved: "Approve", refused: "Refuse", revoked: "Revoke" };
  return (
    <span className="rows above">
      {e.state === "requested" && (mine ? <span className="dim">Yours: somebody else approves it</span> : <Button size="small" appearance="primary" onClick={() => setTo("approved")}>Approve…</Button>)}
      {e.state === "requested" && <Button size="small" onClick={() => setTo("refused")}>Refuse…</Button>}
      {e.state === "approved" && <Button size="small" onClick={() => setTo("revoked")}>Revoke…</Button>}
      {to && (
        <FormDialog
          title={`${verbs[to]} this exception`}
          submit={verbs[to]}
          danger={to !== "approved"}
          ready={to === "approved" || comment.trim() !== ""}
          done={`The exception is ${to}`}
          onClose={() => setTo("")}
          onSubmit={async () => {
            await decideException(e.id, to, comment);
            await refresh("/exceptions", "/findings", "/overview", "/images");
          }}
        >
          <p>
            <strong>{names(e)}</strong> in <span className="mono">{e.repositories}</span> until {date(e.suppression.expires)}: {e.suppression.reason}
          </p>
          <Field label="Comment" required={to !== "approved"}>
            <Textarea rows={3} value={comment} onChange={(_, d) => setComment(d.value)} />
          </Field>
        </FormDialog>
      )}
    </span>
  );
}
