/** `chorale validate`: files against a JSON Schema or an XML Schema. */
import { createReadStream } from "node:fs";
import { extname } from "node:path";
import {
  createValidator,
  decodeXml,
  FileReadError,
  readFileOrPipe,
  type ValidationIssue,
  type Validator,
  type Verdict,
} from "../../tools/index.ts";
import { messageOf, UsageError } from "../errors.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { readSchema, type SchemaArguments } from "./read-schema.ts";
import { visibleText } from "./terminal-text.ts";
import { type TextLine, textLines } from "./text-lines.ts";

export const INPUT_FORMATS = ["json", "ndjson", "yaml", "xml"] as const;
export type InputFormat = (typeof INPUT_FORMATS)[number];

export type ValidateArguments = SchemaArguments & {
  /** `-`: stdin. */
  readonly files: readonly string[];
  /** Default: by the ending of each file. */
  readonly input: InputFormat | undefined;
  /** What surrounds a document (a code fence, prose) is taken away, as from a model's answer. */
  readonly extract: boolean;
  readonly json: boolean;
  /** Most invalid documents of a file that are told one by one. */
  readonly maxErrors: number;
};

/** Whole documents are held in memory. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
/** Of a line of an NDJSON stream; the validator accepts no longer text. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;
/** Lines that go to a thread together: enough that the way there costs little. */
const BATCH_LINES = 512;
const BATCH_BYTES = 256 * 1024;
/** Batches on their way: one for each thread of the pool, and one that waits. */
const MAX_PENDING = 3;

/** What is wrong in one document of a file. */
type Finding = {
  /** The line of an NDJSON stream, or the number of a YAML document where there are several. */
  readonly place: { readonly line: number } | { readonly document: number } | null;
  readonly verdict: Pick<Verdict, "warnings" | "errors">;
};

/** @throws UsageError, SchemaError where nothing was checked */
export async function validateCommand(
  args: ValidateArguments,
  { output, signal }: CommandContext,
): Promise<ExitCode> {
  const schema = await readSchema(args);
  if (schema === undefined) {
    throw new UsageError("There is no schema to check against; name one with --schema or --xsd.");
  }
  const isXml = "xsd" in schema;
  const validator: Validator = await createValidator(
    isXml || "~standard" in schema ? schema : { ...schema, extract: args.extract },
  );
  for (const warning of validator.warnings) output.note(warning);
  const files = args.files.length === 0 ? ["-"] : args.files;
  if (files[0] === "-" && args.files.length === 0 && process.stdin.isTTY === true) {
    throw new UsageError("Nothing to check: name files, or pipe a document into stdin.");
  }
  let exitCode: ExitCode = EXIT.ok;
  for (const file of files) {
    const name = file === "-" ? "stdin" : file;
    const format = args.input ?? formatOf(file, isXml);
    if (isXml !== (format === "xml")) {
      throw new UsageError(
        `${name} cannot be checked as ${format} against ${isXml ? "an XML" : "a JSON"} Schema; ` +
          `accepted: ${isXml ? "xml" : "json, ndjson, yaml"}.`,
      );
    }
    const report = new FileReport(name, args, output);
    try {
      if (format === "ndjson") await checkLines(validator, chunksOf(file), report, signal);
      else await checkWhole(validator, file, format, args.extract, report);
      report.end();
    } catch (error) {
      signal.throwIfAborted();
      report.unreadable(fileProblem(error));
      exitCode = EXIT.usage;
    }
    signal.throwIfAborted();
    if (report.invalid > 0 && exitCode === EXIT.ok) exitCode = EXIT.invalidOutput;
  }
  return exitCode;
}

/** What is told of one file: as lines for a person, or as JSON lines. */
class FileReport {
  documents = 0;
  invalid = 0;
  readonly #name: string;
  readonly #args: Pick<ValidateArguments, "json" | "maxErrors">;
  readonly #output: CommandContext["output"];

  constructor(
    name: string,
    args: Pick<ValidateArguments, "json" | "maxErrors">,
    output: CommandContext["output"],
  ) {
    this.#name = name;
    this.#args = args;
    this.#output = output;
  }

  take({ place, verdict }: Finding): void {
    this.documents++;
    const { errors, warnings } = verdict;
    if (errors.length > 0) this.invalid++;
    if (errors.length === 0 && (warnings.length === 0 || place !== null)) return;
    if (errors.length > 0 && this.invalid > this.#args.maxErrors) return;
    if (this.#args.json) {
      this.#output.jsonLine({
        type: "document",
        file: this.#name,
        ...place,
        valid: errors.length === 0,
        errors,
        warnings,
      });
      return;
    }
    for (const warning of warnings) this.#line(`${this.#at(place)}: ${warning}`);
    for (const error of errors) this.#line(`${this.#at(place, error)}: ${issueText(error)}`);
  }

  end(): void {
    const { documents, invalid } = this;
    if (this.#args.json) {
      const valid = invalid === 0;
      this.#output.jsonLine({ type: "file", file: this.#name, valid, documents, invalid });
      return;
    }
    const hidden = invalid - this.#args.maxErrors;
    const more = hidden > 0 ? ` (${hidden} of them not shown; --max-errors shows more)` : "";
    this.#line(
      documents === 1
        ? `${this.#name}: ${invalid === 0 ? "valid" : "not valid"}`
        : `${this.#name}: ${invalid === 0 ? "valid" : `${invalid} not valid`}, ${documents} documents${more}`,
    );
  }

  unreadable(reason: string): void {
    if (this.#args.json) {
      this.#output.jsonLine({ type: "file", file: this.#name, valid: null, problem: reason });
    }
    this.#output.problem(`${this.#name} ${reason}`);
  }

  #at(place: Finding["place"], { line }: Partial<ValidationIssue> = {}): string {
    if (place !== null && "document" in place) return `${this.#name} document ${place.document}`;
    const at = place?.line ?? line;
    return at === undefined ? this.#name : `${this.#name}:${at}`;
  }

  #line(text: string): void {
    this.#output.line(visibleText(text));
  }
}

function issueText({ path, message }: ValidationIssue): string {
  return path === undefined || path === "" ? message : `${path}: ${message}`;
}

function formatOf(file: string, isXml: boolean): InputFormat {
  if (isXml) return "xml";
  switch (extname(file).toLowerCase()) {
    case ".ndjson":
    case ".jsonl":
      return "ndjson";
    case ".yaml":
    case ".yml":
      return "yaml";
    default:
      return "json";
  }
}

async function checkWhole(
  validator: Validator,
  file: string,
  format: Exclude<InputFormat, "ndjson">,
  extract: boolean,
  report: FileReport,
): Promise<void> {
  const bytes = await readWhole(file);
  const text = format === "xml" ? decodeXml(bytes) : decodeUtf8(bytes);
  if (format === "yaml" && validator.kind === "json") {
    const verdicts = await validator.validateYaml(text);
    for (const [at, verdict] of verdicts.entries()) {
      report.take({ place: verdicts.length === 1 ? null : { document: at + 1 }, verdict });
    }
    return;
  }
  const verdict = await validator.validate(text);
  // What the validator of answers forgives is wrong in a file, unless the caller wants it forgiven.
  const isExtracted = verdict.action === "accept-after-extraction" && !extract;
  report.take({
    place: null,
    verdict: isExtracted
      ? { warnings: [], errors: verdict.warnings.map((message) => ({ message })) }
      : verdict,
  });
}

/** Lines go to the threads of the pool in batches; what is told keeps their order. */
async function checkLines(
  validator: Validator,
  chunks: AsyncIterable<Buffer>,
  report: FileReport,
  signal: AbortSignal,
): Promise<void> {
  const pending: Promise<readonly Finding[]>[] = [];
  const settle = async (most: number): Promise<void> => {
    while (pending.length > most) {
      for (const finding of (await pending.shift()) ?? []) report.take(finding);
      signal.throwIfAborted();
    }
  };
  let batch: TextLine[] = [];
  let held = 0;
  const send = async (): Promise<void> => {
    pending.push(checkBatch(validator, batch));
    batch = [];
    held = 0;
    await settle(MAX_PENDING - 1);
  };
  for await (const line of textLines(chunks, MAX_LINE_BYTES)) {
    batch.push(line);
    held += line.bytes?.length ?? 0;
    if (batch.length >= BATCH_LINES || held >= BATCH_BYTES) await send();
  }
  if (batch.length > 0) await send();
  await settle(0);
}

async function checkBatch(
  validator: Validator,
  lines: readonly TextLine[],
): Promise<readonly Finding[]> {
  const read = lines.map(({ line, bytes }) => ({ line, text: lineText(bytes) }));
  const texts = read.flatMap(({ text }) => (typeof text === "string" ? [text] : []));
  const verdicts = (await validator.validateAll(texts))[Symbol.iterator]();
  return read.map(({ line, text }) => ({
    place: { line },
    verdict: typeof text === "string" ? (verdicts.next().value as Verdict) : text,
  }));
}

/** The text of a line, or what is wrong with it. */
function lineText(bytes: Buffer | null): string | Finding["verdict"] {
  const wrong = (message: string) => ({ warnings: [], errors: [{ message }] });
  if (bytes === null) return wrong(`the line is longer than ${MAX_LINE_BYTES} bytes`);
  try {
    return decodeUtf8(bytes);
  } catch {
    return wrong("the line is not UTF-8 text");
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

function chunksOf(file: string): AsyncIterable<Buffer> {
  return file === "-" ? process.stdin : createReadStream(file);
}

async function readWhole(file: string): Promise<Buffer> {
  if (file !== "-") return readFileOrPipe(file, MAX_FILE_BYTES);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_FILE_BYTES) {
      throw new FileReadError("stdin", `has more than ${MAX_FILE_BYTES} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Why a file cannot be checked, as what follows its name. */
function fileProblem(error: unknown): string {
  if (error instanceof FileReadError) return error.message.slice(error.path.length).trim();
  if (error instanceof TypeError) return "is not UTF-8 text.";
  const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
  return isMissing
    ? "cannot be read: there is no such file."
    : `cannot be read: ${messageOf(error)}.`;
}
