/** Text that is not this page's own, on its way to the screen. */
import { visibleText } from "../../../visible-text.ts";

export { visibleText };

const NAMES = ["bytes", "KiB", "MiB", "GiB", "TiB"];

export function bytesText(bytes: number): string {
  const step = bytes < 1 ? 0 : Math.min(NAMES.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** step).toFixed(step === 0 ? 0 : 1)} ${NAMES[step]}`;
}

/** An address that a click may open: http and https alone. */
export function safeUrl(text: string): string | null {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return null;
  const { protocol, href, username, password } = new URL(text);
  // A name before the host makes an address look like another one.
  if (username !== "" || password !== "") return null;
  return protocol === "http:" || protocol === "https:" ? href : null;
}

/** A tool's name as people know it: `functions.` is the namespace of those that have none. */
export function toolName(name: string): string {
  return visibleText(name.replace(/^functions\./, ""));
}
