import { vi } from "vitest";

import type { AccountState } from "./account-page.js";
import { NO_ACTIVITY } from "./activity-actions.js";
import { ApiError } from "../errors.js";
import type { Link, Me, ProblemCode, Service } from "../types.js";

export const SERVICE: Service = {
  serviceId: "builds",
  label: "Builds",
  purposes: ["identify", "act"],
  requests: [{ methods: ["GET"], path: "/rest/api/3/issue/*" }],
  maxTokenAgeSeconds: 86_400,
  standing: "undecided",
  digest: "d".repeat(64),
  decidedAt: null,
  paused: false,
  lastActedAt: null,
  calls: 0,
};

export const LINK: Link = {
  id: "link",
  accountId: "712020:grace",
  email: "grace@acme.example",
  issuer: "https://acme.cloudflareaccess.com",
  method: "admin",
  linkedAt: "2026-11-22T12:00:00.000Z",
  lastUsedAt: null,
  confirmedAt: null,
  standing: "unconfirmed",
};

const ME: Me = {
  accountId: "712020:grace",
  displayName: "Grace Green",
  site: "acme.atlassian.net",
  product: "jira",
  teamDomain: "acme.cloudflareaccess.com",
  signOutUrl: null,
  links: [LINK],
  consents: [],
  services: [SERVICE],
  linking: { available: true, methods: ["popup", "accessJwt"], reason: null },
  paused: false,
  news: [],
};

/** A page that only keeps its state, and says where it put the focus. */
export function createPage(me: Partial<Me> = {}) {
  const focused: string[] = [];
  const page = {
    state: {
      me: { ...ME, ...me },
      error: null,
      news: [],
      arrival: null,
      linkWork: null,
      unlinked: null,
      deciding: null,
      activity: NO_ACTIVITY,
    } as AccountState,
    update: (changes: Partial<AccountState>) => void (page.state = { ...page.state, ...changes }),
  };
  vi.stubGlobal("CSS", { escape: (text: string) => text });
  return { page, focused, focus: (selector: string) => void focused.push(selector) };
}

export function refusal(code: ProblemCode): ApiError {
  const problem = { type: "", title: "", status: 400, detail: "", code, reference: "" };
  return new ApiError(problem, null);
}
