/** The thread in which documents are taken apart; it is ended when one of them takes too long. */
import { parentPort } from "node:worker_threads";
import { type DocumentSource, extractPage } from "../convert/extract.ts";

parentPort?.on("message", async (document: DocumentSource) => {
  try {
    parentPort?.postMessage({ page: await extractPage(document) });
  } catch (error) {
    parentPort?.postMessage({ reason: error instanceof Error ? error.message : String(error) });
  }
});

// The parser is loaded: from here on the clock of a document may run.
parentPort?.postMessage("ready");
