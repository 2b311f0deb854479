/** Times as a person reads them while they pass. */

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
/** How often what moves is drawn. */
export const FRAME_MS = 120;

/** @param ms since it began */
export function spinner(ms: number): string {
  return FRAMES[Math.floor(ms / FRAME_MS) % FRAMES.length] as string;
}

/** `4 s`, `1 min 20 s`. */
export function seconds(ms: number): string {
  const whole = Math.floor(ms / 1000);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
