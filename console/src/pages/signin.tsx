import { Button, Field, Input } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, type FormEvent } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { Problem, setCSRF } from "../api/fetch";
import { changePassword, session, signIn, type Session } from "../api/session";
import { EnrolTOTP } from "../components/EnrolTOTP";
import { Fault } from "../ui/Fault";

// Sign-in has three steps, of which most people see the first: name and password (with a code where one is asked for),
// a new password where the old one was given by somebody else, an authenticator where the hub wants one.
export default function SignIn() {
  const { data, error, refetch } = useQuery(session());
  const [params] = useSearchParams();
  const navigate = useNavigate();
  useEffect(() => {
    document.title = "Sign in · Seawall";
  }, []);
  useEffect(() => {
    if (data) setCSRF(data.csrf);
    if (data?.signedIn && !data.must) void navigate(safe(params.get("back")), { replace: true });
  }, [data, navigate, params]);
  return (
    <main className="sign">
      <div className="card">
        <div className="row">
          <img src="/favicon.svg" alt="" width={32} height={32} />
          <h1>Seawall</h1>
        </div>
        {data?.banner && <p style={{ whiteSpace: "pre-wrap" }}>{data.banner}</p>}
        {error && <Fault fault={error} retry={() => void refetch()} />}
        {data && !data.signedIn && <Credentials providers={data.providers ?? []} back={safe(params.get("back"))} />}
        {data?.signedIn && data.must === "password" && <NewPassword name={data.principal?.name ?? ""} />}
        {data?.signedIn && data.must === "totp" && <EnrolTOTP onDone={() => void refetch()} />}
      </div>
    </main>
  );
}

/** safe is a path of this console, whatever the address says. */
function safe(back: string | null): string {
  return back && /^\/(?![/\\])/.test(back) && !back.startsWith("/signin") ? back : "/";
}

function Credentials({ providers, back }: { providers: Session["providers"]; back: string }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [askCode, setAskCode] = useState(false);
  const act = useMutation({
    mutationFn: (withCode: string) => signIn(name, password, withCode),
    onSuccess: (s) => {
      setCSRF(s.csrf);
      client.setQueryData(session().queryKey, s);
    },
    onError: (fault) => fault instanceof Problem && fault.type.endsWith("totp-required") && setAskCode(true),
  });
  const hideFault = act.error instanceof Problem && act.error.type.endsWith("totp-required") && !act.variables;
  const submit = (e: FormEvent) => {
    e.preventDefault();
    act.mutate(code);
  };
  return (
    <>
      <form className="form" onSubmit={submit}>
        <Field label="Name" required>
          <Input name="username" autoComplete="username" autoFocus value={name} onChange={(_, d) => setName(d.value)} />
        </Field>
        <Field label="Password" required>
          <Input name="password" type="password" autoComplete="current-password" value={password} onChange={(_, d) => setPassword(d.value)} />
        </Field>
        {askCode && (
          <Field label="Code of your authenticator" hint="Six digits, or one of your recovery codes" required>
            <Input name="totp" autoComplete="one-time-code" inputMode="numeric" autoFocus value={code} onChange={(_, d) => setCode(d.value)} />
          </Field>
        )}
        {act.error && !hideFault && <Fault fault={act.error} />}
        <Button type="submit" appearance="primary" disabled={act.isPending || !name || !password || (askCode && !code)}>
          {act.isPending ? "Signing in…" : "Sign in"}
        </Button>
      </form>
      {providers.map((p) => (
        <Button key={p.id} as="a" href={`${p.url}${p.url.includes("?") ? "&" : "?"}next=${encodeURIComponent(back)}`}>
          Sign in with {p.title}
        </Button>
      ))}
    </>
  );
}

function NewPassword({ name }: { name: string }) {
  const client = useQueryClient();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const act = useMutation({
    mutationFn: () => changePassword(current, next),
    onSuccess: () => client.invalidateQueries({ queryKey: session().queryKey }),
  });
  return (
    <form
      className="form"
      onSubmit={(e) => {
        e.preventDefault();
        act.mutate();
      }}
    >
      <p>Choose a password of your own before you go on. The one that you were given ends with this.</p>
      <input type="text" name="username" autoComplete="username" value={name} readOnly hidden />
      <Field label="Password that you were given" required>
        <Input name="current" type="password" autoComplete="current-password" autoFocus value={current} onChange={(_, d) => setCurrent(d.value)} />
      </Field>
      <Field label="New password" hint="At least 12 characters; a sentence is good" required>
        <Input name="new" type="password" autoComplete="new-password" value={next} onChange={(_, d) => setNext(d.value)} />
      </Field>
      <Field label="New password again" required validationState={again && again !== next ? "error" : "none"} validationMessage={again && again !== next ? "It differs from the one above" : undefined}>
        <Input name="again" type="password" autoComplete="new-password" value={again} onChange={(_, d) => setAgain(d.value)} />
      </Field>
      {act.error && <Fault fault={act.error} />}
      <Button type="submit" appearance="primary" disabled={act.isPending || !current || !next || next !== again}>
        Set password
      </Button>
    </form>
  );
}
