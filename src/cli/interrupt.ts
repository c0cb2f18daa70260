export { abortOnInterrupt, Interrupted } from "../run/signals.ts";
