import { describe, expect, it } from "vitest";

import {
  describeRequests,
  hasPreset,
  isSameRequests,
  joinRequests,
  REQUEST_PRESETS,
  subtractRequests,
  type RequestPattern,
} from "./request-presets.js";
import { settingsDocument } from "../src/services/settings-document.js";

const [READ, COMMENT, CREATE] = REQUEST_PRESETS.jira as [Preset, Preset, Preset];
const [READ_PAGES] = REQUEST_PRESETS.confluence as [Preset];
type Preset = (typeof REQUEST_PRESETS.jira)[number];

function words(requests: readonly RequestPattern[], product: "jira" | "confluence" = "jira"): string[] {
  return describeRequests(requests, product).map((each) => each.words);
}

describe("the presets", () => {
  it.each([READ, COMMENT, CREATE, READ_PAGES])("$label: the settings take its patterns", ({ requests }) => {
    const service = { label: "A", audience: "1".repeat(64), purposes: ["act"], limits: { requests } };
    const document = { teamDomain: null, services: [service], version: 0 };
    expect(settingsDocument.safeParse(document).error).toBeUndefined();
  });

  it("are in after they were added, and out after they were taken away", () => {
    const other = { methods: ["GET"], path: "/rest/api/3/project/*" };
    const added = joinRequests([other], READ.requests);
    expect(hasPreset(READ, added)).toBe(true);
    expect(hasPreset(COMMENT, added)).toBe(false);
    expect(subtractRequests(added, READ.requests)).toEqual([other]);
  });

  it("share a path without sharing its methods", () => {
    const both = joinRequests(READ.requests, COMMENT.requests);
    expect(both).toContainEqual({ methods: ["GET", "POST"], path: "/rest/api/3/issue/*/comment" });
    expect(subtractRequests(both, READ.requests)).toEqual(COMMENT.requests);
  });
});

describe("isSameRequests", () => {
  it("minds what is allowed, and not how it is written", () => {
    const apart = [...READ.requests, ...COMMENT.requests];
    const joined = joinRequests(COMMENT.requests, READ.requests);
    expect(apart).not.toEqual(joined);
    expect(isSameRequests(apart, joined)).toBe(true);
    expect(isSameRequests(apart, READ.requests)).toBe(false);
  });
});

describe("describeRequests", () => {
  it("says what each preset allows", () => {
    expect(words([...READ.requests, ...CREATE.requests])).toEqual([READ.words, CREATE.words]);
    expect(words(READ_PAGES.requests, "confluence")).toEqual([READ_PAGES.words]);
  });

  it("knows a preset however its patterns are grouped", () => {
    expect(words(joinRequests(READ.requests, COMMENT.requests))).toEqual([READ.words, COMMENT.words]);
  });

  it("doesn’t take a part of a preset, or another product’s, for the preset", () => {
    expect(words([{ methods: ["GET"], path: "/rest/api/3/issue/*" }])).toEqual([
      "Read what is at /rest/api/3/issue/*",
    ]);
    expect(words(READ_PAGES.requests)).not.toContain(READ_PAGES.words);
  });

  it.each([
    [["GET"], "/**", "Read everything in Jira"],
    [["DELETE", "GET", "PUT"], "/rest/api/3/**", "Read, write and delete everything below /rest/api/3"],
    [["POST", "PATCH"], "/rest/api/3/project/*", "Write what is at /rest/api/3/project/*"],
    [["HEAD"], "/rest/api/3/issue/*", "Read what is at /rest/api/3/issue/*"],
  ])("says %j %s", (methods, path, expected) => {
    expect(words([{ methods, path }])).toEqual([expected]);
  });

  it("says what is allowed beside a preset, also at the same path", () => {
    expect(words([...READ.requests, { methods: ["DELETE", "HEAD"], path: "/rest/api/3/issue/*" }])).toEqual([
      READ.words,
      "Delete what is at /rest/api/3/issue/*",
    ]);
  });

  it("has nothing to say where nothing is allowed", () => {
    expect(words([])).toEqual([]);
  });
});
