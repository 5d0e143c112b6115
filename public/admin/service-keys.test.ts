import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Api } from "../api.js";
import type { HostAnswer } from "../types.js";
import { FakeHost } from "./fake-admin.fixture.js";
import { ServiceKeys } from "./service-keys.js";

const KEY = { id: "key", hint: "abcd", createdAt: "2026-11-22T12:00:00.000Z" };

function open(status: number, body: unknown) {
  const host = new FakeHost();
  host.send = (): Promise<HostAnswer> => Promise.resolve({ status, body, retryAfterSeconds: null });
  const reload = vi.fn(() => Promise.resolve());
  return { reload, keys: new ServiceKeys({ api: new Api(host), reload, onChange: () => undefined }) };
}

describe("ServiceKeys", () => {
  beforeEach(() => {
    vi.stubGlobal("document", { getElementById: () => null });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it("shows a new key until somebody has stored it", async () => {
    const { keys, reload } = open(201, { ...KEY, key: "sk_secret" });
    await keys.create("tool");
    expect(keys.made).toMatchObject({ serviceId: "tool", key: { key: "sk_secret" } });
    expect(reload).toHaveBeenCalledOnce();
    keys.forget();
    expect(keys.made).toBeNull();
  });

  it("says why there is no new key, and looks what there is", async () => {
    const { keys, reload } = open(422, { code: "validation_failed", title: "", detail: "Two at most." });
    await keys.create("tool");
    expect(keys.made).toBeNull();
    expect(keys.working.error).toMatchObject({ message: "Two at most." });
    expect(reload).toHaveBeenCalledOnce();
  });

  it("asks before it removes one, and takes one that is gone for removed", async () => {
    const { keys, reload } = open(404, { code: "not_found", title: "", detail: "" });
    keys.ask(KEY);
    expect(keys.askedKeyId).toBe("key");
    await keys.remove("tool", KEY);
    expect(keys).toMatchObject({ askedKeyId: null, working: { error: null } });
    expect(reload).toHaveBeenCalledOnce();
  });

  it("goes on asking when a key couldn’t be removed", async () => {
    const { keys } = open(503, { code: "store_unavailable", title: "", detail: "" });
    keys.ask(KEY);
    await keys.remove("tool", KEY);
    expect(keys.askedKeyId).toBe("key");
    expect(keys.working.error).not.toBeNull();
  });
});
