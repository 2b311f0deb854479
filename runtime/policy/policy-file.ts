/** Policies in files: JSON, or YAML. */
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { type LinedDocuments, readLinedYaml, YamlError } from "../../tools/index.ts";
import { messageOf } from "../errors.ts";
import { checkDocument, type PolicyDocument, RuleProblem } from "./check-rules.ts";
import { PolicyError } from "./errors.ts";

const MAX_BYTES = 1024 * 1024;

/**
 * Reads a policy. A file that is wrong in one place is refused as a whole.
 * @throws PolicyError with the line and what would be accepted
 */
export async function readPolicyFile(file: string): Promise<PolicyDocument> {
  return await parsePolicy((await readPolicyText(file)).text, file);
}

/** @throws PolicyError for a file that cannot be read, is too large, or is no text */
export async function readPolicyText(
  file: string,
): Promise<{ readonly text: string; readonly bytes: Uint8Array }> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new PolicyError(`it cannot be read: ${messageOf(error)}.`, { file });
  }
  if (bytes.length > MAX_BYTES) {
    throw new PolicyError(`it has ${bytes.length} bytes; accepted: at most ${MAX_BYTES}.`, {
      file,
    });
  }
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), bytes };
  } catch {
    throw new PolicyError("it is not UTF-8 text.", { file });
  }
}

/**
 * @param file its name in errors; one that ends with `.yaml` or `.yml` is YAML, every other one JSON
 * @throws PolicyError
 */
export async function parsePolicy(source: string, file: string): Promise<PolicyDocument> {
  const isYaml = /^\.ya?ml$/i.test(extname(file));
  if (!isYaml) parseJson(source, file);
  const { documents, lineAt } = await parseYaml(source, file);
  if (documents.length !== 1) {
    throw new PolicyError(`it holds ${documents.length} documents; accepted: one.`, { file });
  }
  try {
    return checkDocument(documents[0]);
  } catch (error) {
    if (!(error instanceof RuleProblem)) throw error;
    throw new PolicyError(error.message, { file, line: lineAt(error.path) });
  }
}

/** JSON is read as YAML as well: that parser knows lines, and refuses keys that stand twice. */
async function parseYaml(source: string, file: string): Promise<LinedDocuments> {
  try {
    return await readLinedYaml(source);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const { message, line } = error;
    throw new PolicyError(`${message}.`, { file, ...(line !== undefined && { line }) });
  }
}

function parseJson(source: string, file: string): void {
  try {
    JSON.parse(source);
  } catch (error) {
    const message = messageOf(error);
    const [, position] = /at position (\d+)/.exec(message) ?? [];
    const before = position === undefined ? source : source.slice(0, Number(position));
    const line = before.split("\n").length;
    throw new PolicyError(`it is not JSON: ${message.replace(/\s+/g, " ")}.`, { file, line });
  }
}
