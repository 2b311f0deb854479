/** YAML (and JSON, which is YAML as well) with the line that each value stands on, for messages about it. */

export type LinedDocuments = {
  readonly documents: readonly unknown[];
  /**
   * The line, from 1, on which the value begins that names and indexes lead to in the last document; where there is
   * no such value, that of the last one on the way.
   */
  readonly lineAt: (path: readonly (string | number)[]) => number;
};

/** A text that is no YAML; keys that stand twice in one mapping are refused as well. */
export class YamlError extends Error {
  /** Counted from 1; undefined where no line is to blame. */
  readonly line: number | undefined;

  constructor(reason: string, line: number | undefined) {
    super(reason);
    this.line = line;
  }
}

/** @throws YamlError */
export async function readLinedYaml(text: string): Promise<LinedDocuments> {
  const { CORE_SCHEMA, loadAll, YAMLException } = await import("./js-yaml.ts");
  const tree = new TreeBuilder();
  // The types of js-yaml do not know that a listener gets the state of the parser.
  const listener = (event: "open" | "close", state: ParserState): void => tree.take(event, state);
  try {
    const options = { schema: CORE_SCHEMA, listener } as object;
    const documents = loadAll(text, null, options) as unknown[];
    return { documents, lineAt: (path) => lineAt(tree.root, path) };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { reason, mark } = error;
    throw new YamlError(reason, mark === undefined ? undefined : mark.line + 1);
  }
}

/** A value: the line it begins on, and its parts; of a mapping, its keys and values in turn. */
type LineTree = {
  readonly line: number;
  readonly parts: LineTree[];
  /** Of a text. */
  text?: string;
  isMapping?: boolean;
  value?: unknown;
};

/** What js-yaml hands to its listener. */
type ParserState = {
  readonly line: number;
  readonly kind: string | null;
  readonly result: unknown;
};

class TreeBuilder {
  root: LineTree | null = null;
  readonly #open: LineTree[] = [];

  take(event: "open" | "close", { line, kind, result }: ParserState): void {
    if (event === "open") {
      this.#open.push({ line: line + 1, parts: [] });
      return;
    }
    const opened = this.#open.pop();
    if (opened === undefined) return;
    // The parser tries whether a collection in brackets is the key of a mapping around it.
    const isObject = typeof result === "object" && result !== null;
    const node = (isObject && opened.parts.find(({ value }) => value === result)) || opened;
    node.value = result;
    node.isMapping = kind === "mapping";
    if (kind === "scalar") node.text = String(result);
    const parent = this.#open.at(-1);
    if (parent === undefined) this.root = node;
    else parent.parts.push(node);
  }
}

function lineAt(tree: LineTree | null, path: readonly (string | number)[]): number {
  let node = tree;
  let line = tree?.line ?? 1;
  for (const step of path) {
    if (node === null) return line;
    if (typeof step === "number") node = node.parts[step] ?? null;
    else {
      const key = node.parts.findIndex(({ text }, at) => at % 2 === 0 && text === step);
      if (key < 0 || !node.isMapping) return line;
      // The key, not the value: a list below it begins on a later line.
      line = node.parts[key]?.line ?? line;
      node = node.parts[key + 1] ?? null;
      continue;
    }
    line = node?.line ?? line;
  }
  return line;
}
