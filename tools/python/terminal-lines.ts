/** What a terminal shows of text with carriage returns: progress bars write over their own line. */

/** @returns the text with every line in its last state; a carriage return in front of a line feed is dropped */
export function terminalLines(text: string): string {
  if (!text.includes("\r")) return text;
  return text.split("\n").map(lastState).join("\n");
}

function lastState(line: string): string {
  if (!line.includes("\r")) return line;
  const shown: string[] = [];
  for (const part of line.split("\r")) {
    // By code points, so that none is cut in two. What is longer than the new part stays behind it.
    let column = 0;
    for (const char of part) shown[column++] = char;
  }
  return shown.join("");
}
