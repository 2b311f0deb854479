/** Preloaded into the programs of this folder: packages are looked for where the clients are installed. */
import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { clientsFolder, manifestFolder } from "./installed.ts";

const programs = pathToFileURL(join(manifestFolder, "programs", "/")).href;
const clients = pathToFileURL(join(clientsFolder(), "package.json")).href;

registerHooks({
  resolve(specifier, context, next) {
    const isPackage = /^[@a-z]/.test(specifier) && !specifier.includes(":");
    const isOurs = context.parentURL?.startsWith(programs) === true;
    return next(specifier, isPackage && isOurs ? { ...context, parentURL: clients } : context);
  },
});
