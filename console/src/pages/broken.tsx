import { useRouteError } from "react-router";
import { Fault } from "../ui/Fault";

/** Broken stands where a page could not even be fetched: after an update of the hub its files have other names. */
export function Broken() {
  const fault = useRouteError();
  return (
    <div style={{ padding: 24, maxWidth: 720 }}>
      <Fault fault={fault} retry={() => location.reload()} />
    </div>
  );
}
