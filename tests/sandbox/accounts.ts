/**
 * Users, roles, and the sessions of those who logged in.
 *
 * @module
 */

import { randomBytes, randomUUID } from "node:crypto";

/** A role, as `GET /api/me` shows it. */
export interface SandboxRole {
  readonly id: string;
  readonly name: string;
}

/** A user of the sandbox. */
export interface SandboxUser {
  readonly id: string;
  readonly username: string;
  password: string;
  readonly roles: readonly SandboxRole[];
  /** Logged in, but everything but the password's change is refused. */
  mustChangePassword: boolean;
  /** `built_in`, or the id of the LDAP login option that knows this user. */
  readonly loginOption: string;
  readonly createdAt: number;
}

/** A user to be. */
export interface AddUserOptions {
  readonly username: string;
  readonly password: string;
  /** Names of roles. @default `["Developer"]` */
  readonly roles?: readonly string[];
  /** Whether the user has the role `super_admin_id`. @default false */
  readonly superAdmin?: boolean;
  /** @default false */
  readonly mustChangePassword?: boolean;
  /** The id of an LDAP login option; such a user cannot log in with `/api/login`. @default built in */
  readonly ldap?: string;
}

/** The role that may do everything. */
export const SUPER_ADMIN: SandboxRole = { id: "super_admin_id", name: "Super Admin" };

/** Who there is, and who is logged in. */
export class Accounts {
  readonly users: SandboxUser[] = [];
  /** What the cookie of every session ever carried: canaries. */
  readonly sessionValues: string[] = [];
  readonly #sessions = new Map<string, SandboxUser>();
  readonly #seconds: () => number;

  /** @param seconds The clock, in Unix seconds. */
  constructor(seconds: () => number) {
    this.#seconds = seconds;
  }

  /** Adds a user. */
  add(options: AddUserOptions): SandboxUser {
    if (this.find(options.username) !== undefined) {
      throw new Error(`User "${options.username}" exists already`);
    }
    const names = options.roles ?? (options.superAdmin === true ? [] : ["Developer"]);
    const user: SandboxUser = {
      id: randomUUID(),
      username: options.username,
      password: options.password,
      roles: [
        ...(options.superAdmin === true ? [SUPER_ADMIN] : []),
        ...names.map((name) => ({ id: name.toLowerCase().replaceAll(" ", "_"), name })),
      ],
      mustChangePassword: options.mustChangePassword ?? false,
      loginOption: options.ldap ?? "built_in",
      createdAt: this.#seconds(),
    };
    this.users.push(user);
    return user;
  }

  /** The user with a name. */
  find(username: string): SandboxUser | undefined {
    return this.users.find((user) => user.username === username);
  }

  /** Starts a session; gives what the cookie carries, or `undefined` for a wrong password. */
  logIn(username: string, password: string, loginOption = "built_in"): string | undefined {
    const user = this.find(username);
    if (user?.password !== password || user.loginOption !== loginOption) return undefined;
    const session = randomBytes(24).toString("base64url");
    // As API7 Enterprise does since 3.2.14.4.
    this.#endSessions(user);
    this.#sessions.set(session, user);
    this.sessionValues.push(session);
    return session;
  }

  /** The user whose session a cookie carries. */
  session(id: string | undefined): SandboxUser | undefined {
    return id === undefined ? undefined : this.#sessions.get(id);
  }

  /** Ends one session. */
  logOut(id: string): void {
    this.#sessions.delete(id);
  }

  /** Changes a password and ends the user's sessions. */
  changePassword(user: SandboxUser, password: string): void {
    user.password = password;
    user.mustChangePassword = false;
    this.#endSessions(user);
  }

  #endSessions(user: SandboxUser): void {
    for (const [id, owner] of this.#sessions) if (owner === user) this.#sessions.delete(id);
  }

  /** How many sessions are open. */
  get openSessions(): number {
    return this.#sessions.size;
  }
}
