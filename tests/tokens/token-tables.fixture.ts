import { describe, it } from "vitest";

import type { Reply } from "../../sandbox/http-client.js";
import { ALGORITHMS, HEADERS, OTHER_ALGORITHMS_OF_THE_KEY } from "./common-algorithms.fixture.js";
import { CLAIM_TYPES, GOOD_CLAIMS, TIME_EDGES } from "./common-claims.fixture.js";
import { IMPOSSIBLE_KIDS, KIDS_WITHOUT_MEANING, UNKNOWN_KIDS } from "./common-kids.fixture.js";
import { RSA_SIGNATURES, SIGNATURES } from "./common-signatures.fixture.js";
import { GOOD_SPELLINGS, JSON_TEXT, SPELLINGS } from "./common-spellings.fixture.js";
import {
  make,
  type AcceptedRow,
  type CommonRow,
  type RequestRow,
  type Row,
  type TokenKind,
} from "./token-kind.fixture.js";
import type { TokenWorld } from "./token-world.fixture.js";

type At = () => TokenWorld;

/** What every kind of token has to refuse, and what each has to accept. */
export function describeCommonRules(kind: TokenKind, at: At): void {
  const hasPublicKey = kind.algorithm === "RS256";
  describe(kind.name, () => {
    describeAccepted(kind, at, "is good with", [
      ...GOOD_SPELLINGS,
      ...GOOD_CLAIMS,
      ...(hasPublicKey ? [] : KIDS_WITHOUT_MEANING),
    ]);
    describeRefused(kind, at, "is refused for its algorithm:", [
      ...ALGORITHMS,
      ...OTHER_ALGORITHMS_OF_THE_KEY[kind.algorithm],
    ]);
    describeRefused(kind, at, "is refused for its header:", HEADERS);
    if (hasPublicKey) {
      describeRefused(kind, at, "is refused for the name of its key:", IMPOSSIBLE_KIDS);
      describeRefused(kind, at, "is refused for an unknown key:", UNKNOWN_KIDS, /^\S+ GET \/[\w.~-]+ → 404$/);
    }
    describeRefused(kind, at, "is refused for its signature:", [
      ...SIGNATURES,
      ...(hasPublicKey ? RSA_SIGNATURES : []),
    ]);
    describeRefused(kind, at, "is refused for its claims:", [...CLAIM_TYPES, ...TIME_EDGES]);
    describeRefused(kind, at, "is refused for how it is written:", [...SPELLINGS, ...JSON_TEXT]);
  });
}

export function describeAccepted(kind: TokenKind, at: At, title: string, rows: readonly AcceptedRow[]): void {
  describe(title, () => {
    it.each(rows)("%s", async (_what, made) => {
      await kind.prepare?.();
      kind.expectAccepted(await kind.send(await make({ kind, attacker: at().attacker }, made)));
    });
  });
}

/** Rows of one kind. Nobody may be asked anything for them, unless the request matches. */
export function describeRules(
  kind: TokenKind,
  at: At,
  title: string,
  rows: readonly Row[],
  mayAsk?: RegExp,
): void {
  describe(`${kind.name} ${title}`, () => {
    for (const [what, made, status, code] of rows) {
      it(`${what}: ${status} ${code}`, async () => {
        const token = await make({ kind, attacker: at().attacker }, made);
        await at().expectRefusal(() => kind.send(token), [status, code], mayAsk ? { mayAsk } : {});
      });
    }
  });
}

/** Rows about where and when a good token counts. */
export function describeRequests(at: At, title: string, rows: readonly RequestRow[]): void {
  describe(title, () => {
    for (const [what, request, status, code] of rows) {
      it(`${what}: ${status} ${code}`, async () => {
        await at().expectRefusal(request, [status, code]);
      });
    }
  });
}

/** Good tokens in the places, and at the times, where they count. */
export function describeAnswered(
  title: string,
  status: number,
  rows: readonly (readonly [what: string, request: () => Promise<Reply>])[],
): void {
  describe(title, () => {
    it.each(rows)("%s", async (_what, request) => {
      (await request()).expect(status);
    });
  });
}

function describeRefused(
  kind: TokenKind,
  at: At,
  title: string,
  rows: readonly CommonRow[],
  mayAsk?: RegExp,
): void {
  describe(title, () => {
    for (const [what, made, fault] of rows) {
      it(`${what}: ${kind.refusals[fault].join(" ")}`, async () => {
        const token = await make({ kind, attacker: at().attacker }, made);
        await at().expectRefusal(() => kind.send(token), kind.refusals[fault], mayAsk ? { mayAsk } : {});
      });
    }
  });
}
