/** One line of code as CodeMirror's stream parsers read it: https://codemirror.net/docs/ref/#language.StringStream */
export class LineStream {
  readonly string: string;
  readonly indentUnit: number = 2;
  pos = 0;
  start = 0;

  constructor(line: string) {
    this.string = line;
  }

  eol(): boolean {
    return this.pos >= this.string.length;
  }

  sol(): boolean {
    return this.pos === 0;
  }

  peek(): string | undefined {
    return this.string.charAt(this.pos) || undefined;
  }

  next(): string | undefined {
    return this.eol() ? undefined : this.string.charAt(this.pos++);
  }

  eat(match: string | RegExp | ((character: string) => boolean)): string | undefined {
    const character = this.string.charAt(this.pos);
    const isMatch =
      typeof match === "string"
        ? character === match
        : character !== "" && (match instanceof RegExp ? match.test(character) : match(character));
    if (!isMatch) return undefined;
    this.pos++;
    return character;
  }

  eatWhile(match: string | RegExp | ((character: string) => boolean)): boolean {
    const { pos } = this;
    while (!this.eol() && this.eat(match) !== undefined) {
      // The stream moves on by itself.
    }
    return this.pos > pos;
  }

  eatSpace(): boolean {
    const { pos } = this;
    while (/[\s\u00a0]/.test(this.string.charAt(this.pos))) this.pos++;
    return this.pos > pos;
  }

  skipToEnd(): void {
    this.pos = this.string.length;
  }

  skipTo(character: string): boolean | undefined {
    const found = this.string.indexOf(character, this.pos);
    if (found === -1) return undefined;
    this.pos = found;
    return true;
  }

  backUp(count: number): void {
    this.pos -= count;
  }

  column(): number {
    return this.start;
  }

  indentation(): number {
    return /^\s*/.exec(this.string)?.[0].length ?? 0;
  }

  match(
    pattern: string | RegExp,
    consume = true,
    ignoreCase = false,
  ): boolean | RegExpMatchArray | null {
    const rest = this.string.slice(this.pos);
    if (typeof pattern === "string") {
      const found = rest.slice(0, pattern.length);
      const isMatch = ignoreCase
        ? found.toLowerCase() === pattern.toLowerCase()
        : found === pattern;
      if (!isMatch) return null;
      if (consume) this.pos += pattern.length;
      return true;
    }
    const found = rest.match(pattern);
    if (found === null || (found.index ?? 0) > 0) return null;
    if (consume) this.pos += found[0].length;
    return found;
  }

  current(): string {
    return this.string.slice(this.start, this.pos);
  }
}
