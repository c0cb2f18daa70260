import type { SignalPort } from "./signals.ts";

/**
 * Listens at a port once for each signal, however many listen to what is given back: a hundred children
 * would look like a leak to Node, which warns of that.
 */
export function shareSignals(port: SignalPort): SignalPort {
  const shared = new Map<string, { readonly each: Set<() => void>; readonly tell: () => void }>();
  return {
    on(signal, listener) {
      const known = shared.get(signal);
      if (known !== undefined) return void known.each.add(listener);
      const each = new Set([listener]);
      const tell = () => {
        // A listener that is told may stop listening, or start another child.
        for (const told of [...each]) told();
      };
      // Windows does not know all signals: a port that throws has no listener then.
      port.on(signal, tell);
      shared.set(signal, { each, tell });
    },
    off(signal, listener) {
      const known = shared.get(signal);
      if (!known?.each.delete(listener) || known.each.size > 0) return;
      shared.delete(signal);
      port.off(signal, known.tell);
    },
  };
}
