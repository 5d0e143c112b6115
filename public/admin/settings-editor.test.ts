import { describe, expect, it, vi } from "vitest";

import {
  AUDIENCES,
  COMPLETE_SETTINGS,
  createGate,
  createParts,
  FakeHost,
  LINK_SERVICE,
} from "./fake-admin.fixture.js";
import { SettingsEditor } from "./settings-editor.js";

function open(host = new FakeHost(COMPLETE_SETTINGS)) {
  return { host, editor: new SettingsEditor(createParts(host)) };
}

describe("what is typed while it is saved", () => {
  it("survives, over what is stored then", async () => {
    const { host, editor } = open();
    const gate = createGate();
    host.gates.set("PUT /api/v1/settings", gate.passed);
    editor.edit({ emailDomains: "sent.example" });
    const key = editor.addService({ label: "Tool", audience: AUDIENCES.tool, purposes: ["identify"] });
    const saving = editor.save();
    editor.edit({ emailDomains: "sent.example\ntyped.example" });
    editor.editService(key, { label: "Renamed" });
    gate.open();
    expect(await saving).toBe(true);

    expect(editor.draft.emailDomains).toBe("sent.example\ntyped.example");
    expect(editor.base.allowedEmailDomains).toEqual(["sent.example"]);
    expect(editor.isDirty).toBe(true);
    expect(await editor.save()).toBe(true);
    expect(host.settings.allowedEmailDomains).toEqual(["sent.example", "typed.example"]);
    // The new service got its id: it isn't added a second time.
    expect(host.settings.services.map(({ label }) => label)).toEqual(["Linking window", "Renamed"]);
  });

  it("survives a conflict, too", async () => {
    const { host, editor } = open();
    const gate = createGate();
    host.gates.set("GET /api/v1/settings", gate.passed);
    editor.edit({ emailDomains: "sent.example" });
    host.saveAsSomebodyElse({ teamDomain: "theirs.cloudflareaccess.com" });
    const saving = editor.save();
    await vi.waitFor(() => expect(host.count("GET", "/api/v1/settings")).toBe(1));
    editor.edit({ emailDomains: "typed.example" });
    gate.open();
    expect(await saving).toBe(false);
    expect(await editor.saveConflict()).toBe(true);
    expect(host.settings).toMatchObject({
      teamDomain: "theirs.cloudflareaccess.com",
      allowedEmailDomains: ["typed.example"],
    });
  });

  it("isn't saved twice at once", async () => {
    const { host, editor } = open();
    editor.edit({ emailDomains: "acme.example" });
    const saves = [editor.save(), editor.save()];
    expect(await Promise.all(saves)).toEqual([true, false]);
    expect(host.count("PUT", "/api/v1/settings")).toBe(1);
  });
});

describe("pausing", () => {
  it("keeps a draft, which can be saved after it", async () => {
    const { host, editor } = open();
    editor.edit({ emailDomains: "acme.example" });
    await editor.setPaused(true);
    expect(editor.isPaused).toBe(true);
    expect(host.settings).toMatchObject({ paused: true, allowedEmailDomains: [] });
    expect(await editor.save()).toBe(true);
    expect(host.settings).toMatchObject({ paused: true, allowedEmailDomains: ["acme.example"] });
  });

  it("doesn't take another admin's save over a draft", async () => {
    const { host, editor } = open();
    editor.edit({ emailDomains: "mine.example" });
    host.saveAsSomebodyElse({ teamDomain: "theirs.cloudflareaccess.com" });
    await editor.setPaused(true);
    expect(host.settings).toMatchObject({ paused: true, teamDomain: "theirs.cloudflareaccess.com" });
    expect(editor.draft.emailDomains).toBe("mine.example");
    // Saving the draft shows both versions instead of undoing what the other saved.
    expect(await editor.save()).toBe(false);
    expect(editor.conflict?.differences.map(({ field }) => field)).toContain("teamDomain");
    expect(host.settings.teamDomain).toBe("theirs.cloudflareaccess.com");
  });
});

describe("a conflict", () => {
  async function openConflict() {
    const { host, editor } = open();
    editor.edit({ emailDomains: "mine.example" });
    host.saveAsSomebodyElse({ paused: true, matching: "email", allowedEmailDomains: ["theirs.example"] });
    await editor.save();
    return { host, editor };
  }

  it("carries through what the form doesn't show", async () => {
    const { host, editor } = await openConflict();
    expect(await editor.saveConflict()).toBe(true);
    expect(host.settings).toMatchObject({ paused: true, matching: "email" });
    expect(editor).toMatchObject({ conflict: null, isPaused: true, isDirty: false });
  });

  it("stays while the merge is refused, and says why there", async () => {
    const { host, editor } = await openConflict();
    host.refusal = [{ field: "services[0].audience", detail: "No." }];
    expect(await editor.saveConflict()).toBe(false);
    expect(editor.conflict).not.toBeNull();
    expect(editor.errors).toEqual([{ fieldId: null, label: "Linking window, AUD tag", text: "No." }]);
    expect(await editor.saveConflict()).toBe(true);
    expect(host.settings.allowedEmailDomains).toEqual(["theirs.example", "mine.example"]);
    expect(editor).toMatchObject({ conflict: null, errors: [] });
  });

  it("is shown anew when somebody saves a third time", async () => {
    const { host, editor } = await openConflict();
    host.saveAsSomebodyElse({ teamDomain: "third.cloudflareaccess.com" });
    expect(await editor.saveConflict()).toBe(false);
    expect(editor.conflict?.versions.theirs.teamDomain).toBe("third.cloudflareaccess.com");
    expect(await editor.saveConflict()).toBe(true);
    expect(host.settings).toMatchObject({
      teamDomain: "third.cloudflareaccess.com",
      paused: true,
      allowedEmailDomains: ["theirs.example", "mine.example"],
    });
  });
});

describe("services that are offered", () => {
  it("go when they weren't used, and stay when they were", () => {
    const { editor } = open();
    editor.addService({ label: "Unused", purposes: ["identify"], isOptional: true });
    const used = editor.addService({ audience: AUDIENCES.tool, isOptional: true });
    editor.dropUnusedOffers();
    expect(editor.draft.services.map(({ key }) => key)).toEqual([LINK_SERVICE.id, used]);
  });
});

describe("a field", () => {
  it("shows everything that is wrong with it", async () => {
    const { host, editor } = open();
    editor.edit({ emailDomains: "com\nnet" });
    host.refusal = [0, 1].map((index) => ({ field: `allowedEmailDomains[${index}]`, detail: "Too wide." }));
    await editor.save();
    expect(editor.findError("email-domains")).toBe("“com”: Too wide. “net”: Too wide.");
  });
});

describe("a check of the team", () => {
  it("says nothing of the one before while it runs", async () => {
    const { host, editor } = open();
    host.teamCheck = { ...host.teamCheck, ok: false };
    await editor.checkTeam();
    const again = editor.checkTeam();
    expect(editor.teamCheck).toMatchObject({ isBusy: true, result: null });
    await again;
    expect(editor.teamCheck.result).toMatchObject({ ok: false });
  });
});
