import { Field, Input } from "@fluentui/react-components";
import { useState } from "react";
import { importReport, type Manifest } from "../../api/images";
import { plural } from "../../lib/format";
import { FormDialog } from "../../ui/Form";
import { useSay } from "../../ui/say";
import { useRefresh } from "../../ui/useAct";

/** limit bounds a report that is read into this page, in bytes. */
const limit = 64 * 2 ** 20;

/** ImportReport hands in what another scanner says of an image. */
export function ImportReport({ image: m, onClose }: { image: Manifest; onClose: () => void }) {
  const [file, setFile] = useState<File>();
  const [source, setSource] = useState("");
  const refresh = useRefresh();
  const say = useSay();
  const submit = async () => {
    if (!file) return;
    if (file.size > limit) throw new Error(`${file.name} is too large for this page: post it to the API`);
    const r = await importReport(m.repository, m.digest, await file.text(), source.trim());
    say(`${plural(r.findings, "finding")} of ${r.source} imported`);
    await refresh("/repositories", "/findings", "/images", "/overview");
  };
  return (
    <FormDialog title="Import another scanner's report" submit="Import" ready={!!file} onClose={onClose} onSubmit={submit}>
      <p>Trivy or Grype JSON, SARIF, or CycloneDX with vulnerabilities. What it says beyond Seawall's own findings stands beside them under its name; it does not change the verdict.</p>
      <Field label="Report" required>
        <input type="file" accept=".json,.sarif,application/json" onChange={(e) => setFile(e.target.files?.[0])} />
      </Field>
      <Field label="Scanner" hint="Where the report does not tell its name"><Input value={source} onChange={(_, d) => setSource(d.value)} /></Field>
    </FormDialog>
  );
}
