/** Where the files of packages come from: a mirror on the web, or a folder. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Download, download } from "../../net/index.ts";
import { installedPyodide } from "../pyodide.ts";

export type PackageSource = {
  /** For messages. */
  readonly name: string;
  /** @throws NetError from the web, the file system's error from a folder */
  open(fileName: string, offset: number, signal: AbortSignal): Promise<Download>;
};

/** Pyodide's own place for exactly this version. */
function defaultSource(): string {
  return `https://cdn.jsdelivr.net/pyodide/v${installedPyodide().version}/full/`;
}

/**
 * @param from  a URL, else a folder; default: Pyodide's own place
 * @throws PythonUnavailableError for the default, when pyodide is not installed
 */
export function openSource(from: string = defaultSource()): PackageSource {
  return /^https?:\/\//i.test(from) ? webSource(from) : folderSource(resolve(from));
}

function webSource(from: string): PackageSource {
  const base = from.endsWith("/") ? from : `${from}/`;
  return {
    name: from,
    open: (fileName, offset, signal) => {
      // `+` of a version is a letter like others in a path.
      const url = base + encodeURIComponent(fileName).replaceAll("%2B", "+");
      return download({ url, offset, signal, trustsHost: from !== defaultSource() });
    },
  };
}

function folderSource(folder: string): PackageSource {
  return {
    name: folder,
    async open(fileName, offset, signal) {
      const path = join(folder, fileName);
      const found = await stat(path);
      if (!found.isFile()) throw new Error(`${fileName} is no file there`);
      // What an earlier try has left of something else is not continued.
      const start = offset <= found.size ? offset : 0;
      const body = createReadStream(path, { start, signal });
      return {
        start,
        totalBytes: found.size,
        body,
        close: async () => void body.destroy(),
      };
    },
  };
}
