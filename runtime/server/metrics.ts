/** What the server has done, as Prometheus reads it. Names are vLLM's, with our prefix. */
import type { Admission } from "./admission.ts";
import type { TurnFinish, TurnResult } from "./turn/items.ts";

const SECONDS: readonly number[] = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
];

class Histogram {
  readonly #counts: number[] = Array.from({ length: SECONDS.length }, () => 0);
  #sum = 0;
  #count = 0;

  observe(seconds: number): void {
    this.#sum += seconds;
    this.#count++;
    for (const [at, bound] of SECONDS.entries()) {
      if (seconds <= bound) this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    }
  }

  lines(name: string): readonly string[] {
    return [
      ...SECONDS.map((bound, at) => `${name}_bucket{le="${bound}"} ${this.#counts[at]}`),
      `${name}_bucket{le="+Inf"} ${this.#count}`,
      `${name}_sum ${this.#sum}`,
      `${name}_count ${this.#count}`,
    ];
  }
}

const HISTOGRAMS = {
  time_to_first_token_seconds: "From a request to its first token",
  inter_token_latency_seconds: "Between two tokens of a request, on average",
  e2e_request_latency_seconds: "From a request to its end",
  request_queue_time_seconds: "Time in which a request waited for others",
  request_prefill_time_seconds: "Time in which a prompt was read",
  request_decode_time_seconds: "Time in which an answer was written",
} as const;

type HistogramName = keyof typeof HISTOGRAMS;

export class Metrics {
  readonly #admission: Admission;
  readonly #histograms = Object.fromEntries(
    Object.keys(HISTOGRAMS).map((name) => [name, new Histogram()]),
  ) as Record<HistogramName, Histogram>;
  readonly #finished = new Map<TurnFinish, number>();
  #promptTokens = 0;
  #cachedTokens = 0;
  #generatedTokens = 0;

  constructor(admission: Admission) {
    this.#admission = admission;
  }

  turnEnded({ finish, usage, timing }: TurnResult): void {
    this.#finished.set(finish, (this.#finished.get(finish) ?? 0) + 1);
    this.#promptTokens += usage.inputTokens;
    this.#cachedTokens += usage.cachedTokens;
    this.#generatedTokens += usage.outputTokens;
    const observe = (name: HistogramName, ms: number): void =>
      this.#histograms[name].observe(ms / 1000);
    if (timing.firstTokenMs !== null) observe("time_to_first_token_seconds", timing.firstTokenMs);
    if (usage.outputTokens > 1) {
      observe("inter_token_latency_seconds", timing.decodeMs / (usage.outputTokens - 1));
    }
    observe("e2e_request_latency_seconds", timing.totalMs);
    observe("request_queue_time_seconds", timing.queueMs);
    observe("request_prefill_time_seconds", timing.prefillMs);
    observe("request_decode_time_seconds", timing.decodeMs);
  }

  /** Prometheus' text format. */
  text(): string {
    const { running, waiting, slots } = this.#admission;
    return [
      ...single("num_requests_running", "gauge", "Requests that are computed", running),
      ...single("num_requests_waiting", "gauge", "Requests that wait", waiting),
      ...single("num_slots", "gauge", "Requests that can be computed together", slots),
      ...single("prompt_tokens_total", "counter", "Tokens of prompts", this.#promptTokens),
      ...single("generation_tokens_total", "counter", "Sampled tokens", this.#generatedTokens),
      ...single(
        "prefix_cache_queries_total",
        "counter",
        "Tokens of prompts that were looked for in what was computed before",
        this.#promptTokens,
      ),
      ...single(
        "prefix_cache_hits_total",
        "counter",
        "Tokens of prompts that had been computed before",
        this.#cachedTokens,
      ),
      ...head("request_success_total", "counter", "Requests that ended, by reason"),
      ...[...this.#finished].map(
        ([reason, count]) => `chorale_request_success_total{finished_reason="${reason}"} ${count}`,
      ),
      ...Object.entries(HISTOGRAMS).flatMap(([name, help]) => [
        ...head(name, "histogram", help),
        ...this.#histograms[name as HistogramName].lines(`chorale_${name}`),
      ]),
      "",
    ].join("\n");
  }
}

function head(name: string, type: string, help: string): readonly string[] {
  return [`# HELP chorale_${name} ${help}`, `# TYPE chorale_${name} ${type}`];
}

function single(name: string, type: string, help: string, value: number): readonly string[] {
  return [...head(name, type, help), `chorale_${name} ${value}`];
}
