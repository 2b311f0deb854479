/**
 * Which tools a few words mean: BM25 (Robertson and Zaragoza 2009, k1 = 1.2, b = 0.75) over their names,
 * descriptions and parameters. The same words find the same tools in the same order.
 */
import type { DeclaredTool } from "./declared-tools.ts";

const K1 = 1.2;
const B = 0.75;
/** A word of the name counts like so many of the description. */
const NAME_WEIGHT = 4;
const PARAMETER_WEIGHT = 1;
/** A description may be as long as its author likes. */
const MAX_DESCRIPTION_UNITS = 4000;

type Document = {
  readonly tool: DeclaredTool;
  readonly counts: ReadonlyMap<string, number>;
  readonly length: number;
};

export class ToolIndex {
  readonly #documents: readonly Document[];
  readonly #averageLength: number;

  constructor(tools: readonly DeclaredTool[]) {
    this.#documents = tools.map(documentOf);
    const total = this.#documents.reduce((sum, { length }) => sum + length, 0);
    this.#averageLength = Math.max(1, total / Math.max(1, tools.length));
  }

  /** The tools that the words mean, the best first; of equal ones the first declared. */
  search(query: string, limit: number): readonly DeclaredTool[] {
    const words = [...new Set(wordsOf(query))];
    const idf = new Map(words.map((word) => [word, this.#idf(word)]));
    const named = query.trim().toLowerCase();
    return this.#documents
      .map(({ tool, counts, length }) => {
        const isNamed = [tool.recipient, tool.name].some((name) => {
          const whole = name.toLowerCase();
          return whole === named || whole === `functions.${named}`;
        });
        const score = words.reduce((sum, word) => {
          const count = counts.get(word) ?? 0;
          const norm = K1 * (1 - B + (B * length) / this.#averageLength);
          return sum + ((idf.get(word) ?? 0) * count * (K1 + 1)) / (count + norm);
        }, 0);
        return { tool, score: isNamed ? Number.POSITIVE_INFINITY : score };
      })
      .filter(({ score }) => score > 0)
      .sort((a, b) => (a.score === b.score ? 0 : b.score - a.score))
      .slice(0, limit)
      .map(({ tool }) => tool);
  }

  #idf(word: string): number {
    const found = this.#documents.filter(({ counts }) => counts.has(word)).length;
    return Math.log(1 + (this.#documents.length - found + 0.5) / (found + 0.5));
  }
}

function documentOf(tool: DeclaredTool): Document {
  const { description, inputSchema } = tool.tool;
  const counts = new Map<string, number>();
  const add = (text: string, weight: number): void => {
    for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + weight);
  };
  const bare = (recipient: string): string => recipient.slice(recipient.indexOf(".") + 1);
  add(bare(tool.name), NAME_WEIGHT);
  add(description.slice(0, MAX_DESCRIPTION_UNITS), 1);
  for (const [name, schema] of parametersOf(inputSchema)) {
    add(name, PARAMETER_WEIGHT);
    const { description: said } = (schema ?? {}) as { readonly description?: unknown };
    if (typeof said === "string") add(said.slice(0, MAX_DESCRIPTION_UNITS), PARAMETER_WEIGHT);
  }
  const length = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return { tool, counts, length };
}

function parametersOf(schema: unknown): readonly (readonly [string, unknown])[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { properties } = schema as { readonly properties?: unknown };
  return typeof properties === "object" && properties !== null ? Object.entries(properties) : [];
}

/** `getWeather_byCity` is four words; a plural finds its singular. */
function wordsOf(text: string): string[] {
  const apart = text.replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, "$1 $2").toLowerCase();
  return (apart.match(/[\p{L}\p{N}]+/gu) ?? []).map((word) =>
    word.length > 3 && word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word,
  );
}
