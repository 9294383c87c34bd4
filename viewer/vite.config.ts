import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { licences } from "./licences.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base: "./",
  plugins: [licences(here("."))],
  build: {
    outDir: here("../src/groundglass/app/serve/viewer"),
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
    // The names do not change with the content: the server answers with an ETag, and a new build is a small commit.
    rolldownOptions: {
      output: { entryFileNames: "viewer.js", chunkFileNames: "[name].js", assetFileNames: "[name][extname]" },
    },
    modulePreload: { polyfill: false },
  },
  // NiiVue reads Zarr stores from the web through this. Our server sends NIfTI, so a megabyte of codecs stays out.
  resolve: { alias: { zarrita: here("src/view/no_zarr.ts") } },
  server: { proxy: { "/api": "http://127.0.0.1:8000" } },
});
