/**
 * What every kind of Admin API has in common.
 *
 * @module
 */

import type { Reply, SandboxRequest } from "./exchange.ts";

/** An Admin API. */
export interface Backend {
  /** What the `Server` header says. */
  readonly server: string | undefined;
  /** Answers a request. */
  readonly answer: (request: SandboxRequest) => Reply;
  /** What was written to a collection, such as `services`; of a gateway group, on API7 Enterprise. */
  readonly resources: (collection: string, group?: string) => readonly unknown[];
}
