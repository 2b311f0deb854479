import { CheckpointError, UnsupportedArchitectureError } from "../errors.ts";

type Json = { readonly [key: string]: unknown };

/** Typed access to the fields of one JSON object, with errors that name the field. */
export class Fields {
  readonly #json: Json;
  readonly #path: string;
  readonly #prefix: string;

  constructor(json: Json, path: string, prefix = "") {
    this.#json = json;
    this.#path = path;
    this.#prefix = prefix;
  }

  has(name: string): boolean {
    return this.#json[name] !== undefined && this.#json[name] !== null;
  }

  /** The first of `names` that is present, as an integer. */
  integer(names: readonly string[], min: number, max: number): number {
    const value = this.number(names, min, max);
    if (!Number.isInteger(value)) {
      throw this.invalid(this.#present(names), show(value), `an integer ${min} … ${max}`);
    }
    return value;
  }

  number(names: readonly string[], min: number, max: number, fallback?: number): number {
    const name = this.#present(names);
    const value = this.#json[name];
    if ((value === undefined || value === null) && fallback !== undefined) return fallback;
    if (typeof value !== "number" || !(value >= min && value <= max)) {
      throw this.invalid(name, show(value), `a number ${min} … ${max}`);
    }
    return value;
  }

  object(name: string): Fields | undefined {
    const value = this.#json[name];
    if (value === undefined || value === null) return undefined;
    if (!isObject(value)) throw this.invalid(name, show(value), "an object");
    return new Fields(value, this.#path, `${this.#prefix}${name}.`);
  }

  /** The value as it stands, for fields of a form of their own. */
  raw(name: string): unknown {
    return this.#json[name];
  }

  /**
   * A field that may be absent, but if present has one of these values.
   * @throws UnsupportedArchitectureError
   */
  only(name: string, accepted: readonly unknown[]): void {
    const value = this.#json[name];
    if (value !== undefined && !accepted.includes(value)) {
      throw new UnsupportedArchitectureError(
        this.#path,
        `${this.#prefix}${name}`,
        show(value),
        accepted.map(show).join(" or "),
      );
    }
  }

  invalid(name: string, found: string, accepted: string): CheckpointError {
    const field = `${this.#prefix}${name}`;
    return new CheckpointError(this.#path, `${field} is ${found}; accepted: ${accepted}.`, field);
  }

  #present(names: readonly string[]): string {
    return names.find((name) => this.has(name)) ?? names[0] ?? "";
  }
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A JSON value in a message: short and shallow, however long and deep it is in the file. */
export function show(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "string") return JSON.stringify(value.slice(0, 80));
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
