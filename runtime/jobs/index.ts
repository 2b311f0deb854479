/** Jobs that outlive the processes that work on them: submitted into Postgres, run by workers on any machine. */
export {
  type ArtifactOwner,
  type ArtifactStore,
  openArtifacts,
} from "./artifacts.ts";
export type { PurgeQuery, RetryOptions } from "./changes.ts";
export { JobsError, type JobsErrorCode } from "./errors.ts";
export type {
  BatchSubmission,
  Job,
  JobArtifact,
  JobFailure,
  JobOutput,
  JobPlacement,
  JobProgress,
  JobResult,
  JobSpec,
  JobSubmission,
  JobSummary,
} from "./job.ts";
export type { JobOutputs } from "./job-files.ts";
export { Jobs, type JobsOptions, openJobs } from "./jobs.ts";
export type { JobPage, JobQuery } from "./listing.ts";
export type { JobPlace, OpenPlace } from "./run-job.ts";
export type { JobSchedule, JobSchedules, ScheduledJob } from "./schedules.ts";
export { JOB_STATES, type JobState } from "./states.ts";
export type { Submitted } from "./submit.ts";
export type { WorkerEvent, WorkOptions } from "./worker.ts";
