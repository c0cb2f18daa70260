import type { Buffer } from "node:buffer";
import type { KeyObject, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { ADC_SETTINGS } from "../adc/settings.ts";
import { codeOf, ConnectionError, reasonOf, throwIfNotCapable } from "../errors.ts";
import { Secret } from "../secret.ts";
import {
  isFromProject,
  type Layers,
  lookUp,
  type ProfileSettings,
  profileValue,
  readSetting,
  type Setting,
  wrongValue,
} from "./origin.ts";

/**
 * A PEM file that was read.
 * @category Connection
 */
export interface PemFile {
  /** The path as it was given. */
  readonly path: string;
  /** The file's contents; a private key may be among them. */
  readonly pem: Secret;
}

/**
 * How a server's certificate is verified, and which certificate this side shows.
 * @category Connection
 */
export interface Tls {
  /** The CA that the server's certificate is verified with, instead of the system's. */
  readonly caCertFile?: Setting<PemFile> | undefined;
  /** The client certificate, for mutual TLS. */
  readonly clientCertFile?: Setting<PemFile> | undefined;
  /** The client certificate's private key. */
  readonly clientKeyFile?: Setting<PemFile> | undefined;
  /** Whether the server's certificate is not verified at all. */
  readonly skipVerify: Setting<boolean>;
}

/**
 * Reads the TLS settings. One half of a client certificate's pair is an error, where ADC 0.28 says so and
 * exits with 0; so is an `ADC_TLS_SKIP_VERIFY` that not every ADC reads alike.
 */
export function readTls(layers: Layers, cwd: string): Tls {
  const file = (key: FileKey) => {
    const setting = (key === "caCertFile" && ownValue(key, layers)) || readSetting(key, layers);
    return setting && { origin: setting.origin, value: readFile(setting, cwd) };
  };
  const tls: Tls = {
    caCertFile: file("caCertFile"),
    clientCertFile: file("tlsClientCertFile"),
    clientKeyFile: file("tlsClientKeyFile"),
    skipVerify: readSkipVerify(layers),
  };
  requirePair(tls);
  return tls;
}

/**
 * Who vouches for the server is the user's to say: what a profile of one's own says of that comes in front of
 * `.env`, and is set in ADC's environment, which hides the other.
 */
function ownValue<K extends "caCertFile" | "tlsSkipVerify">(
  key: K,
  layers: Layers,
): Setting<NonNullable<ProfileSettings[K]>> | undefined {
  const { variable } = ADC_SETTINGS[key];
  if (layers.profile?.project !== false || layers.flags?.[key] !== undefined) return undefined;
  const setting = lookUp(layers, variable);
  if (setting === undefined || !isFromProject(setting.origin)) return undefined;
  return profileValue(layers.profile, key);
}

type FileKey = "caCertFile" | "tlsClientCertFile" | "tlsClientKeyFile";

function readFile(setting: Setting<string>, cwd: string): PemFile {
  const path = setting.value;
  // ADC resolves an empty path to the working directory, and fails to read that as a file.
  if (path === "") throw wrongValue(setting.origin, "the path is empty");
  let pem: string;
  try {
    // ADC reads the file once more, and a pipe can be read only once.
    if (!statSync(resolve(cwd, path)).isFile()) {
      throw wrongValue(setting.origin, `"${resolve(cwd, path)}" is not a regular file`);
    }
    // Windows' editors put a byte order mark in front, which Deno takes for a part of the first line.
    pem = readFileSync(resolve(cwd, path), "utf8").replace(/^\ufeff/, "");
  } catch (error) {
    if (error instanceof ConnectionError) throw error;
    throwIfNotCapable(error);
    const code = codeOf(error);
    const found = code === "ENOENT"
      ? `there is no file "${resolve(cwd, path)}"`
      : `the file "${resolve(cwd, path)}" cannot be read: ${reasonOf(code)}`;
    throw wrongValue(setting.origin, found, {
      suggestion: `Relative paths start from "${cwd}".`,
      cause: error,
    });
  }
  return { path, pem: new Secret(pem) };
}

/**
 * Judges what the files hold, before anything connects. Only where some connection uses TLS: ADC looks at the
 * contents no sooner.
 */
export function requireUsableTls(tls: Tls, cwd: string): void {
  const { caCertFile, clientCertFile, clientKeyFile } = tls;
  for (const file of [caCertFile, clientCertFile, clientKeyFile]) {
    if (file === undefined || file.value.pem.reveal().includes("-----BEGIN ")) continue;
    throw wrongValue(file.origin, `the file "${resolve(cwd, file.value.path)}" is not a PEM file`, {
      suggestion: 'A PEM file has a line that starts with "-----BEGIN".',
    });
  }
  for (const file of [caCertFile, clientCertFile]) {
    if (file === undefined || certificatesIn(file.value.pem.reveal()).length > 0) continue;
    throw unreadable(file, "certificate", cwd);
  }
  if (clientCertFile === undefined || clientKeyFile === undefined) return;
  const key = readKey(clientKeyFile, cwd);
  if (key === undefined) throw unreadable(clientKeyFile, "private key", cwd);
  const [certificate] = certificatesIn(clientCertFile.value.pem.reveal());
  // Deno can read a certificate with a key of a kind that it does not know.
  const ofCertificate = orUndefined(() => certificate!.publicKey);
  if (ofCertificate === undefined || spkiOf(ofCertificate).equals(spkiOf(key))) return;
  throw wrongValue(
    clientKeyFile.origin,
    `the key in "${resolve(cwd, clientKeyFile.value.path)}" does not match the certificate in "${
      resolve(cwd, clientCertFile.value.path)
    }"`,
    { suggestion: "Use the key of the first certificate in that file." },
  );
}

function unreadable(
  { origin, value: { path } }: Setting<PemFile>,
  what: "certificate" | "private key",
  cwd: string,
): ConnectionError {
  const command = what === "certificate" ? "openssl x509 -noout" : "openssl pkey -noout";
  return wrongValue(origin, `the file "${resolve(cwd, path)}" contains no readable ${what}`, {
    suggestion: `Check it with: ${command} -in ${path}`,
  });
}

/** No error of a parser is handed on: it may hold what was read. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** In lines of their own, or OpenSSL, and ADC with it, sees none. */
const CERTIFICATE = /^-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^-]+-----END \1-----\s*$/gm;

/** Those in front of one that cannot be read: OpenSSL, and ADC with it, reads no further. */
export function certificatesIn(pem: string): readonly X509Certificate[] {
  // Loaded only now: a run over http needs none of it.
  const { X509Certificate } = process.getBuiltinModule("node:crypto");
  const certificates: X509Certificate[] = [];
  try {
    for (const block of pem.match(CERTIFICATE) ?? []) certificates.push(new X509Certificate(block));
  } catch {
    // Deno would fail at it, where Node.js stops without a word.
  }
  return certificates;
}

const PRIVATE_KEY = /^-----BEGIN ((?:\w+ )*PRIVATE KEY)-----([^]+?)-----END \1-----\s*$/m;

function readKey(
  { value: { path, pem }, origin }: Setting<PemFile>,
  cwd: string,
): KeyObject | undefined {
  const [block, kind, content] = PRIVATE_KEY.exec(pem.reveal()) ?? [];
  if (kind === "ENCRYPTED PRIVATE KEY" || content?.includes("Proc-Type: 4,ENCRYPTED")) {
    throw wrongValue(origin, `the key in "${resolve(cwd, path)}" is encrypted`, {
      suggestion: "ADC cannot decrypt it. Save it decrypted, in a file that only you can read: " +
        "openssl pkey -in encrypted.key -out plain.key",
    });
  }
  const { createPrivateKey, createPublicKey } = process.getBuiltinModule("node:crypto");
  return orUndefined(() => createPublicKey(createPrivateKey(block ?? "")));
}

function spkiOf(key: KeyObject): Buffer {
  return key.export({ type: "spki", format: "der" });
}

function requirePair({ clientCertFile: cert, clientKeyFile: key }: Tls): void {
  if ((cert === undefined) === (key === undefined)) return;
  const given = cert ?? key;
  const missing = cert === undefined
    ? "--tls-client-cert-file or ADC_TLS_CLIENT_CERT_FILE"
    : "--tls-client-key-file or ADC_TLS_CLIENT_KEY_FILE";
  const half = cert === undefined ? "key but no certificate" : "certificate but no key";
  throw wrongValue(given!.origin, `there is a client ${half}`, {
    suggestion: `Set ${missing} too. ADC by itself would do nothing and exit with 0.`,
  });
}

/**
 * Any value, "false" and the empty one too, turns verification off for one ADC; the other reads "true" and
 * "false" alone. A "false" that adc-run keeps from both says what it means.
 */
function readSkipVerify(layers: Layers): Setting<boolean> {
  const { flag, variable } = ADC_SETTINGS.tlsSkipVerify;
  if (layers.flags?.tlsSkipVerify) return { value: true, origin: { kind: "flag", name: flag } };
  const setting = lookUp(layers, variable);
  const owned = ownValue("tlsSkipVerify", layers);
  if (setting?.value === "true" && owned?.value) return owned;
  if (setting === undefined) {
    return profileValue(layers.profile, "tlsSkipVerify") ??
      { value: false, origin: { kind: "default" } };
  }
  const { value, origin } = setting;
  if (value === "true") return { value: true, origin };
  if (value !== "false") {
    throw wrongValue(origin, 'it is not "true", and not every ADC reads it the same way', {
      suggestion: 'Set it to "true" to skip verification, or unset it to verify.',
    });
  }
  // ADC loads `.env` by itself, and what is kept from it in the environment it finds there.
  const dotEnv = layers.files.find(({ name }) => name === ".env");
  if (dotEnv?.get(variable) === undefined) return { value: false, origin };
  throw wrongValue(
    { kind: "env-file", name: variable, file: ".env" },
    "ADC may turn off certificate verification, whatever the value",
    { suggestion: 'Remove it from .env to verify, or set it to "true" to skip verification.' },
  );
}

/**
 * The options of Node.js' TLS, as all clients take them. `NODE_EXTRA_CA_CERTS` needs nothing here: the
 * runtimes add it to their own CAs, as ADC's Node.js does.
 */
export function tlsOptions(tls: Tls): {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
} {
  return {
    rejectUnauthorized: !tls.skipVerify.value,
    ...(tls.caCertFile && { ca: certificatesIn(tls.caCertFile.value.pem.reveal()).join("") }),
    ...(tls.clientCertFile && { cert: tls.clientCertFile.value.pem.reveal() }),
    ...(tls.clientKeyFile && { key: tls.clientKeyFile.value.pem.reveal() }),
  };
}
