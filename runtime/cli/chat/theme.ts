/** The colours of the chat: terminal colours by their numbers, so that they follow the user's own palette. */

export type Paint = (text: string) => string;

export type Theme = {
  readonly isColored: boolean;
  readonly dim: Paint;
  readonly bold: Paint;
  readonly italic: Paint;
  readonly underline: Paint;
  readonly strikethrough: Paint;
  /** What the user said. */
  readonly user: Paint;
  /** Headings, markers, what is selected. */
  readonly accent: Paint;
  readonly call: Paint;
  readonly good: Paint;
  readonly problem: Paint;
  readonly warning: Paint;
  readonly code: Paint;
  readonly keyword: Paint;
  readonly string: Paint;
  readonly number: Paint;
  readonly comment: Paint;
  readonly type: Paint;
};

const plain: Paint = (text) => text;

/** @param isColored false: text without any attribute, for NO_COLOR and `--color never` */
export function makeTheme(isColored: boolean): Theme {
  const sgr = (on: string, off: string): Paint =>
    isColored ? (text) => (text === "" ? "" : `\x1b[${on}m${text}\x1b[${off}m`) : plain;
  return {
    isColored,
    dim: sgr("2", "22"),
    bold: sgr("1", "22"),
    italic: sgr("3", "23"),
    underline: sgr("4", "24"),
    strikethrough: sgr("9", "29"),
    user: sgr("1;34", "22;39"),
    accent: sgr("36", "39"),
    call: sgr("36", "39"),
    good: sgr("32", "39"),
    problem: sgr("31", "39"),
    warning: sgr("33", "39"),
    code: sgr("36", "39"),
    keyword: sgr("35", "39"),
    string: sgr("32", "39"),
    number: sgr("33", "39"),
    comment: sgr("2", "22"),
    type: sgr("34", "39"),
  };
}
