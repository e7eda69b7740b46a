import { Button } from "@fluentui/react-components";
import { decisions } from "../api/finding";
import { statuses, type ImagesQuery } from "../api/images";
import { FirstPush } from "../components/FirstPush";
import { ImageTable, kinds } from "../components/ImageTable";
import { useView } from "../lib/useView";
import { Choice, CSV, Search } from "../ui/controls";
import { Empty, Page } from "../ui/Page";

const initial = { search: "", repository: "", status: "", decision: "", kind: "image", finding: "", show: "", sort: "pushed" };

// Every image, by repository or by verdict: the filters stand in the URL, so that a view can be sent to somebody.
export default function Images() {
  const [view, set] = useView(initial);
  const q: ImagesQuery = {
    search: view.search,
    repository: view.repository,
    status: view.status,
    decision: view.decision,
    kind: view.kind === "all" ? "" : view.kind,
    finding: view.finding,
    untagged: view.show === "untagged",
    deleted: view.show === "deleted",
  };
  const filtered = Object.entries(view).some(([k, v]) => k !== "sort" && v !== initial[k as keyof typeof initial]);
  return (
    <Page title="Images" sub={subtitle(view)} actions={<CSV resource="/images" query={{ ...q, sort: view.sort }} />}>
      <div className="bar">
        <Search label="Repository, tag or digest" value={view.search} onChange={(search) => set({ search })} />
        <Choice label="Verdict" any="Any" value={view.status} options={statuses} onChange={(status) => set({ status })} />
        <Choice label="Gate" any="Any" value={view.decision} options={decisions} onChange={(decision) => set({ decision })} />
        <Choice label="Kind" value={view.kind} options={kinds} onChange={(kind) => set({ kind })} />
        <Choice label="Order" value={view.sort} options={[["pushed", "Newest push"], ["verdict", "Worst first"], ["name", "Name"], ["size", "Largest"]]} onChange={(sort) => set({ sort })} />
        <Choice label="Show" any="Current" value={view.show} options={["untagged", "deleted"]} onChange={(show) => set({ show })} />
      </div>
      <ImageTable
        q={q}
        sort={view.sort}
        onSort={(sort) => set({ sort })}
        empty={
          filtered ? (
            <Empty title="No image matches">
              <p>Remove a filter above, or look at all images.</p>
              <Button onClick={() => set(initial)}>Show all images</Button>
            </Empty>
          ) : (
            <FirstPush />
          )
        }
      />
    </Page>
  );
}

function subtitle(view: typeof initial): string {
  const parts = [];
  if (view.repository) parts.push(`in ${view.repository}`);
  if (view.finding) parts.push(`affected by ${view.finding}`);
  return parts.join(", ");
}
