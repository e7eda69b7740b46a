import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The hub that `npm run dev` speaks to; `npm run mock` serves one with made-up data.
const hub = process.env.SEAWALL_HUB ?? "http://127.0.0.1:5199";

export default defineConfig({
  plugins: [react()],
  // The server replaces the placeholder by a fresh value for each page: see embed.go and dev/server.mjs.
  html: { cspNonce: "SEAWALL_CSP_NONCE" },
  build: {
    target: "es2022",
    sourcemap: false,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": hub, "/signin": { target: hub, bypass: onlyProviders } } },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"] },
});

// The console's own sign-in page is /signin; below it the hub answers for OpenID Connect.
function onlyProviders(request: { url?: string }) {
  return request.url?.startsWith("/signin/") ? undefined : request.url;
}
