/** Why a search could not be made. Messages never hold a key. */
import { ToolsError } from "../../core/errors.ts";

export type SearchProblem =
  /** The key is missing or not accepted. */
  | "CHORALE_SEARCH_KEY"
  /** Too many requests, or the plan is used up. */
  | "CHORALE_SEARCH_LIMIT"
  /** The service takes the request for one of a robot: a captcha, a refusal. */
  | "CHORALE_SEARCH_BLOCKED"
  /** It cannot be reached, fails, or answers something else than was expected. */
  | "CHORALE_SEARCH_FAILED";

/** One service did not search. */
export class SearchProviderError extends ToolsError {
  static override readonly brand: string = "chorale.SearchProviderError";
  /** As `--search` names it. */
  readonly provider: string;

  constructor(code: SearchProblem, provider: string, problem: string, options?: ErrorOptions) {
    super(code, `${provider} ${problem}`, options);
    this.provider = provider;
  }
}

/** What was configured for searching cannot be used. */
export class SearchConfigurationError extends ToolsError {
  static override readonly brand: string = "chorale.SearchConfigurationError";
  constructor(problem: string) {
    super("CHORALE_SEARCH_CONFIGURATION", problem);
  }
}
