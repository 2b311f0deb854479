/** The thread in which documents are taken apart; it is ended when one of them takes too long. */
import { parentPort, workerData } from "node:worker_threads";
import { type DocumentSource, extractPage } from "./extract.ts";

const urls = new Set<string>(workerData);

parentPort?.on("message", (document: DocumentSource) => {
  try {
    parentPort?.postMessage({ page: extractPage(document, urls) });
  } catch (error) {
    parentPort?.postMessage({ reason: error instanceof Error ? error.message : String(error) });
  }
});

// The parser is loaded: from here on the clock of a document may run.
parentPort?.postMessage("ready");
