import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

/** The server that `npm run dev` passes requests on to. */
const server = process.env.TENANTWATCH_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: "es2022",
    outDir: "dist",
    assetsDir: "assets",
    // The policy of the server allows no `data:` fonts, and a file with a hash in its name is cached for good.
    assetsInlineLimit: 0,
    // Vite's helper for preloading fetches what every browser that the console supports preloads by itself.
    modulePreload: { polyfill: false },
  },
  server: {
    host: "127.0.0.1",
    proxy: Object.fromEntries(
      ["/beta", "/v1", "/tenantwatch", "/demo", "/health", "/metrics", "/ingest", "/webhooks"].map((path) => [path, server]),
    ),
  },
});
