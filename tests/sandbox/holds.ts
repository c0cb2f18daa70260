/**
 * Requests that wait until a test lets them go on.
 *
 * @module
 */

import type { SandboxRequest } from "./exchange.ts";
import { type FaultMatch, matches } from "./faults.ts";

/** A request that is held up, or will be. */
export interface Hold {
  /** Resolves once a matching request is there and waits. */
  readonly arrived: Promise<SandboxRequest>;
  /** Lets it go on, and holds no other. */
  readonly release: () => void;
}

/** Before the server does what it is asked, or after it, with the answer not sent yet. */
export type HoldMoment = "before" | "after";

interface Armed {
  readonly match: FaultMatch;
  readonly moment: HoldMoment;
  readonly arrive: (request: SandboxRequest) => void;
  readonly released: Promise<void>;
}

/** Where requests wait. */
export class Holds {
  readonly #armed = new Set<Armed>();

  /** Holds up matching requests. */
  add(match: FaultMatch, moment: HoldMoment): Hold {
    const arrived = Promise.withResolvers<SandboxRequest>();
    const released = Promise.withResolvers<void>();
    const armed: Armed = {
      match,
      moment,
      arrive: arrived.resolve,
      released: released.promise,
    };
    this.#armed.add(armed);
    return {
      arrived: arrived.promise,
      release: () => {
        this.#armed.delete(armed);
        released.resolve();
      },
    };
  }

  /** Waits for as long as a request is held up. */
  async pass(request: SandboxRequest, moment: HoldMoment): Promise<void> {
    for (const armed of [...this.#armed]) {
      if (armed.moment !== moment || !matches(armed.match, request)) continue;
      armed.arrive(request);
      await armed.released;
    }
  }
}
