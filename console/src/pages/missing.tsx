import { Link } from "react-router";
import { Empty, Page } from "../ui/Page";

export default function Missing() {
  return (
    <Page title="No such page">
      <div className="panel">
        <Empty title="There is no page of this name">
          <p>
            Look from the <Link className="sw-link" to="/">overview</Link>, or search for an image, a digest or an advisory above.
          </p>
        </Empty>
      </div>
    </Page>
  );
}
