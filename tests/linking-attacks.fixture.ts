import { expect } from "vitest";

import { GRACE, LINUS } from "../sandbox/people.js";
import { startLinkingWorld, type LinkingWorld, type Scene } from "./linking-scene.fixture.js";
import { useLinkingWorld } from "./use-linking-world.fixture.js";

export const VICTIM = GRACE;
export const ATTACKER = LINUS;
export const OTHER_TEAM = "globex.cloudflareaccess.com";
/** Looks like a code that a person types, and is none. */
export const ANY_CODE = "AAAAAAAAAA";

/** With the team of another company in it, too. */
const ATTACKED = { teamDomains: ["acme.cloudflareaccess.com", OTHER_TEAM] } as const;

export async function startAttackedWorld(): Promise<LinkingWorld> {
  return startLinkingWorld(ATTACKED);
}

export function useAttackedWorld(): Omit<LinkingWorld, "close"> {
  return useLinkingWorld(ATTACKED);
}

/** The attack got nowhere: no link, and nothing that says there was one. */
export async function expectNothingLinked(scene: Scene): Promise<void> {
  expect(await scene.links()).toEqual([]);
  expect(await scene.linkEvents()).toEqual([]);
}

/** Nor did anybody get as far as a code. */
export async function expectUnclaimed(scene: Scene): Promise<void> {
  expect(await scene.attempts()).toMatchObject([{ subject: null, code_hash: null, typed_code_hash: null }]);
  await expectNothingLinked(scene);
}

/** Whatever is done meanwhile leaves every row of every table as it was. */
export async function expectUnchanged({ database }: Scene, work: () => Promise<void>): Promise<void> {
  const before = await database.snapshot();
  await work();
  expect(await database.snapshot()).toEqual(before);
}
