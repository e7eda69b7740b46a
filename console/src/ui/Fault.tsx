import { Button, MessageBar, MessageBarBody, MessageBarTitle } from "@fluentui/react-components";
import { Component, type ReactNode } from "react";
import { Problem } from "../api/fetch";
import { Empty } from "./Page";

/** Fault shows what went wrong in the hub's own words. */
export function Fault({ fault, retry }: { fault: unknown; retry?: () => void }) {
  const { title, detail, request, errors } = words(fault);
  return (
    <MessageBar intent="error" layout="multiline" role="alert">
      <MessageBarBody>
        <MessageBarTitle>{title}</MessageBarTitle>
        {detail}
        {errors.map((e) => (
          <div key={e.field + e.message}>
            <span className="mono">{e.field}</span>: {e.message}
          </div>
        ))}
        {request && <div className="dim">Request {request}</div>}
        {retry && (
          <div>
            <Button size="small" onClick={retry}>
              Try again
            </Button>
          </div>
        )}
      </MessageBarBody>
    </MessageBar>
  );
}

/** words are the sentences for a fault of any kind. */
export function words(fault: unknown): Pick<Problem, "title" | "detail" | "request" | "errors"> {
  if (fault instanceof Problem) return fault;
  return { title: "This page failed", detail: fault instanceof Error ? fault.message : String(fault), request: "", errors: [] };
}

/** Loaded shows data once it is there, bones before, the fault where it failed. */
export function Loaded<T>(props: {
  query: { data: T | undefined; error: unknown; refetch: () => unknown };
  bones?: ReactNode;
  children: (data: T) => ReactNode;
}) {
  const { data, error, refetch } = props.query;
  if (data !== undefined) return <>{props.children(data)}</>;
  if (error instanceof Problem && error.status === 404) {
    return (
      <Empty title="There is no such thing here">
        <p>{error.detail || "It was deleted, or you may not see it."}</p>
      </Empty>
    );
  }
  if (error) return <Fault fault={error} retry={() => void refetch()} />;
  return <>{props.bones ?? null}</>;
}

/** Boundary keeps a fault of one part from taking the page with it. */
export class Boundary extends Component<{ children: ReactNode }, { fault: unknown }> {
  state = { fault: undefined as unknown };

  static getDerivedStateFromError(fault: unknown) {
    return { fault };
  }

  render() {
    if (this.state.fault === undefined) return this.props.children;
    return <Fault fault={this.state.fault} retry={() => this.setState({ fault: undefined })} />;
  }
}
