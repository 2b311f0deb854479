/**
 * Has the modules that are loaded from now on get another module for `tools/isolate/launch.ts`, to measure
 * what one layer of the sandbox holds without the other.
 */
import { registerHooks } from "node:module";

const LAUNCH = new URL("../../tools/isolate/launch.ts", import.meta.url).href;

/** @param name  of a module of this folder that exports `launch`; it may import the one that it replaces */
export function replaceLaunch(name: string): void {
  const { href } = new URL(name, import.meta.url);
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      const isReplaced = resolved.url === LAUNCH && context.parentURL !== href;
      return isReplaced ? { ...resolved, url: href } : resolved;
    },
  });
}
