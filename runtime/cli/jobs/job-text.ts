/** Jobs as JSON and as lines. */
import type { Job, JobResult, JobSummary } from "../../jobs/index.ts";

/** In the time zone of this machine, to the minute. */
export function localTime(iso: string): string {
  const time = new Date(iso);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

export function progressText({ progress }: Pick<JobSummary, "progress">): string {
  if (progress === null) return "";
  if ("of" in progress) return `${progress.done} of ${progress.of}`;
  const { steps, calls } = progress;
  return `${steps} step${steps === 1 ? "" : "s"}${calls === 0 ? "" : `, ${calls} call${calls === 1 ? "" : "s"}`}`;
}

/** A summary for programs. */
export function summaryJson(job: JobSummary): object {
  const { progress } = job;
  return {
    id: job.id,
    state: job.state,
    title: job.title,
    tags: job.tags,
    priority: job.priority,
    key: job.key,
    parent: job.parent,
    schedule: job.schedule,
    attempt: job.attempt,
    attempts: job.attempts,
    created_at: job.createdAt,
    start_after: job.startAfter,
    started_at: job.startedAt,
    ended_at: job.endedAt,
    worker: job.worker,
    heartbeat_at: job.heartbeatAt,
    progress:
      progress === null || "of" in progress
        ? progress
        : {
            steps: progress.steps,
            calls: progress.calls,
            output_tokens: progress.outputTokens,
          },
    error: job.error,
  };
}

export function jobJson(job: Job): object {
  return {
    ...summaryJson(job),
    thread_id: job.threadId,
    parallel: job.parallel,
    timeout_ms: job.timeoutMs,
    spec: job.spec,
    result: job.result === null ? null : resultJson(job.result),
    artifacts: job.artifacts,
  };
}

function resultJson(result: JobResult): object {
  const { status, output, annotations, partialOutput, deniedCall, usage, timing } = result;
  return {
    status,
    output,
    ...(annotations !== undefined && { annotations }),
    ...(partialOutput !== undefined && { partial_output: partialOutput }),
    ...(deniedCall !== undefined && { denied_call: deniedCall }),
    usage,
    timing,
  };
}
