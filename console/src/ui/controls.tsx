import { Button, SearchBox, Select, Tab, TabList, Tooltip } from "@fluentui/react-components";
import { ArrowDownloadRegular } from "@fluentui/react-icons/svg/arrow-download";
import { CheckmarkRegular } from "@fluentui/react-icons/svg/checkmark";
import { CopyRegular } from "@fluentui/react-icons/svg/copy";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { address, type Query } from "../api/fetch";

/** Search is a search field that tells its value once typing pauses. */
export function Search({ label, value, onChange }: { label: string; value: string; onChange: (v: string) => void }) {
  const [text, setText] = useState(value);
  const told = useRef(value);
  useEffect(() => {
    if (value !== told.current) setText((told.current = value));
  }, [value]);
  useEffect(() => {
    if (text === told.current) return;
    const timer = setTimeout(() => onChange((told.current = text)), 250);
    return () => clearTimeout(timer);
  }, [text, onChange]);
  return (
    <div className="search" role="search">
      <SearchBox aria-label={label} placeholder={label} value={text} onChange={(_, d) => setText(d.value)} />
    </div>
  );
}

/** Choice is a labelled list to choose from; "" is the first, "any". */
export function Choice(props: { label: string; value: string; any?: string; options: readonly (string | [string, string])[]; onChange: (v: string) => void }) {
  return (
    <label className="choice">
      <span>{props.label}</span>
      <Select value={props.value} onChange={(_, d) => props.onChange(d.value)}>
        {props.any !== undefined && <option value="">{props.any}</option>}
        {props.options.map((o) => {
          const [value, text] = typeof o === "string" ? [o, titled(o)] : o;
          return (
            <option key={value} value={value}>
              {text}
            </option>
          );
        })}
      </Select>
    </label>
  );
}

/** titled writes a value as text: "not-evaluated" is "Not evaluated". */
export function titled(value: string): string {
  const text = value.replaceAll("-", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Tabs choose a part of a page; the choice stands in the URL. */
export function Tabs(props: { label: string; value: string; tabs: [string, ReactNode][]; onChange: (v: string) => void }) {
  return (
    <div style={{ overflowX: "auto", margin: "0 -4px 12px", borderBottom: "1px solid var(--line)" }}>
      <TabList aria-label={props.label} selectedValue={props.value} onTabSelect={(_, d) => props.onChange(String(d.value))}>
        {props.tabs.map(([value, text]) => (
          <Tab key={value} value={value} id={`tab-${value}`}>
            {text}
          </Tab>
        ))}
      </TabList>
    </div>
  );
}

/** Copy copies text to the clipboard. */
export function Copy({ text, what }: { text: string; what: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await copyText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <Tooltip content={done ? "Copied" : `Copy ${what}`} relationship="label">
      <Button appearance="subtle" size="small" className="above" icon={done ? <CheckmarkRegular /> : <CopyRegular />} onClick={() => void copy()} />
    </Tooltip>
  );
}

// The clipboard interface exists on secure origins only; the hub is often tried without TLS.
async function copyText(text: string) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** Line is a command or another text to copy. */
export function Line({ text, what = "this line" }: { text: string; what?: string }) {
  return (
    <div className="line">
      <code>{text}</code>
      <Copy text={text} what={what} />
    </div>
  );
}

/** Download is a link to a file of the API. */
export function Download({ resource, query, children }: { resource: string; query?: Query; children: ReactNode }) {
  return (
    <Button as="a" href={address(resource, query)} download icon={<ArrowDownloadRegular />}>
      {children}
    </Button>
  );
}

/** CSV is the link to all rows of a listing. */
export function CSV({ resource, query }: { resource: string; query?: Query }) {
  return (
    <Download resource={resource} query={{ ...query, format: "csv" }}>
      CSV
    </Download>
  );
}
