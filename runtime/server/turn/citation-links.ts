/**
 * An answer for a reader: each citation becomes a link in Markdown, or the path of a document. The text may come in
 * pieces; what is given out does not depend on where they are cut.
 */
import { CitationScanner, type CitedSources, resolveCitations } from "../../index.ts";
import type { Citation } from "./items.ts";

export class CitationLinks {
  readonly #sources: () => CitedSources;
  readonly #scanner = new CitationScanner();
  readonly #citations: Citation[] = [];
  /** Characters that were given out, and the last of them. */
  #length = 0;
  #last = "";

  /** @param sources what was shown until now; asked once for each citation */
  constructor(sources: () => CitedSources) {
    this.#sources = sources;
  }

  /** What is cited so far, by the characters of what was given out. */
  get citations(): readonly Citation[] {
    return this.#citations;
  }

  /** @returns what can be told now; a citation that is not whole yet is held back */
  push(text: string): string {
    return this.#write(this.#scanner.push(text));
  }

  /** The end of the answer. @returns what was held back */
  end(): string {
    return this.#write(this.#scanner.end());
  }

  #write(pieces: ReturnType<CitationScanner["push"]>): string {
    return pieces
      .map((piece) => {
        if (piece.type === "text") return this.#give(piece.text);
        const cited = resolveCitations(piece.text, this.#sources());
        const links = cited.flatMap((one) => (one.type === "url_citation" ? [one] : []));
        // One that does not hold stays as it was written: it cites nothing that can be shown.
        if (links.length === 0) return this.#give(piece.text);
        return links
          .map(({ url, title }) => {
            const gap = /\S$/.test(this.#last) ? this.#give(" ") : "";
            const startIndex = this.#length;
            const link = this.#give(`(${linkTo(url)})`);
            this.#citations.push({ url, title, startIndex, endIndex: this.#length });
            return gap + link;
          })
          .join("");
      })
      .join("");
  }

  #give(text: string): string {
    this.#length += text.length;
    if (text !== "") this.#last = text;
    return text;
  }
}

/** What would end the link is written otherwise; the rest an address has encoded already. */
function linkTo(url: string): string {
  const address = /^https?:/i.test(url) ? URL.parse(url) : null;
  if (address === null) return url;
  const href = address.href.replaceAll("(", "%28").replaceAll(")", "%29");
  return `[${address.host}](${href})`;
}
