/** What every call can be told. */
export interface CallOptions {
  /**
   * Ends the call, which then throws the signal's reason.
   *
   * @default undefined
   */
  readonly signal?: AbortSignal | undefined;
}
