/** What reads Markdown; bundled into the package (`scripts/bundle.ts`). */

export { default as createMarkdownIt, type Env, type MarkdownIt } from "markdown-it";
