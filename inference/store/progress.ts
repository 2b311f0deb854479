/** What a pull does, in the order in which it does it. */
export type PullProgress =
  | { readonly state: "manifest" }
  | {
      /** Bytes of a file come in. */
      readonly state: "receiving";
      readonly file: string;
      /** SHA-256 of the file; null for a small one whose hash is known only when it is there. */
      readonly digest: string | null;
      readonly completed: number;
      readonly total: number;
      /** Of all files of the model. */
      readonly modelCompleted: number;
      readonly modelTotal: number;
    }
  | {
      readonly state: "verifying";
      readonly file: string;
      readonly completed: number;
      readonly total: number;
    }
  | { readonly state: "writing" }
  | { readonly state: "done" };
