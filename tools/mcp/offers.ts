/** What servers offer beside tools. */

export type McpResource = {
  readonly server: string;
  /** With `{…}` in it for a template, whose parts are the reader's to fill in (RFC 6570). */
  readonly uri: string;
  readonly isTemplate: boolean;
  readonly name: string;
  readonly description?: string;
  readonly mimeType?: string;
  readonly bytes?: number;
};

export type McpPrompt = {
  readonly server: string;
  readonly name: string;
  readonly description?: string;
  readonly arguments: readonly {
    readonly name: string;
    readonly description?: string;
    readonly isRequired: boolean;
  }[];
};
