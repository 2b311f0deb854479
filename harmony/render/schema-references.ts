/** Where the references of a JSON Schema lead, and what a name says about the schema it leads to. */

export type SchemaObject = { readonly [key: string]: unknown };

export function isSchemaObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Nested deeper, a part of a schema gets no address. */
const MAX_DEPTH = 64;

export class SchemaReferences {
  readonly #root: unknown;
  /** Parts with an address of their own: `$id` as written, `#` and `$anchor`. */
  readonly #parts = new Map<string, SchemaObject>();

  constructor(root: unknown) {
    this.#root = root;
    this.#collect(root, 0);
  }

  /** The schema a `$ref` of this document leads to; undefined if it leads nowhere. */
  resolve(reference: string): unknown {
    const part = this.#parts.get(reference);
    if (part !== undefined) return part;
    const hash = reference.indexOf("#");
    const address = hash < 0 ? reference : reference.slice(0, hash);
    const pointer = hash < 0 ? "" : reference.slice(hash + 1);
    const document = address === "" ? this.#root : this.#documentAt(address);
    return document === undefined ? undefined : followPointer(document, pointer);
  }

  #documentAt(address: string): SchemaObject | undefined {
    const known = this.#parts.get(address);
    if (known !== undefined) return known;
    // A relative address: the part whose `$id` ends with it.
    for (const [id, part] of this.#parts) if (id.endsWith(`/${address}`)) return part;
    return undefined;
  }

  #collect(value: unknown, depth: number): void {
    if (depth > MAX_DEPTH || typeof value !== "object" || value === null) return;
    if (!Array.isArray(value)) {
      const { $id: id, $anchor: anchor, $dynamicAnchor: dynamicAnchor } = value as SchemaObject;
      if (typeof id === "string") this.#parts.set(id.replace(/#$/, ""), value as SchemaObject);
      for (const name of [anchor, dynamicAnchor]) {
        if (typeof name === "string") this.#parts.set(`#${name}`, value as SchemaObject);
      }
    }
    for (const child of Object.values(value)) this.#collect(child, depth + 1);
  }
}

/** `#/$defs/Node` → `Node`; the whole schema is `Self`. */
export function nameOfReference(reference: string): string {
  const last =
    reference
      .replace(/[#/]+$/, "")
      .split(/[/#]/)
      .at(-1) ?? "";
  const name = last.replace(/[^A-Za-z0-9_$]+/g, "_").replace(/^(?=\d)/, "_");
  return name === "" ? "Self" : name.slice(0, 64);
}

function followPointer(document: unknown, pointer: string): unknown {
  if (pointer !== "" && !pointer.startsWith("/")) return undefined;
  let value: unknown = document;
  for (const step of pointer.split("/").slice(1)) {
    let key: string;
    try {
      key = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
    } catch {
      return undefined;
    }
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as SchemaObject)[key];
  }
  return value;
}
