/** Preact without a browser; bundled into the package (`scripts/bundle.ts`). */

export { renderToString } from "preact-render-to-string";
