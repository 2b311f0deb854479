/** Failures of browsing: those of a call, which the model reads, and those of the folder, which the user reads. */
import { ToolsError } from "../core/errors.ts";

/** A call that cannot be carried out; its message is the result that the model gets. */
export class BrowsingError extends ToolsError {
  static override readonly brand: string = "chorale.BrowsingError";
  constructor(message: string, options?: ErrorOptions) {
    super("CHORALE_BROWSING", message, options);
  }
}

/** The folder given as documents cannot be used. */
export class DocumentFolderError extends ToolsError {
  static override readonly brand: string = "chorale.DocumentFolderError";
  readonly path: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(
      "CHORALE_DOCUMENT_FOLDER",
      `Cannot read documents from ${path}: ${problem}. Give a folder of HTML, Markdown or text files.`,
      options,
    );
    this.path = path;
  }
}

/** A file that is to be put into a prompt has no text that can be read. */
export class AttachmentError extends ToolsError {
  static override readonly brand: string = "chorale.AttachmentError";
  readonly path: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super("CHORALE_ATTACHMENT", `Cannot attach ${path}: ${problem}.`, options);
    this.path = path;
  }
}
