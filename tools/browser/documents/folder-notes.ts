/** What a person should know of a folder that was read: which files were left out and why, and doubts. */
import type { FolderSummary, SkippedFile } from "./folder-backend.ts";

/** Files that are named for one reason. */
const NAMED_FILES = 10;

/** One line for each reason, with the files that it applies to; empty when there is nothing to say. */
export function folderNotes({
  path,
  documents,
  skipped,
  warnings,
  indexProblem,
}: FolderSummary): readonly string[] {
  const notes: string[] = [];
  if (indexProblem !== undefined) {
    notes.push(
      `The index of ${path} is for this run alone, since it could not be kept: ${indexProblem}`,
    );
  }
  if (skipped.length > 0) {
    const files = skipped.length === 1 ? "1 file is" : `${skipped.length} files are`;
    notes.push(`${files} left out of ${path}; ${documents} can be read.`);
    notes.push(...byReason(skipped).map((line) => `Left out, ${line}`));
  }
  notes.push(...byReason(warnings).map((line) => `Read with a doubt, ${line}`));
  return notes;
}

function byReason(files: readonly SkippedFile[]): readonly string[] {
  const groups = Map.groupBy(files, ({ reason }) => reason);
  return [...groups].map(([reason, group]) => {
    const named = group.slice(0, NAMED_FILES).map((file) => file.path);
    const more = group.length - named.length;
    return `${reason}: ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  });
}
