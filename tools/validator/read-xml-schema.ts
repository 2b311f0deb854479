/** An XML Schema from disk, with the files beside it that it refers to. */
import { constants } from "node:fs";
import { open, realpath } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { SchemaError } from "../core/errors.ts";
import { messageOf } from "../core/text.ts";
import type { XmlSchemaSource } from "./xml-files.ts";
import { referencedFiles } from "./xml-references.ts";

const MAX_FILE_BYTES = 4 * 1024 * 1024;
const MAX_FILES = 200;

/**
 * Reads an XSD and all that it includes and imports, as far as it lies in the folder of the XSD or below.
 * What is missing is for `createValidator` to tell. Files are read in the encoding that they declare.
 *
 * @throws SchemaError when the XSD cannot be read, or a file is in an encoding that is not known
 */
export async function readXmlSchema(path: string): Promise<XmlSchemaSource> {
  const xsd = await readXmlFile(path, path);
  const folder = await realpath(dirname(path));
  const files: Record<string, string> = {};
  const name = basename(path);
  const waiting = [...referencedFiles(xsd, name)];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next === name || Object.hasOwn(files, next) || Object.keys(files).length >= MAX_FILES)
      continue;
    const found = await realpath(join(folder, next)).catch(() => undefined);
    // A link may lead out of the folder.
    if (found === undefined || !found.startsWith(folder.endsWith(sep) ? folder : folder + sep)) {
      continue;
    }
    const text = await readXmlFile(found, next);
    files[next] = text;
    waiting.push(...referencedFiles(text, next));
  }
  return { xsd, name, files };
}

async function readXmlFile(path: string, name: string): Promise<string> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new SchemaError(`The XSD ${name} cannot be read: ${why}.`, { cause });
  };
  let bytes: Uint8Array;
  try {
    // A pipe would wait for a writer.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (!stat.isFile()) return refuse(stat.isDirectory() ? "it is a folder" : "it is no file");
    if (stat.size > MAX_FILE_BYTES) return refuse(`it has more than ${MAX_FILE_BYTES} bytes`);
    bytes = await file.readFile();
  } catch (cause) {
    if (cause instanceof SchemaError) throw cause;
    const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    return refuse(isMissing ? "there is no such file" : messageOf(cause), cause);
  }
  try {
    return decodeXml(bytes);
  } catch (cause) {
    return refuse(messageOf(cause), cause);
  }
}

/**
 * By byte order mark, else by the declaration, else UTF-8 (XML 1.0, appendix F).
 * @throws Error with the encoding's name when it is not known or the bytes are not valid in it
 */
export function decodeXml(bytes: Uint8Array): string {
  const label = encodingOf(bytes);
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch (cause) {
    const isUnknown = cause instanceof RangeError;
    throw new Error(
      isUnknown ? `its encoding ${label} is not known` : `it is not valid in the encoding ${label}`,
      { cause },
    );
  }
}

function encodingOf(bytes: Uint8Array): string {
  const [a, b, c, d] = bytes;
  if ((a === 0xff && b === 0xfe && c === 0 && d === 0) || (a === 0 && b === 0)) return "UTF-32";
  if ((a === 0xff && b === 0xfe) || (a !== 0 && b === 0)) return "utf-16le";
  if ((a === 0xfe && b === 0xff) || (a === 0 && b !== 0)) return "utf-16be";
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 1024));
  const declared = /^\s*<\?xml\b[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.-]*)/.exec(head)?.[1];
  // These bytes are no UTF-16, although they say so.
  return declared === undefined || /^utf-?16/i.test(declared) ? "utf-8" : declared;
}

/** All files of a schema as one text for a model. */
export function xmlSchemaText({ xsd, files = {} }: XmlSchemaSource): string {
  const others = Object.entries(files).map(([name, text]) => `<!-- ${name} -->\n${text.trim()}`);
  return [xsd.trim(), ...others].join("\n\n");
}
