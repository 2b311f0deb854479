/** What reads Markdown and its front matter; bundled into the package (`scripts/bundle.ts`). */

export { CORE_SCHEMA, load as loadYaml } from "js-yaml";
export { default as createMarkdownIt, type Env, type MarkdownIt } from "markdown-it";
