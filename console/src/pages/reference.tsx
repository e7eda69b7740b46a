import { Navigate, useLocation, useParams } from "react-router";
import { imagePath, parseReference, repositoryPath } from "../lib/names";

// Links that others wrote by hand: /images/team/app@sha256:…, /repositories/team/app, /repositories/team/app/images/sha256:….
export default function Reference() {
  const rest = useParams()["*"] ?? "";
  const { pathname } = useLocation();
  const image = /^(.*)\/images\/(sha\d+:[0-9a-f]+)$/i.exec(rest);
  if (image) return <Navigate to={imagePath(image[1]!, image[2]!)} replace />;
  const ref = parseReference(rest);
  if (ref.digest) return <Navigate to={imagePath(ref.repository, ref.digest)} replace />;
  if (pathname.startsWith("/images/")) return <Navigate to={`/images?repository=${encodeURIComponent(ref.repository)}${ref.tag ? `&search=${encodeURIComponent(ref.tag)}` : ""}`} replace />;
  return <Navigate to={repositoryPath(ref.repository)} replace />;
}
