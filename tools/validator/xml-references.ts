/** From the `schemaLocation` of an XML Schema to a file beside it. */
import { posix } from "node:path";

/** The name of the main schema; the names of others are relative to it. */
export const MAIN_NAME = "main.xsd";

/**
 * The file that a schema means, or why it is not looked for.
 *
 * @param from  name of the schema that refers to it
 */
export function locateSchema(
  location: string,
  from: string,
): { readonly name?: string; readonly refused?: string } {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:|^[/\\]/.test(location)) {
    return { refused: "and only files below the folder of the XSD are read" };
  }
  const path = unescapeUrl(location.replace(/[?#].*$/s, ""));
  const name = posix.normalize(posix.join(posix.dirname(from), path));
  return name === ".." || name.startsWith("../")
    ? { refused: "which lies above the folder of the XSD" }
    : { name };
}

/** Names of files that a schema may refer to; also of those in comments. */
export function referencedFiles(text: string, from: string): readonly string[] {
  const references = text.matchAll(
    /<(?:[\w.-]+:)?(?:include|import|redefine)\b[^>]*?\bschemaLocation\s*=\s*(?:"([^"]*)"|'([^']*)')/g,
  );
  return [...references].flatMap(
    ([, double, single]) => locateSchema(double ?? single ?? "", from).name ?? [],
  );
}

/** A path whose escapes are none stays as it is. */
export function unescapeUrl(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}
