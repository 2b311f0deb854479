/**
 * From what a link or a model calls a document to the document. Apart from extract.ts, so that only the
 * thread that takes documents apart loads an HTML parser.
 */

/** The document that a path means, also as sites write it: without an extension, or as a folder. */
export function findDocument(path: string, urls: ReadonlySet<string>): string | null {
  const folder = path === "" || path.endsWith("/") ? path : `${path}/`;
  const candidates = [
    path,
    `${path}.html`,
    `${path}.md`,
    `${folder}index.html`,
    `${folder}index.md`,
    `${folder}README.md`,
  ];
  return candidates.find((candidate) => urls.has(candidate)) ?? null;
}

export function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
