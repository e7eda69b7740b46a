import { Button } from "@fluentui/react-components";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { trend } from "../api/overview";
import { deleteTag, repository, tags, tagsFile, type Repository as Data, type Tag } from "../api/repositories";
import { FirstPush, useHost } from "../components/FirstPush";
import { ImageTable, kinds } from "../components/ImageTable";
import { CountsMark } from "../components/marks";
import { EffectiveRule } from "../components/EffectiveRule";
import { useMay } from "../components/session";
import { Trend } from "../components/Trend";
import { bytes, count, short } from "../lib/format";
import { imagePath } from "../lib/names";
import { useView } from "../lib/useView";
import { Choice, CSV, Line, Tabs } from "../ui/controls";
import { Loaded } from "../ui/Fault";
import { FormDialog } from "../ui/Form";
import { Bones, Empty, Facts, Page, Panel } from "../ui/Page";
import { paged, Table, type Column } from "../ui/Table";
import { Time } from "../ui/Time";
import { useRefresh } from "../ui/useAct";

export default function Repository() {
  const { repository: name = "" } = useParams();
  const query = useQuery(repository(name));
  const [view, set] = useView({ tab: "images", sort: "pushed", kind: "image" });
  return (
    <Page
      title={name}
      crumbs={[{ text: "Repositories", to: "/repositories" }]}
      actions={<Link className="sw-link" to={`/findings?repository=${encodeURIComponent(name)}&state=open`}>Its findings</Link>}
    >
      <Loaded query={query} bones={<Bones lines={10} />}>
        {(r) => (
          <div className="stack">
            <Head data={r} />
            <div>
              <Tabs label="Parts of the repository" value={view.tab} tabs={[["images", `Images ${count(r.images)}`], ["tags", `Tags ${count(r.tags)}`], ["rule", "What holds here"]]} onChange={(tab) => set({ tab })} />
              {view.tab === "tags" ? <Tags name={name} /> : view.tab === "rule" ? <Panel title="What holds here"><EffectiveRule repository={name} /></Panel> : (
                <>
                  <div className="bar">
                    <Choice label="Kind" value={view.kind} options={kinds} onChange={(kind) => set({ kind })} />
                  </div>
                  <ImageTable q={{ repository: name, kind: view.kind === "all" ? "" : view.kind }} sort={view.sort} onSort={(sort) => set({ sort })}
                    empty={view.kind === "image" && r.images === 0 ? <FirstPush repository={name} /> : <Empty title={`The repository has no ${view.kind}`} />} />
                </>
              )}
            </div>
          </div>
        )}
      </Loaded>
    </Page>
  );
}

function Head({ data: r }: { data: Data }) {
  const points = useQuery(trend(r.name));
  const host = useHost();
  return (
    <div className="grid">
      <Panel title="Repository" className="w5">
        <div className="stack">
          <Facts
            items={[
              ["Findings", <CountsMark key="c" counts={r.counts} />],
              ["Images", `${count(r.images)}, ${count(r.byStatus?.released ?? 0)} of them released`],
              ["Size", bytes(r.size)],
              ["Pushed", <Time key="p" at={r.pushed} />],
              ["Pulled", <Time key="l" at={r.pulled} />],
            ]}
          />
          <Line text={`docker pull ${host}/${r.name}`} />
        </div>
      </Panel>
      <Panel title="Open findings by day" className="w7">
        <Trend points={points.data?.items ?? []} />
      </Panel>
    </div>
  );
}

function Tags({ name }: { name: string }) {
  const query = useInfiniteQuery(tags(name));
  const may = useMay();
  const refresh = useRefresh();
  const [gone, setGone] = useState<Tag>();
  const columns: Column<Tag>[] = [
    { title: "Tag", track: "minmax(0, 1.4fr)", cell: (t) => <Link className="stretch cut" to={imagePath(name, t.digest)}>{t.name}</Link> },
    { title: "Image", track: "minmax(0, 1.4fr)", cell: (t) => <span className="mono">{short(t.digest)}</span> },
    { title: "Set", track: "92px", from: 2, end: true, cell: (t) => <Time at={t.updated} /> },
    { title: "By", track: "minmax(0, 1fr)", from: 2, cell: (t) => <div className="cut">{t.by}</div> },
    { title: "Act", track: "90px", end: true, cell: (t) => may("image.delete", name) && <Button className="above" size="small" onClick={() => setGone(t)}>Remove…</Button> },
  ];
  return (
    <>
      <div className="bar">
        <span className="end">
          <CSV resource={tagsFile(name)} />
        </span>
      </div>
      <Table label="Tags" columns={columns} {...paged(query)} rowKey={(t) => t.name} height={44} empty={<Empty title="No tag"><p>Its images can be pulled by their digests.</p></Empty>} />
      {gone && (
        <FormDialog
          title={`Remove the tag ${gone.name}`}
          submit="Remove"
          danger
          done="The tag is removed"
          onClose={() => setGone(undefined)}
          onSubmit={async () => {
            await deleteTag(name, gone.name);
            await refresh("/repositories", "/images");
          }}
        >
          <p>The image {short(gone.digest)} stays and can be pulled by its digest; a retention rule may collect it once nothing keeps it.</p>
        </FormDialog>
      )}
    </>
  );
}
