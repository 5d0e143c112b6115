import { describe, it } from "vitest";

import { GRACE } from "../../sandbox/people.js";
import type { LifecycleEvent } from "../../sandbox/atlassian-site.js";
import {
  identifyingTokens,
  linkingTokens,
  MALFORMED,
  popupTokens,
  PURPOSE,
  UNTRUSTED,
} from "./access-kinds.fixture.js";
import { contextTokens, INVALID, lifecycleTokens, urlBoundTokens } from "./connect-kinds.fixture.js";
import { mint, type Refusal, type TokenKind } from "./token-kind.fixture.js";
import { useTokenWorld } from "./use-token-world.fixture.js";

let attempt: string;

const at = useTokenWorld(async (world) => {
  attempt = (await world.world.page(GRACE).beginLink()).id;
});

const event = (name: LifecycleEvent, algorithm: TokenKind["algorithm"]) =>
  lifecycleTokens(at, name, algorithm, { of: () => at().tenant });

const IDENTIFYING = identifyingTokens(at);
const LINKING = linkingTokens(at);
const POPUP = popupTokens(at, () => attempt);

const ACCESS = [IDENTIFYING, LINKING, POPUP];
/** By the place where they count: a place may take two kinds. */
const CONNECT = [
  [contextTokens(at)],
  [urlBoundTokens(at)],
  [event("installed", "RS256")],
  [event("uninstalled", "RS256")],
  [event("enabled", "RS256"), event("enabled", "HS256")],
  [event("disabled", "RS256"), event("disabled", "HS256")],
];

// All of one person and one installation, so that nothing but the kind is wrong.
for (const there of CONNECT) {
  const [place] = there as [TokenKind];
  const others = [...CONNECT.filter((kinds) => kinds !== there).flat(), ...ACCESS];
  describeCrossed(
    place,
    others.map((kind) => [kind, INVALID]),
  );
}

for (const place of ACCESS) {
  describeCrossed(place, [
    // Atlassian's own tokens have an audience, so that they can be read as Access JWTs; the others have none.
    ...CONNECT.flat().map((kind) => [kind, kind.algorithm === "RS256" ? UNTRUSTED : MALFORMED] as const),
    ...(place === IDENTIFYING ? [LINKING, POPUP] : [IDENTIFYING]).map((kind) => [kind, PURPOSE] as const),
  ]);
}

function describeCrossed(place: TokenKind, rows: readonly (readonly [TokenKind, Refusal])[]): void {
  describe(`instead of ${place.name}`, () => {
    for (const [kind, refusal] of rows) {
      it(`${kind.name} is refused: ${refusal.join(" ")}`, async () => {
        const token = mint(kind);
        await at().expectRefusal(() => place.send(token), refusal);
      });
    }
  });
}
