/** What is wrong with a plugin as it was given, or with the grant. Failures of its calls are results. */
import { ToolsError } from "../core/errors.ts";

/** The folder, its package.json, the manifest in it, or a source file cannot be used. */
export class PluginManifestError extends ToolsError {
  static override readonly brand: string = "chorale.PluginManifestError";
  readonly path: string;
  /** Every problem that was found, one sentence each. */
  readonly problems: readonly string[];

  constructor(path: string, problems: readonly string[], options?: ErrorOptions) {
    super("CHORALE_PLUGIN_MANIFEST", `Plugin ${path}: ${problems.join(" ")}`, options);
    this.path = path;
    this.problems = problems;
  }
}

/** Its code did not load, or says something about its tools that cannot be. */
export class PluginLoadError extends ToolsError {
  static override readonly brand: string = "chorale.PluginLoadError";
  readonly plugin: string;

  constructor(plugin: string, problem: string, options?: ErrorOptions) {
    super("CHORALE_PLUGIN_LOAD", `Plugin ${plugin} does not load: ${problem}`, options);
    this.plugin = plugin;
  }
}

/** A text that is no grant. */
export class GrantError extends ToolsError {
  static override readonly brand: string = "chorale.GrantError";
  readonly grant: string;

  constructor(grant: string, problem: string) {
    super("CHORALE_PLUGIN_GRANT", `The grant ${JSON.stringify(grant)} cannot be given: ${problem}`);
    this.grant = grant;
  }
}

/** A host function was called with something it does not do; the guest gets the message. */
export class CapabilityError extends ToolsError {
  static override readonly brand: string = "chorale.CapabilityError";
  constructor(message: string, options?: ErrorOptions) {
    super("CHORALE_PLUGIN_CAPABILITY", message, options);
  }
}
