/**
 * A look over XML text before any parser touches it: whether it declares a document type, how deep it
 * goes, whether it simply stops. Not a parser; what it is unsure of it leaves to the real one.
 */

export type XmlScan = {
  /** `<!DOCTYPE` outside of comments and CDATA: it may declare entities and name foreign files. */
  readonly doctype: boolean;
  /** The text ends inside of a tag, a comment or an open element, and nothing before contradicts. */
  readonly unfinished: boolean;
  readonly depth: number;
};

export function scanXml(text: string): XmlScan {
  let doctype = false;
  let depth = 0;
  const open: string[] = [];
  const done = (unfinished: boolean): XmlScan => ({ doctype, unfinished, depth });
  for (let at = text.indexOf("<"); at >= 0; at = text.indexOf("<", at)) {
    const skipped = SKIPPED.find(({ start }) => text.startsWith(start, at));
    if (skipped !== undefined) {
      const end = text.indexOf(skipped.end, at + skipped.start.length);
      if (end < 0) return done(true);
      at = end + skipped.end.length;
      continue;
    }
    if (/^<!doctype/i.test(text.slice(at, at + 9))) doctype = true;
    const end = tagEnd(text, at);
    if (end < 0) return done(true);
    const tag = text.slice(at + 1, end);
    at = end + 1;
    const name = /^\/?([^\s/>]+)/.exec(tag)?.[1];
    if (name === undefined || tag.startsWith("!")) continue;
    if (tag.startsWith("/")) {
      if (open.pop() !== name) return done(false);
    } else if (!tag.endsWith("/")) {
      open.push(name);
      depth = Math.max(depth, open.length);
    }
  }
  return done(open.length > 0);
}

const SKIPPED = [
  { start: "<!--", end: "-->" },
  { start: "<![CDATA[", end: "]]>" },
  { start: "<?", end: "?>" },
] as const;

/** The `>` of a tag, past those in quoted values; -1 when there is none. */
function tagEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const unit = text[at];
    if (unit === ">") return at;
    if (unit !== '"' && unit !== "'") continue;
    at = text.indexOf(unit, at + 1);
    if (at < 0) return -1;
  }
  return -1;
}
