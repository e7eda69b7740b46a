import { Button, Field, Input } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { changeFinding, finding, type Tracked } from "../api/findings";
import { Due } from "../components/Due";
import { Exploited, Mark, SeverityMark } from "../components/marks";
import { RequestException } from "../components/RequestException";
import { useMay } from "../components/session";
import { percent, short } from "../lib/format";
import { imagePath, repositoryPath } from "../lib/names";
import { date, dateTime, known } from "../lib/time";
import { titled } from "../ui/controls";
import { Loaded } from "../ui/Fault";
import { FormDialog } from "../ui/Form";
import { Bones, Facts, Page, Panel } from "../ui/Page";
import { useRefresh } from "../ui/useAct";

export default function Finding() {
  const { key = "" } = useParams();
  const query = useQuery(finding(key));
  const t = query.data?.value;
  return (
    <Page title={t?.id ?? "Finding"} sub={t?.title} crumbs={[{ text: "Findings", to: "/findings" }]} actions={t && <Actions tracked={t} etag={query.data!.etag} />}>
      <Loaded query={query} bones={<Bones lines={10} />}>
        {({ value }) => <Known tracked={value} />}
      </Loaded>
    </Page>
  );
}

function Known({ tracked: t }: { tracked: Tracked }) {
  return (
    <div className="grid">
      <Panel title="Over time" className="w6">
        <Facts
          items={[
            ["State", <Mark key="s" tone={t.state === "fixed" ? "good" : t.state === "open" ? "warn" : "info"}>{titled(t.state)}</Mark>],
            ["Severity", <span key="v" className="rows"><SeverityMark severity={t.severity} />{t.exploited && <Exploited />}</span>],
            ["First seen", dateTime(t.firstSeen)],
            ["Last seen", dateTime(t.lastSeen)],
            ["Fixed", known(t.fixedAt) ? dateTime(t.fixedAt) : ""],
            ["Due", t.state === "open" ? <Due key="d" at={t.due} /> : ""],
            ["Owner", t.owner || "nobody yet"],
            ["Exception", t.exception ? <Link key="e" className="sw-link" to={`/exceptions/${t.exception}`}>{t.exception}</Link> : ""],
          ]}
        />
      </Panel>
      <Panel title="What it is" className="w6">
        <Facts
          items={[
            ["Advisory", t.type === "vulnerability" ? <Link key="a" className="sw-link" to={`/advisories/${encodeURIComponent(t.id)}`}>{t.id}</Link> : t.id],
            ["Aliases", t.aliases?.join(", ")],
            ["Package", t.package ? <span key="p">{t.package} <span className="mono">{t.version}</span></span> : ""],
            ["Fixed in", t.fixedIn ? <span key="f" className="mono good">{t.fixedIn}</span> : "no fix known"],
            ["EPSS", t.epss ? percent(t.epss) : ""],
            ["Repository", <Link key="r" className="sw-link" to={repositoryPath(t.repository)}>{t.repository}</Link>],
            ["Said by", t.source],
          ]}
        />
      </Panel>
      <Panel title="Images that carry it" className="w12" bare>
        {t.digests?.length ? (
          <ul className="list">
            {t.digests.map((d) => (
              <li key={d} style={{ padding: "8px 16px" }}>
                <Link className="sw-link mono" to={imagePath(t.repository, d)}>{short(d)}</Link>
              </li>
            ))}
          </ul>
        ) : (
          <p className="body dim">No image of the repository has it any more.</p>
        )}
      </Panel>
    </div>
  );
}

function Actions({ tracked: t, etag }: { tracked: Tracked; etag: string }) {
  const may = useMay();
  const [dialog, setDialog] = useState<"edit" | "exception" | "">("");
  return (
    <>
      {may("finding.edit", t.repository) && <Button onClick={() => setDialog("edit")}>Owner and due date…</Button>}
      {may("exception.request", t.repository) && t.state === "open" && <Button appearance="primary" onClick={() => setDialog("exception")}>Make an exception…</Button>}
      {dialog === "edit" && <Edit tracked={t} etag={etag} onClose={() => setDialog("")} />}
      {dialog === "exception" && <RequestException start={{ repositories: t.repository, id: t.id, package: t.package ?? "" }} onClose={() => setDialog("")} />}
    </>
  );
}

function Edit({ tracked: t, etag, onClose }: { tracked: Tracked; etag: string; onClose: () => void }) {
  const [owner, setOwner] = useState(t.owner ?? "");
  const [due, setDue] = useState(date(t.due));
  const refresh = useRefresh();
  return (
    <FormDialog
      title="Owner and due date"
      submit="Save"
      done="Saved"
      onClose={onClose}
      onSubmit={async () => {
        await changeFinding(t.key, owner, due, etag);
        await refresh("/findings", "/overview");
      }}
    >
      <Field label="Owner">
        <Input value={owner} onChange={(_, d) => setOwner(d.value)} />
      </Field>
      <Field label="Due on" hint="Empty: no date">
        <Input type="date" value={due} onChange={(_, d) => setDue(d.value)} />
      </Field>
    </FormDialog>
  );
}
