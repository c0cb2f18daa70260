/**
 * adc-run finds a token for ADC, the API Declarative CLI of API7 Enterprise and Apache APISIX, checks it
 * with the request that ADC itself will make first, runs ADC with it, and keeps it out of argv, logs and
 * output.
 *
 * {@linkcode runAdc} does all of that. Its steps can be had one by one: {@linkcode resolveConnection},
 * {@linkcode resolveToken}, {@linkcode checkToken}. Nothing here prints, prompts or exits, and nothing
 * reads `process.env` by itself.
 *
 * @example
 * ```ts
 * import { checkToken, defaultSources, resolveConnection, resolveToken } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * const env = { ADC_SERVER: "http://127.0.0.1:1", ADC_TOKEN: "a7ee-example" };
 * const connection = await resolveConnection({ args: ["ping"], env, cwd: "/nowhere" });
 * const { token, source } = await resolveToken({
 *   connection,
 *   sources: defaultSources({ env, cwd: "/nowhere" }),
 * });
 * const { verdict } = await checkToken(token, { connection });
 * assert.deepEqual([source, verdict], ["env", "unreachable"]);
 * ```
 *
 * @module
 */

// Run
export { runAdc, runTargets } from "./src/run/run_adc.ts";
export type { Context, Environment, HttpDispatcher } from "./src/context.ts";
export { createMask } from "./src/mask/mask.ts";
export type { Mask, MaskOptions } from "./src/mask/mask.ts";
export type {
  OfflinePlan,
  OnlinePlan,
  PreparedTarget,
  RunEnding,
  RunOptions,
  RunPlan,
  RunResult,
  TargetResult,
  TargetsOptions,
} from "./src/run/options.ts";
export { readDrift } from "./src/run/drift.ts";
export type { Drift } from "./src/run/drift.ts";
export type { Program } from "./src/run/locate.ts";
export type { SignalPort } from "./src/run/signals.ts";
export type { Spawner } from "./src/system/spawn.ts";

// Connection
export { resolveConnection } from "./src/connection/connection.ts";
export type { Connection, ConnectionOptions } from "./src/connection/connection.ts";
export type { Backend } from "./src/connection/backends.ts";
export type { AdcArguments } from "./src/adc/arguments.ts";
export type { AdcFlags } from "./src/adc/settings.ts";
export { EnvFile } from "./src/connection/env_file.ts";
export type { Origin, Setting } from "./src/connection/origin.ts";
export type { Proxy } from "./src/connection/proxy.ts";
export type { Server } from "./src/connection/server.ts";
export type { PemFile, Tls } from "./src/connection/tls.ts";

// Token sources
export { Secret, tokenPrefix } from "./src/secret.ts";
export type { TokenPrefix } from "./src/secret.ts";
export { resolveToken, surveyTokens } from "./src/token/resolve.ts";
export type {
  ResolvedToken,
  ResolveTokenOptions,
  SourceReport,
  Survey,
} from "./src/token/resolve.ts";
export type { SourceAnswer, SourceContext, TokenLease, TokenSource } from "./src/token/sources.ts";
export { defaultSources } from "./src/lifecycle/default_sources.ts";
export type { DefaultSourcesOptions } from "./src/lifecycle/default_sources.ts";
export { SessionPool } from "./src/lifecycle/open_session.ts";
export type { Session } from "./src/lifecycle/open_session.ts";
export type { AdminApiSourceOptions } from "./src/lifecycle/admin_api_source.ts";
export { systemKeychain } from "./src/token/keychain.ts";
export type { Keychain } from "./src/context.ts";

// Stored tokens
export { logIn, rotateStoredToken } from "./src/lifecycle/stored_token.ts";
export type {
  LogInOptions,
  RotateStoredTokenOptions,
  StoredToken,
} from "./src/lifecycle/stored_token.ts";

// Workflows
export { createWorkflowToken, rotateWorkflowTokens } from "./src/lifecycle/workflow_token.ts";
export type {
  RotateWorkflowsOptions,
  Workflow,
  WorkflowOptions,
  WorkflowResult,
  WorkflowToken,
} from "./src/lifecycle/workflow_token.ts";
export type { HandOver } from "./src/lifecycle/hand_over.ts";

// Check
export { checkToken } from "./src/check/check_token.ts";
export type { CheckTokenOptions } from "./src/check/check_token.ts";
export type { CheckResult, Verdict } from "./src/check/verdict.ts";

// Admin API
export { AdminApi } from "./src/admin_api/admin_api.ts";
export type { AdminApiOptions } from "./src/admin_api/admin_api.ts";
export type { CallOptions } from "./src/admin_api/admin_api_error.ts";
export type { WantedToken } from "./src/admin_api/tokens.ts";
export type { Credentials } from "./src/admin_api/session.ts";
export type { LoginOption, NewToken, TokenInfo, User } from "./src/admin_api/shapes.ts";

// Profiles
export type { Profile, ProfileSettings } from "./src/connection/origin.ts";
export { selectProfiles } from "./src/profiles/select_profiles.ts";
export type { SelectProfilesOptions } from "./src/profiles/select_profiles.ts";

// Doctor
export { diagnose } from "./src/doctor/diagnose.ts";
export type { CheckName, DiagnoseOptions } from "./src/doctor/diagnose.ts";
export type { Finding } from "./src/doctor/finding.ts";

// Errors
export {
  AdcRunError,
  CommandError,
  ConnectionError,
  SourceError,
  UsageError,
} from "./src/errors.ts";
export type { AdcRunErrorOptions } from "./src/errors.ts";
export { ProfileFileError } from "./src/profiles/profile_settings.ts";
export type { ProfileFileErrorOptions } from "./src/profiles/profile_settings.ts";
export { NoTokenError } from "./src/token/resolve.ts";
export { KeychainError } from "./src/token/keychain.ts";
export type { KeychainFailure } from "./src/token/keychain.ts";
export { CheckError } from "./src/check/verdict.ts";
export { AdminApiError } from "./src/admin_api/admin_api_error.ts";
export type { AdminApiErrorDetails, AdminApiFailure } from "./src/admin_api/admin_api_error.ts";
export { StoreError } from "./src/store/store_error.ts";
export { Interrupted } from "./src/run/signals.ts";
