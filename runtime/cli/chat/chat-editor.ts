/** The editor of a chat. */
import { Editor, matchesKey } from "./terminal-library.ts";

/** Keys that change the text beyond the word that is being completed. */
const LONG_KEYS = [
  "ctrl+u",
  "ctrl+k",
  "ctrl+w",
  "alt+backspace",
  "alt+d",
  "ctrl+y",
  "alt+y",
  "ctrl+-",
];

export class ChatEditor extends Editor {
  /** A list of completions is closed by keys after which it would complete other text than it was made for. */
  override handleInput(data: string): void {
    const isLong = LONG_KEYS.some((key) =>
      matchesKey(data, key as Parameters<typeof matchesKey>[1]),
    );
    if (isLong) this.closeCompletions();
    super.handleInput(data);
  }

  /** @returns whether one was open */
  closeCompletions(): boolean {
    if (!this.isShowingAutocomplete()) return false;
    super.handleInput("\x1b");
    return true;
  }
}
