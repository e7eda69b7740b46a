import { Button, Menu, MenuDivider, MenuItem, MenuList, MenuPopover, MenuTrigger, MessageBar, MessageBarBody, MessageBarTitle } from "@fluentui/react-components";
import { ChevronDownRegular } from "@fluentui/react-icons/svg/chevron-down";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { useNavigate, useParams } from "react-router";
import { address } from "../api/fetch";
import { total } from "../api/finding";
import { image, imageFile, restoreImage, scanImage, type Manifest } from "../api/images";
import { ImportReport } from "../components/image/ImportReport";
import { Custody } from "../components/image/Custody";
import { Checks, Executables, Layers, Packages, Secrets } from "../components/image/Parts";
import { DeleteImage, Lift, OverrideImage } from "../components/image/decide";
import { Findings } from "../components/image/Findings";
import { Summary } from "../components/image/Summary";
import { useHost } from "../components/FirstPush";
import { Mark, StatusMark, statusOf } from "../components/marks";
import { useMay } from "../components/session";
import { short } from "../lib/format";
import { repositoryPath } from "../lib/names";
import { dateTime, known } from "../lib/time";
import { useView } from "../lib/useView";
import { Copy, Tabs } from "../ui/controls";
import { Loaded } from "../ui/Fault";
import { Bones, Page, type Crumb } from "../ui/Page";
import { useAct } from "../ui/useAct";

export default function Image() {
  const { repository = "", digest = "" } = useParams();
  const query = useQuery(image(repository, digest));
  const crumbs = [{ text: "Repositories", to: "/repositories" }, { text: repository, to: repositoryPath(repository) }];
  if (query.data) return <Known image={query.data.value} etag={query.data.etag} crumbs={crumbs} />;
  return (
    <Page title={short(digest)} crumbs={crumbs}>
      <Loaded query={query} bones={<Bones lines={12} />}>
        {() => null}
      </Loaded>
    </Page>
  );
}

function Known({ image: m, etag, crumbs }: { image: Manifest; etag: string; crumbs: Crumb[] }) {
  const [view, set] = useView({ tab: "findings" });
  const host = useHost();
  const name = `${m.repository}${m.tags?.[0] ? `:${m.tags[0]}` : `@${short(m.digest)}`}`;
  const { status, byHand } = statusOf(m);
  return (
    <Page
      title={name}
      crumbs={crumbs}
      shown={
        <span className="rows">
          <span className="wrap">{name}</span>
          {known(m.deleted) ? <Mark tone="warn">Deleted</Mark> : <StatusMark status={status} byHand={byHand} />}
        </span>
      }
      sub={
        <span className="rows">
          <span className="mono wrap">{m.digest}</span>
          <Copy text={`${host}/${m.repository}@${m.digest}`} what="the reference to pull it by digest" />
        </span>
      }
      actions={<Actions image={m} etag={etag} />}
    >
      <div className="stack">
        <Notices image={m} etag={etag} />
        <Summary image={m} />
        <div>
          <Tabs label="Parts of the image" value={view.tab} tabs={tabsOf(m)} onChange={(tab) => set({ tab })} />
          <Part image={m} tab={view.tab} />
        </div>
      </div>
    </Page>
  );
}

function tabsOf(m: Manifest): [string, ReactNode][] {
  const s = m.scan;
  const with_ = (text: string, n: number | undefined) => (n === undefined ? text : `${text} ${n}`);
  if (m.kind !== "image") return [["custody", "Chain of custody"]];
  return [
    ["findings", with_("Findings", s ? total(s.counts) : undefined)],
    ["packages", with_("Packages", s?.packages)],
    ["secrets", with_("Secrets", s?.secrets)],
    ["checks", with_("Configuration", s?.checks)],
    ["layers", "Layers"],
    ["executables", "Executables"],
    ["custody", "Chain of custody"],
  ];
}

function Part({ image: m, tab }: { image: Manifest; tab: string }) {
  if (m.kind !== "image" || tab === "custody") return <Custody image={m} />;
  switch (tab) {
    case "packages":
      return <Packages image={m} />;
    case "secrets":
      return <Secrets image={m} />;
    case "checks":
      return <Checks image={m} />;
    case "layers":
      return <Layers image={m} />;
    case "executables":
      return <Executables image={m} />;
  }
  return <Findings image={m} />;
}

function Notices({ image: m, etag }: { image: Manifest; etag: string }) {
  const may = useMay();
  const o = m.override;
  return (
    <>
      {m.scan?.error && (
        <MessageBar intent="warning" layout="multiline">
          <MessageBarBody>
            <MessageBarTitle>The last scan failed</MessageBarTitle>
            {m.scan.error} {known(m.scan.scanned) && `What stands below is of ${dateTime(m.scan.scanned)}.`}
          </MessageBarBody>
        </MessageBar>
      )}
      {o && (
        <MessageBar intent={o.status === "released" ? "info" : "warning"} layout="multiline">
          <MessageBarBody>
            <MessageBarTitle>
              {o.status === "released" ? "Released" : "Rejected"} by {o.by}
            </MessageBarTitle>
            {o.reason} ({dateTime(o.at)}
            {known(o.expires) ? `, until ${dateTime(o.expires)}` : ", until it is lifted"}){" "}
            {may("image.release", m.repository) && <Lift image={m} etag={etag} />}
          </MessageBarBody>
        </MessageBar>
      )}
    </>
  );
}

function Actions({ image: m, etag }: { image: Manifest; etag: string }) {
  const may = useMay();
  const navigate = useNavigate();
  const [dialog, setDialog] = useState<"released" | "rejected" | "report" | "delete" | "">("");
  const scan = useAct(() => scanImage(m.repository, m.digest), "The scan waits for its turn", "/jobs", "/images");
  const restore = useAct(() => restoreImage(m.repository, m.digest), "The image is restored", "/images", "/repositories");
  if (known(m.deleted)) {
    return may("image.delete", m.repository) ? (
      <Button appearance="primary" disabled={restore.isPending} onClick={() => restore.mutate()}>
        Restore
      </Button>
    ) : null;
  }
  const release = m.kind === "image" && may("image.release", m.repository);
  return (
    <>
      {m.kind === "image" && may("image.scan", m.repository) && (
        <Button disabled={scan.isPending} onClick={() => scan.mutate()}>
          Scan now
        </Button>
      )}
      {release && <Button onClick={() => setDialog("rejected")}>Reject…</Button>}
      {release && <Button onClick={() => setDialog("released")}>Release…</Button>}
      <Menu>
        <MenuTrigger disableButtonEnhancement>
          <Button icon={<ChevronDownRegular />} iconPosition="after">
            More
          </Button>
        </MenuTrigger>
        <MenuPopover>
          <MenuList>
            {m.kind === "image" && <Files image={m} />}
            {m.kind === "image" && may("report.import", m.repository) && <MenuItem onClick={() => setDialog("report")}>Import a scanner's report…</MenuItem>}
            {may("audit.read") && <MenuItem onClick={() => void navigate(`/audit?object=${encodeURIComponent(`${m.repository}@${m.digest}`)}`)}>Its audit records</MenuItem>}
            {may("image.delete", m.repository) && (
              <>
                <MenuDivider />
                <MenuItem onClick={() => setDialog("delete")}>Delete…</MenuItem>
              </>
            )}
          </MenuList>
        </MenuPopover>
      </Menu>
      {(dialog === "released" || dialog === "rejected") && <OverrideImage image={m} etag={etag} status={dialog} onClose={() => setDialog("")} />}
      {dialog === "report" && <ImportReport image={m} onClose={() => setDialog("")} />}
      {dialog === "delete" && <DeleteImage image={m} onClose={() => setDialog("")} />}
    </>
  );
}

function Files({ image: m }: { image: Manifest }) {
  const file = (text: string, what: string, format?: string) => (
    <MenuItem onClick={() => window.location.assign(address(imageFile(m.repository, m.digest, what), { format }))}>{text}</MenuItem>
  );
  return (
    <>
      {file("SBOM as CycloneDX", "sbom", "cyclonedx")}
      {file("SBOM as SPDX", "sbom", "spdx")}
      {file("Findings as CSV", "findings", "csv")}
      {file("Packages as CSV", "packages", "csv")}
      {file("Whole result as JSON", "result")}
    </>
  );
}
