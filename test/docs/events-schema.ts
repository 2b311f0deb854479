/**
 * `npm run schema`: writes `docs/events.schema.json`, the JSON Schema of the events, from the types in
 * `runtime/events.ts` with their comments. Objects are left open, since later versions may add fields.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Comment, parseSync } from "oxc-parser";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SOURCE = join(ROOT, "runtime", "events.ts");
export const SCHEMA_FILE: string = join(ROOT, "docs", "events.schema.json");

type Schema = { readonly [key: string]: unknown };
/** As far as it is read here; ESTree has no common type for the nodes of types. */
type Node = { readonly type: string; readonly start: number; readonly end: number } & Readonly<
  // biome-ignore lint/suspicious/noExplicitAny: the syntax tree is read as data
  Record<string, any>
>;

/** A file with the types that it declares, imports and hands on. */
class TypeFile {
  readonly path: string;
  readonly text: string;
  readonly comments: readonly Comment[];
  readonly declared = new Map<string, Node>();
  /** Name → its name in another file, and that. */
  readonly elsewhere = new Map<string, readonly [name: string, path: string]>();

  constructor(path: string) {
    this.path = path;
    this.text = readFileSync(path, "utf8");
    const { program, comments, errors } = parseSync(path, this.text);
    if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
    this.comments = comments;
    for (const statement of program.body as readonly Node[]) this.#read(statement);
  }

  #read(statement: Node): void {
    const { declaration, source } = statement;
    if (
      statement.type === "ExportNamedDeclaration" &&
      declaration?.type === "TSTypeAliasDeclaration"
    ) {
      this.declared.set(declaration.id.name, declaration.typeAnnotation);
    }
    if (source?.value?.startsWith(".") !== true) return;
    const target = join(dirname(this.path), source.value);
    for (const specifier of statement["specifiers"] ?? []) {
      const { imported, local, exported } = specifier;
      if (statement.type === "ImportDeclaration") {
        this.elsewhere.set(local.name, [imported?.name ?? local.name, target]);
      } else this.elsewhere.set(exported.name, [local.name, target]);
    }
  }

  /** The comment that ends where a node begins, without its marks. */
  commentBefore({ start }: Node): string | undefined {
    const comment = this.comments.findLast(({ end }) => end <= start);
    if (comment === undefined || !comment.value.startsWith("*")) return undefined;
    if (!/^[\s|]*(?:readonly\s*)?$/.test(this.text.slice(comment.end, start))) return undefined;
    const lines = comment.value.slice(1).split("\n");
    return lines
      .map((line) => line.replace(/^\s*\*?\s?/, "").trim())
      .join(" ")
      .trim();
  }
}

class Generator {
  readonly definitions = new Map<string, Schema>();
  readonly #files = new Map<string, TypeFile>();

  file(path: string): TypeFile {
    const known = this.#files.get(path) ?? new TypeFile(path);
    this.#files.set(path, known);
    return known;
  }

  /** @throws Error for a type that has no form as a schema */
  schemaOf(node: Node, file: TypeFile): Schema {
    switch (node.type) {
      case "TSTypeLiteral":
        return this.#object(node, file);
      case "TSIntersectionType":
        return this.#merged(node, file);
      case "TSUnionType":
        return this.#union(node, file);
      case "TSLiteralType":
        return { const: node["literal"].value };
      case "TSTypeOperator":
      case "TSParenthesizedType":
        return this.schemaOf(node["typeAnnotation"], file);
      case "TSArrayType":
        return { type: "array", items: this.schemaOf(node["elementType"], file) };
      case "TSTypeReference":
        return this.#reference(node["typeName"].name, file);
      case "TSStringKeyword":
        return { type: "string" };
      case "TSNumberKeyword":
        return { type: "number" };
      case "TSBooleanKeyword":
        return { type: "boolean" };
      case "TSNullKeyword":
        return { type: "null" };
      case "TSUnknownKeyword":
        return {};
      default:
        throw new Error(`${file.path}: ${file.text.slice(node.start, node.end)} is no schema`);
    }
  }

  #object(node: Node, file: TypeFile): Schema {
    const members = node["members"] as readonly Node[];
    const properties = members.map((member) => {
      const schema = this.schemaOf(member["typeAnnotation"].typeAnnotation, file);
      const description = file.commentBefore(member);
      const name: string = member["key"].name;
      return [name, description === undefined ? schema : { ...schema, description }] as const;
    });
    const required = members
      .filter((member) => member["optional"] !== true)
      .map((member) => String(member["key"].name));
    return {
      type: "object",
      properties: Object.fromEntries(properties),
      ...(required.length > 0 && { required }),
    };
  }

  #merged(node: Node, file: TypeFile): Schema {
    const parts = (node["types"] as readonly Node[]).map((part) => {
      const schema = this.schemaOf(part, file);
      const name = typeof schema["$ref"] === "string" ? schema["$ref"].slice(REF.length) : null;
      const found = name === null ? schema : this.definitions.get(name);
      if (found?.["type"] !== "object") throw new Error(`${file.path}: only objects can be joined`);
      return found;
    });
    const required = parts.flatMap((part) => (part["required"] ?? []) as readonly string[]);
    return {
      type: "object",
      properties: Object.assign({}, ...parts.map((part) => part["properties"])),
      ...(required.length > 0 && { required }),
    };
  }

  #union(node: Node, file: TypeFile): Schema {
    const types = node["types"] as readonly Node[];
    const parts = types.map((part) => {
      const schema = this.schemaOf(part, file);
      const description = file.commentBefore(part);
      const isObject = schema["type"] === "object";
      return description === undefined || !isObject ? schema : { ...schema, description };
    });
    const isWords = parts.every((part) => typeof part["const"] === "string");
    return isWords ? { enum: parts.map((part) => part["const"]) } : { anyOf: parts };
  }

  #reference(name: string, file: TypeFile): Schema {
    const { node, file: home } = this.#find(name, file);
    if (!this.definitions.has(name)) {
      this.definitions.set(name, {});
      this.definitions.set(name, this.schemaOf(node, home));
    }
    return { $ref: REF + name };
  }

  #find(name: string, file: TypeFile): { readonly node: Node; readonly file: TypeFile } {
    const node = file.declared.get(name);
    if (node !== undefined) return { node, file };
    const [original, path] = file.elsewhere.get(name) ?? [];
    if (original === undefined || path === undefined) {
      throw new Error(`${file.path}: there is no type ${name}`);
    }
    return this.#find(original, this.file(path));
  }
}

const REF = "#/$defs/";

/** The text of `docs/events.schema.json`. @throws Error for a type that has no form as a schema */
export function eventsSchema(): string {
  const generator = new Generator();
  const file = generator.file(SOURCE);
  const events = generator.schemaOf(file.declared.get("RunEvent") as Node, file);
  const definitions = [...generator.definitions].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const schema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "An event of Chorale",
    description: "One line of `chorale run --json`. Written by `npm run schema`.",
    ...events,
    $defs: Object.fromEntries(definitions),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

if (import.meta.main) writeFileSync(SCHEMA_FILE, eventsSchema());
