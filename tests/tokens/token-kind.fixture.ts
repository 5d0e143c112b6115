import type { KeyObject } from "node:crypto";

import type { Reply } from "../../sandbox/http-client.js";
import type { Claims } from "../../sandbox/jwt.js";
import type { ProblemCode } from "../../src/errors.js";
import type { Attacker } from "./attacker.fixture.js";
import { hmac, rsa, type Signer } from "./signers.fixture.js";

export type Refusal = readonly [status: number, code: ProblemCode];

/**
 * What can be wrong with a token, as far as callers are told apart:
 * - `absent`: there is nothing where the token should be;
 * - `spaced`: there is something with a space or a tab within;
 * - `oversized`: more than 16 KiB;
 * - `unreadable`: not a compact JWS of two plain JSON objects, or a claim of the wrong type;
 * - `untrusted`: well-formed, but nobody proves it;
 * - `expired`: good in everything but its age.
 */
export type Fault = "absent" | "spaced" | "oversized" | "unreadable" | "untrusted" | "expired";

/** One kind of token, and one place where it counts. A kind joins with one such object and the rows of its own. */
export interface TokenKind {
  readonly name: string;
  readonly algorithm: "HS256" | "RS256";
  /** As its issuer would write them now. */
  header(): Claims;
  claims(): Claims;
  /** The issuer's: a shared secret for HS256, a private key for RS256. */
  key(): string | KeyObject;
  /** A public key that the app trusts, and its name: the issuer's own, if it has one. */
  publicKey(): { readonly kid: string; readonly key: KeyObject };
  send(token: string): Promise<Reply>;
  /** Fails unless the answer is the one that a good token gets. */
  expectAccepted(reply: Reply): void;
  readonly refusals: Readonly<Record<Fault, Refusal>>;
  /** Before each token that is to be accepted, where one that was accepted changes what comes after it. */
  prepare?(): Promise<void>;
}

type Rewrite = (json: string) => string | Buffer;

/** What is done to a good token. Every step after the first starts from what the one before it has made. */
export interface Change {
  /** Laid over its members, where undefined takes one away; or made of its JSON text. */
  readonly header?: Claims | Rewrite;
  readonly claims?: Claims | Rewrite;
  /** Made of the encoded header and claims; what stands then is signed. */
  readonly encoded?: (header: string, claims: string) => readonly [header: string, claims: string];
  /** Instead of the issuer's signature. */
  readonly sign?: Signer;
  /** Made of the signature's bytes. */
  readonly signature?: (bytes: Buffer) => Buffer;
  /** Made of the whole token. */
  readonly token?: (token: string) => string;
}

export interface Scene {
  readonly kind: TokenKind;
  readonly attacker: Attacker;
}

/** How a token is made: a change, or what makes one of the world as it is when the row's turn comes. */
export type Making = Change | ((scene: Scene) => Change | Promise<Change>);

/** A row that holds for every kind. */
export type CommonRow = readonly [what: string, made: Making, fault: Fault];
/** A row of one kind. */
export type Row = readonly [what: string, made: Making, status: number, code: ProblemCode];
export type AcceptedRow = readonly [what: string, made: Making];
/** A row whose token is good and stands somewhere else, or comes at another time. */
export type RequestRow = readonly [
  what: string,
  request: () => Promise<Reply>,
  status: number,
  code: ProblemCode,
];

export function mint(kind: TokenKind, change: Change = {}): string {
  const header = encode(write(kind.header(), change.header));
  const claims = encode(write(kind.claims(), change.claims));
  const input = (change.encoded?.(header, claims) ?? [header, claims]).join(".");
  const signed = (change.sign ?? signerOf(kind))(Buffer.from(input));
  const signature = change.signature?.(signed) ?? signed;
  const token = `${input}.${signature.toString("base64url")}`;
  return change.token?.(token) ?? token;
}

export async function make(scene: Scene, made: Making): Promise<string> {
  return mint(scene.kind, typeof made === "function" ? await made(scene) : made);
}

export function signerOf(kind: TokenKind): Signer {
  const key = kind.key();
  return typeof key === "string" ? hmac(key) : rsa(key);
}

export function encode(bytes: string | Buffer): string {
  return Buffer.from(bytes).toString("base64url");
}

function write(members: Claims, change: Change["header"]): string | Buffer {
  return typeof change === "function"
    ? change(JSON.stringify(members))
    : JSON.stringify({ ...members, ...change });
}
