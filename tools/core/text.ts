/** Values in sentences. */

/** The message of what was thrown, which may be anything. */
export function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message || error.name : String(error);
  } catch {
    return "something that cannot be printed was thrown";
  }
}

/** A text of at most so many UTF-16 units, with dots where the rest was. */
export function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 3).toWellFormed()}...` : text;
}

/** A value as JSON, for a sentence. */
export function show(value: unknown, most = 80): string {
  return cut(JSON.stringify(value) ?? String(value), most);
}

/** A number of bytes in decimal units: `512 bytes`, `12 kB`, `1.5 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const units = ["kB", "MB", "GB", "TB"];
  let amount = bytes / 1000;
  let unit = 0;
  while (amount >= 999.5 && unit < units.length - 1) {
    amount /= 1000;
    unit++;
  }
  const digits = amount < 9.95 && unit > 0 ? 1 : 0;
  return `${amount.toFixed(digits)} ${units[unit]}`;
}

/** A problem with the place that it is at, as one line. */
export function placed({ path = "", message }: { path?: string; message: string }): string {
  return path === "" ? message : `${path}: ${message}`;
}
