/** Markdown as pi-tui draws it, apart from its other parts: it is loaded behind the first prompt. */
export { Markdown, type MarkdownTheme } from "@earendil-works/pi-tui/dist/components/markdown.js";
