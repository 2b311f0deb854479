/** One area: gets the words after its name, returns what is printed as JSON. */
export type Bench = (args: readonly string[]) => Promise<Record<string, unknown>>;
