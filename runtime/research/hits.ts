/** The results on a page of search results, as the browser lists them. */
export type Hit = {
  /** By this number the page links to it. */
  readonly id: number;
  readonly title: string;
  readonly summary: string;
};

export function hitsOf(lines: readonly string[]): readonly Hit[] {
  const text = lines.join("\n").replace(/\n(?!\s*\*)/g, " ");
  return [...text.matchAll(/【(\d{1,4})†([^†】]*)(?:†[^】]*)?】([^【]*)/g)].map(
    ([, id, title = "", summary = ""]) => ({
      id: Number(id),
      title: title.trim(),
      summary: summary
        .replace(/\s+/g, " ")
        .replace(/\*\s*$/, "")
        .trim(),
    }),
  );
}
