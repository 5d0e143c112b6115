import { expect, it } from "vitest";

import { buildService } from "../storage/builders.fixture.js";
import { judgePopupFront, type FrontSight, type PopupFinding } from "./popup-front.js";
import { FRESH_SETTINGS, type Settings } from "./settings.js";

const TEAM = "acme.cloudflareaccess.com";
const AUD = "ab".repeat(32);
const SERVICE = buildService({ audience: AUD, purposes: ["link"] });
const CONFIGURED: Settings = { ...FRESH_SETTINGS, teamDomain: TEAM, services: [SERVICE] };
const TOOL_ONLY: Settings = { ...CONFIGURED, services: [{ ...SERVICE, purposes: ["identify"] }] };

function signIn(teamDomain: string | null, audience: string | null): FrontSight {
  return { kind: "sign_in", teamDomain, audience };
}

it.each<[PopupFinding, string, FrontSight, Settings]>([
  ["behind_access", "team and application match", signIn(TEAM, AUD), CONFIGURED],
  ["behind_access", "the application isn't named", signIn(TEAM, null), CONFIGURED],
  ["behind_access", "nothing has been entered yet", signIn(TEAM, AUD), FRESH_SETTINGS],
  ["no_link_service", "no service links", signIn(TEAM, AUD), TOOL_ONLY],
  ["other_team", "the team is another", signIn("other.cloudflareaccess.com", AUD), CONFIGURED],
  ["other_application", "the application is another", signIn(TEAM, "cd".repeat(32)), CONFIGURED],
  ["open", "the app itself answers", { kind: "open" }, CONFIGURED],
  ["unclear", "the sign-in isn't Access's", signIn(null, null), CONFIGURED],
  ["unclear", "something else answers", { kind: "other", status: 403 }, CONFIGURED],
  [
    "unreachable",
    "nothing answers",
    { kind: "unreachable", reason: "No answer within 5 seconds." },
    CONFIGURED,
  ],
])("finds %s when %s", (finding, _, sight, settings) => {
  const check = judgePopupFront("https://app.example.com/access/link/check", sight, settings);
  expect(check).toMatchObject({ finding, ok: finding === "behind_access" });
  expect(check.detail).toMatch(/^[A-Z].*\.$/);
});

it("passes on why nothing was reached, and which status came instead", () => {
  const reason = "No answer within 5 seconds.";
  expect(judgePopupFront("x", { kind: "unreachable", reason }, CONFIGURED).detail).toContain(reason);
  expect(judgePopupFront("x", { kind: "other", status: 403 }, CONFIGURED).detail).toContain("403");
});
