/** What reads Markdown; bundled into the package (`scripts/bundle.ts`). */

export { default as createMarkdownIt, type MarkdownIt, type Token } from "markdown-it/browser";
