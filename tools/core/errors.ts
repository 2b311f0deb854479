/**
 * Failures of tools that belong to the person or program that set them up. What goes wrong in a call
 * itself is never thrown: it becomes a result that the model reads (see `execute.ts`).
 */

import type { BrandedClass } from "../../harmony/index.ts";

/** Base of every error of this folder; `code` is stable, the message is for people. */
export class ToolsError extends Error {
  static readonly brand: string = "chorale.ToolsError";
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    addBrands(this, new.target);
  }

  /**
   * Whether an error is of this class; unlike `instanceof` also where another copy of the package made
   * it, as two versions in one program do.
   */
  static isInstance<T>(this: BrandedClass<T>, error: unknown): error is T {
    // biome-ignore lint/complexity/noThisInStatic: each class asks for itself.
    return isBranded(this, error);
  }
}

/** Marks an error with the brands of its class and of those above. */
function addBrands(error: Error, made: object): void {
  for (let one = made; one !== Error; one = Object.getPrototypeOf(one)) {
    const { brand } = one as { readonly brand: string };
    Object.defineProperty(error, Symbol.for(brand), { value: true });
  }
}

function isBranded<T>(one: BrandedClass<T>, error: unknown): error is T {
  // A class of a program's own, derived from one here, is known by itself only.
  if (!Object.hasOwn(one, "brand")) return error instanceof one;
  return typeof error === "object" && error !== null && Symbol.for(one.brand) in error;
}

/** A tool was defined in a way that cannot work: its name, its schema, an unknown option. */
export class ToolDefinitionError extends ToolsError {
  static override readonly brand: string = "chorale.ToolDefinitionError";
  readonly tool: string;

  constructor(tool: string, message: string, options?: ErrorOptions) {
    super("CHORALE_TOOL_DEFINITION", `Tool ${JSON.stringify(tool)}: ${message}`, options);
    this.tool = tool;
  }
}

/** Two tools would answer to one recipient. */
export class DuplicateToolError extends ToolsError {
  static override readonly brand: string = "chorale.DuplicateToolError";
  readonly recipient: string;

  constructor(recipient: string) {
    super(
      "CHORALE_TOOL_DUPLICATE",
      `A tool that the model addresses as ${JSON.stringify(recipient)} is already registered; give one of them another name.`,
    );
    this.recipient = recipient;
  }
}

/** A module given as a source of tools does not load, or exports none. */
export class ToolModuleError extends ToolsError {
  static override readonly brand: string = "chorale.ToolModuleError";
  readonly path: string;

  constructor(path: string, message: string, options?: ErrorOptions) {
    super("CHORALE_TOOL_MODULE", `Tool module ${path}: ${message}`, options);
    this.path = path;
  }
}

/** A JSON Schema or an XSD that nothing can be validated against. */
export class SchemaError extends ToolsError {
  static override readonly brand: string = "chorale.SchemaError";
  constructor(message: string, options?: ErrorOptions) {
    super("CHORALE_SCHEMA", message, options);
  }
}

/** The Python interpreter did not start. */
export class PythonStartError extends ToolsError {
  static override readonly brand: string = "chorale.PythonStartError";
  constructor(message: string, options?: ErrorOptions) {
    super("CHORALE_PYTHON_START", message, options);
  }
}

/** There can be no Python here: its sandbox is not there for this platform. */
export class PythonUnavailableError extends ToolsError {
  static override readonly brand: string = "chorale.PythonUnavailableError";
  constructor(message: string, options?: ErrorOptions) {
    super("CHORALE_PYTHON_UNAVAILABLE", message, options);
  }
}

/** A file that was to be given to Python cannot be. */
export class PythonFileError extends ToolsError {
  static override readonly brand: string = "chorale.PythonFileError";
  readonly path: string;

  constructor(path: string, message: string, options?: ErrorOptions) {
    super("CHORALE_PYTHON_FILE", message, options);
    this.path = path;
  }
}
