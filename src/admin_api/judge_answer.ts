import { errorMessageOf, isStranger, judgeStatus } from "../check/response.ts";
import type { HttpResponse } from "../http/http_client.ts";
import type { AdminApiFailure } from "./admin_api_error.ts";

export interface Question {
  /** What the request is about: `log-in`, one token by its id, or anything else. */
  readonly about?: "log-in" | "one-token" | undefined;
  readonly name?: string | undefined;
  /** Whether a token vouches for the caller; else a session does. */
  readonly withToken: boolean;
  /** The caller's own words, which the server may repeat. */
  readonly said: readonly string[];
  readonly quote: (words: string) => string;
}

export interface Failed {
  readonly failure: AdminApiFailure;
  readonly found: string;
  readonly suggestion?: string | undefined;
}

/** The statuses with which the server refuses what was asked, or who asks. */
const REFUSALS: readonly number[] = [400, 401, 403, 409, 422];

/**
 * Judges an answer by its status, and by the server's words where the status says too little: API7
 * answers 400 to a wrong password, to a name that is taken and, by version, to a missing token.
 */
export function judgeAnswer(response: HttpResponse, question: Question): Failed | undefined {
  const judgement = judgeStatus(response, "api7ee", { quote: question.quote });
  if (judgement === undefined) return undefined;
  const { verdict, ...rest } = judgement;
  const byStatus = { ...rest, failure: verdict as AdminApiFailure };
  // A page, or a proxy that asks for a password: these words are not the Admin API's.
  if (isStranger(response)) return byStatus;
  const { found } = judgement;
  const byWords = judgeWords(response, question);
  if (byWords !== undefined) return { ...byWords, found };
  const { status } = response;
  if (question.about === "log-in" && [400, 401, 403].includes(status)) {
    return {
      failure: "wrong-credentials",
      found,
      suggestion:
        "Look at the user's name and the password. LDAP users log in with --login-option.",
    };
  }
  if (status === 401 && !question.withToken) {
    return { failure: "rejected", found, suggestion: "The session is over. Log in again." };
  }
  if (status === 403 && !question.withToken) {
    return {
      failure: "forbidden",
      found,
      suggestion: "The log-in works. Ask for a role that may do this.",
    };
  }
  if (status === 404 && question.about === "one-token") return { failure: "not-found", found };
  if (REFUSALS.includes(status) && status !== 401 && status !== 403) {
    return { failure: "bad-request", found };
  }
  return byStatus;
}

function judgeWords(
  response: HttpResponse,
  { about, name, said }: Question,
): Omit<Failed, "found"> | undefined {
  const { status } = response;
  // A user called "license-bot" must not pass for a licence.
  const words = said.filter((each) => TELLING.test(each))
    .reduce((text, each) => text.replaceAll(each, ""), errorMessageOf(response));
  if (status >= 400 && LICENCE.test(words)) {
    return {
      failure: "no-license",
      suggestion: "Log in to the Dashboard and put in a licence, or a new one.",
    };
  }
  if (!REFUSALS.includes(status)) return undefined;
  if (about === "one-token" && NOT_FOUND.test(words)) return { failure: "not-found" };
  if (name !== undefined && TAKEN.test(words) && !NOT_FOUND.test(words)) {
    return { failure: "name-taken", suggestion: "Choose another name, or revoke that token." };
  }
  if (TO_BE_CHANGED.test(words) && /password/i.test(words) && !INCORRECT.test(words)) {
    return {
      failure: "password-change",
      suggestion: "Log in to the Dashboard, and change the password there.",
    };
  }
  return undefined;
}

const LICENCE = /licen[sc]e/i;
const NOT_FOUND = /not (be )?found|(\bnot|n't) exist|no such/i;
const TAKEN = /exist|taken|duplicate/i;
const TO_BE_CHANGED = /chang|initial|expire|reset|updat/i;
const INCORRECT = /incorrect|wrong|invalid|(not|n't) match|mismatch/i;

/** Words that decide. */
const TELLING = new RegExp(
  [LICENCE, NOT_FOUND, TAKEN, TO_BE_CHANGED, INCORRECT].map(({ source }) => source).join("|"),
  "i",
);
