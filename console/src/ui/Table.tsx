import { ArrowDownRegular } from "@fluentui/react-icons/svg/arrow-down";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState, type CSSProperties, type ReactNode } from "react";
import { count } from "../lib/format";
import { useWidth } from "../lib/useMedia";

/** Column is one column of a Table of rows T. */
export interface Column<T> {
  title: string;
  /** track is its width as CSS grid writes it: "120px", "minmax(0, 2fr)". */
  track: string;
  /** from is the least width of the window at which it is shown: 1 always, 2 from 720 px, 3 from 1100 px. */
  from?: 1 | 2 | 3;
  cell: (row: T) => ReactNode;
  /** sort is the value of onSort that orders by this column. */
  sort?: string;
  end?: boolean;
}

export interface TableProps<T> {
  label: string;
  columns: Column<T>[];
  rows: T[] | undefined;
  rowKey: (row: T) => string | number;
  /** height of every row in pixels: fixed, so that only the rows in sight are drawn and nothing moves. */
  height?: number;
  sort?: string;
  onSort?: (sort: string) => void;
  total?: number;
  /** more fetches the next page; undefined when there is none. */
  more?: () => void;
  busy?: boolean;
  empty: ReactNode;
  /** plain rows are not links. */
  plain?: boolean;
}

/** Table shows rows of equal height; however many there are, only those in sight are in the page. */
export function Table<T>(props: TableProps<T>) {
  const { columns, rows, height = 48 } = props;
  const width = useWidth();
  const shown = columns.filter((c) => (c.from ?? 1) <= width);
  const style: CSSProperties = { gridTemplateColumns: shown.map((c) => c.track).join(" ") };
  if (rows && rows.length === 0 && !props.more) return <div className="table">{props.empty}</div>;
  return (
    <div className="table">
      <div role="table" aria-label={props.label} aria-rowcount={props.total && props.total > 0 ? props.total + 1 : -1} aria-busy={!rows}>
        <div role="rowgroup">
          <div role="row" aria-rowindex={1} className="tr thead" style={style}>
            {shown.map((c) => (
              <Head key={c.title} column={c} sort={props.sort} onSort={props.onSort} />
            ))}
          </div>
        </div>
        {rows ? <Body {...props} rows={rows} columns={shown} height={height} style={style} /> : <Waiting columns={shown} height={height} style={style} />}
      </div>
      <div className="tfoot" aria-live="polite">
        {rows && <span>{tally(rows.length, props.total)}</span>}
        {props.busy && <span>Loading…</span>}
      </div>
    </div>
  );
}

function tally(have: number, total: number | undefined) {
  if (total === undefined || total < 0 || total === have) return `${count(have)} ${have === 1 ? "row" : "rows"}${total !== undefined && total < 0 ? " so far" : ""}`;
  return `${count(have)} of ${count(total)} rows`;
}

function Head<T>({ column, sort, onSort }: { column: Column<T>; sort?: string; onSort?: (s: string) => void }) {
  const sorted = column.sort !== undefined && column.sort === sort;
  return (
    <div role="columnheader" aria-sort={sorted ? "descending" : undefined} className={`th ${column.end ? "end" : ""}`}>
      {column.sort && onSort ? (
        <button type="button" onClick={() => onSort(column.sort!)}>
          {column.title}
          <ArrowDownRegular style={{ visibility: sorted ? "visible" : "hidden" }} />
        </button>
      ) : (
        column.title
      )}
    </div>
  );
}

function Body<T>({ rows, rowKey, columns, height, style, more, busy, plain }: TableProps<T> & { rows: T[]; height: number; style: CSSProperties }) {
  const ref = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  useLayoutEffect(() => {
    const place = () => setMargin((ref.current?.getBoundingClientRect().top ?? 0) + window.scrollY);
    place();
    const watch = new ResizeObserver(place);
    watch.observe(document.body);
    return () => watch.disconnect();
  }, []);
  const virtual = useWindowVirtualizer({ count: rows.length, estimateSize: () => height, overscan: 12, scrollMargin: margin });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !busy && last >= rows.length - 25) more();
  }, [more, busy, last, rows.length]);
  return (
    <div role="rowgroup" className="tbody" ref={ref} style={{ height: virtual.getTotalSize() }}>
      {items.map((item) => {
        const row = rows[item.index]!;
        return (
          <div
            role="row"
            key={rowKey(row)}
            aria-rowindex={item.index + 2}
            className={plain ? "tr" : "tr pick"}
            style={{ ...style, height, transform: `translateY(${item.start - margin}px)` }}
          >
            {columns.map((c) => (
              <div role="cell" key={c.title} className={`td ${c.end ? "end number" : ""}`}>
                {c.cell(row)}
              </div>
            ))}
          </div>
        );
      })}
    </div>
  );
}

function Waiting<T>({ columns, height, style }: { columns: Column<T>[]; height: number; style: CSSProperties }) {
  return (
    <div role="rowgroup" className="tbody" style={{ height: height * 8 }}>
      {Array.from({ length: 8 }, (_, i) => (
        <div role="row" key={i} className="tr" style={{ ...style, height, transform: `translateY(${i * height}px)` }}>
          {columns.map((c, j) => (
            <div role="cell" key={c.title} className="td">
              <span className="hidden">Loading</span>
              <div className="bone" style={{ width: `${80 - ((i * 13 + j * 29) % 50)}%` }} />
            </div>
          ))}
        </div>
      ))}
    </div>
  );
}

/** paged is what a Table wants of an infinite query. */
export function paged<T>(q: {
  data: { pages: { items: T[] | null; total: number }[] } | undefined;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}) {
  return {
    rows: q.data?.pages.flatMap((p) => p.items ?? []),
    total: q.data?.pages[0]?.total,
    more: q.hasNextPage ? () => void q.fetchNextPage() : undefined,
    busy: q.isFetchingNextPage,
  };
}
