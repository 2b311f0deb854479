/** What a conversation is called in a listing: the beginning of its first question. */
import type { Message } from "../../harmony/index.ts";

/** Characters of a title, as a person counts them. */
const LONGEST_TITLE = 60;

/** What is put around input and documents that stand in a prompt. */
const TAG = /^<\/?[a-z][^<>]*>$/;
const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** @returns null where no user has said anything */
export function titleOf(messages: readonly Message[]): string | null {
  for (const { role, content } of messages) {
    if (role !== "user") continue;
    const text = content.map((part) => (part.type === "text" ? part.text : "")).join("");
    const line = firstLine(text);
    if (line !== undefined) return shortened(line);
  }
  return null;
}

/** The first line that says something, without the marks of a Markdown heading. */
function firstLine(text: string): string | undefined {
  const lines = text.split(/[\n\r\u2028\u2029]/).map((line) => line.replace(/\s+/g, " ").trim());
  const said = lines.filter((line) => line !== "" && !TAG.test(line));
  return said[0]?.replace(/^#+ (?=\S)/, "");
}

function shortened(line: string): string {
  const characters = [...segmenter.segment(line.slice(0, 1000))].map(({ segment }) => segment);
  if (characters.length <= LONGEST_TITLE) return characters.join("");
  const cut = characters.slice(0, LONGEST_TITLE - 1).join("");
  const space = cut.lastIndexOf(" ");
  // One long word, or a language without spaces, is cut where it has to be.
  return `${(space > LONGEST_TITLE / 2 ? cut.slice(0, space) : cut).trimEnd()}…`;
}
