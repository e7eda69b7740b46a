import { Button } from "@fluentui/react-components";
import { useState } from "react";
import { useMay } from "../components/session";
import { NewUser, People } from "../components/users/People";
import { Grants, Issuers, NewGrant, NewIssuer, NewRole, Roles, WhoCan } from "../components/users/Rights";
import { NewService, Services } from "../components/users/Services";
import { useView } from "../lib/useView";
import { Tabs } from "../ui/controls";
import { Page } from "../ui/Page";

const parts = {
  people: { text: "Users", add: "New user…", Show: People, Add: NewUser },
  services: { text: "Services", add: "New service…", Show: Services, Add: NewService },
  grants: { text: "Grants", add: "New grant…", Show: Grants, Add: NewGrant },
  roles: { text: "Roles", add: "New role…", Show: Roles, Add: NewRole },
  issuers: { text: "Issuers", add: "Trust an issuer…", Show: Issuers, Add: NewIssuer },
  who: { text: "Who can", add: "", Show: WhoCan, Add: undefined },
};

// Who may do what, and why.
export default function Users() {
  const [view, set] = useView({ tab: "people" });
  const [adding, setAdding] = useState(false);
  const may = useMay();
  const part = parts[view.tab as keyof typeof parts] ?? parts.people;
  return (
    <Page title="Users and roles" actions={part.Add && may("user.write") && <Button appearance="primary" onClick={() => setAdding(true)}>{part.add}</Button>}>
      <Tabs label="Parts" value={view.tab} tabs={Object.entries(parts).map(([key, p]) => [key, p.text])} onChange={(tab) => set({ tab })} />
      <part.Show />
      {adding && part.Add && <part.Add onClose={() => setAdding(false)} />}
    </Page>
  );
}
