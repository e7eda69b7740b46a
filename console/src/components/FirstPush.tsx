import { useQuery } from "@tanstack/react-query";
import { system } from "../api/system";
import { Line } from "../ui/controls";
import { Empty } from "../ui/Page";
import { useSession } from "./session";

/** useHost is what stands before a repository's name: the hub's public address. */
export function useHost(): string {
  return useQuery({ ...system(), staleTime: 300_000 }).data?.address || location.host;
}

/** FirstPush says how the first image gets here, with the lines to copy. */
export function FirstPush({ repository = "team/app" }: { repository?: string }) {
  const host = useHost();
  const name = useSession()?.principal?.name ?? "";
  return (
    <Empty title="Nothing has been pushed yet">
      <p>Push an image from a machine with Docker or Podman. It is scanned at once, and this page shows it as it arrives.</p>
      <Line text={`docker login ${host}${name ? ` -u ${name}` : ""}`} />
      <Line text={`docker tag ${repository.split("/").at(-1)}:latest ${host}/${repository}:1`} />
      <Line text={`docker push ${host}/${repository}:1`} />
      <p className="dim">Or copy one from another registry: Registry, Import.</p>
    </Empty>
  );
}
