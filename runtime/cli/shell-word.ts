/** A word as a shell reads it: as it is where nothing in it means something to one, else in quotes. */
export function shellWord(word: unknown): string {
  const text = String(word);
  return /^[\w@%+=:,./${}-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
