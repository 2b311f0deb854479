/** What the terminal can show. */
import type { Check } from "./check.ts";

export type TerminalFacts = {
  readonly isTerminal: boolean;
  readonly columns: number | undefined;
  readonly rows: number | undefined;
  readonly env: NodeJS.ProcessEnv;
};

const LEAST_COLUMNS = 40;

export function terminalCheck({ isTerminal, columns, rows, env }: TerminalFacts): Check {
  const name = "terminal";
  if (!isTerminal) {
    const detail =
      "stdout is none here: answers are plain text, and chorale chat needs a terminal.";
    return { name, status: "ok", detail };
  }
  const term = env["TERM"] ?? "";
  const hasColor = (env["NO_COLOR"] ?? "") === "" && term !== "dumb";
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  const isUtf8 = process.platform === "win32" || /utf-?8/i.test(locale);
  const problems = [
    ...(term === "dumb" || term === ""
      ? [
          [
            "It cannot move its cursor (TERM).",
            "Set TERM to what the terminal is, like xterm-256color.",
          ],
        ]
      : []),
    ...(isUtf8
      ? []
      : [["Its locale is not UTF-8.", "Set LANG to a UTF-8 locale, like C.UTF-8 or en_US.UTF-8."]]),
    ...((columns ?? 80) < LEAST_COLUMNS
      ? [["It is narrow.", `Make it ${LEAST_COLUMNS} columns wide or more.`]]
      : []),
  ];
  const facts = `${term || "unknown"}, ${columns ?? "?"} by ${rows ?? "?"}, ${hasColor ? "with" : "without"} colour.`;
  const mend = problems.map(([, how]) => how).join(" ");
  return {
    name,
    status: problems.length === 0 ? "ok" : "note",
    detail: [facts, ...problems.map(([what]) => what)].join(" "),
    ...(mend !== "" && { mend }),
  };
}
