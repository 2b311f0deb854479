import { CheckpointError } from "../errors.ts";
import { TensorFile } from "./tensor-file.ts";

/**
 * Reads a JSON file of bounded size.
 * @throws ModelNotFoundError, CheckpointError
 */
export function readJson(path: string, maxBytes: number): unknown {
  const file = new TensorFile(path);
  try {
    if (file.byteLength > maxBytes) {
      throw new CheckpointError(
        path,
        `the file has ${file.byteLength} bytes; accepted: at most ${maxBytes}.`,
      );
    }
    const bytes = new Uint8Array(file.byteLength);
    file.readInto(bytes, 0, "the file");
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) {
      throw new CheckpointError(path, "it is not JSON.", undefined, { cause: error });
    }
    throw error;
  } finally {
    file.close();
  }
}
