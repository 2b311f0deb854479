/** By which name a person knows a tool: functions need no word that says so. */
export function plainToolName(name: string): string {
  return name.replace(/^functions\./, "");
}
