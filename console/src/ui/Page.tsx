import { useEffect, type ReactNode } from "react";
import { Link } from "react-router";

/** Crumb is a step on the way to a page. */
export type Crumb = { text: string; to: string };

/** Page is the head of a page and what stands below it. title is also the window's. */
export function Page(props: { title: string; shown?: ReactNode; sub?: ReactNode; crumbs?: Crumb[]; actions?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${props.title} · Seawall`;
  }, [props.title]);
  return (
    <>
      <div className="head">
        <div className="grow stack tight" style={{ gap: 2, flexBasis: 260 }}>
          {props.crumbs && (
            <nav aria-label="Breadcrumb" className="crumbs">
              {props.crumbs.map((c) => (
                <span key={c.to}>
                  <Link to={c.to} className="sw-link">
                    {c.text}
                  </Link>{" "}
                  ›
                </span>
              ))}
            </nav>
          )}
          <h1 tabIndex={-1}>{props.shown ?? props.title}</h1>
          {props.sub && <div className="sub">{props.sub}</div>}
        </div>
        {props.actions && <div className="rows">{props.actions}</div>}
      </div>
      {props.children}
    </>
  );
}

/** Panel is a titled box. */
export function Panel(props: { title: ReactNode; actions?: ReactNode; children: ReactNode; className?: string; bare?: boolean }) {
  return (
    <section className={`panel ${props.className ?? ""}`}>
      <header>
        <h2>{props.title}</h2>
        {props.actions && <div className="rows">{props.actions}</div>}
      </header>
      {props.bare ? props.children : <div className="body">{props.children}</div>}
    </section>
  );
}

/** Empty says why there is nothing, and what to do next. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Facts are names and values; those without a value are left out. */
export function Facts({ items }: { items: [string, ReactNode][] }) {
  return (
    <dl className="facts">
      {items
        .filter(([, value]) => value !== undefined && value !== "" && value !== null && value !== false)
        .map(([name, value]) => (
          <FactPair key={name} name={name} value={value} />
        ))}
    </dl>
  );
}

function FactPair({ name, value }: { name: string; value: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

/** Bones hold the place of text that is on its way. */
export function Bones({ lines = 4, height = 28 }: { lines?: number; height?: number }) {
  return (
    <div role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, i) => (
        <div key={i} style={{ height, display: "flex", alignItems: "center" }}>
          <div className="bone" style={{ width: `${90 - ((i * 17) % 45)}%` }} />
        </div>
      ))}
    </div>
  );
}
