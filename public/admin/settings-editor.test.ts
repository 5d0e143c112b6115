import { describe, expect, it, vi } from "vitest";

import {
  ACTING_SERVICE,
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

describe("one service", () => {
  const settings = { ...COMPLETE_SETTINGS, services: [LINK_SERVICE, ACTING_SERVICE] };

  it("is paused at once, and the draft stays", async () => {
    const { host, editor } = open(new FakeHost(settings));
    editor.edit({ emailDomains: "acme.example" });
    await editor.setServicePaused(ACTING_SERVICE.id, true);
    expect(editor.isServicePaused(ACTING_SERVICE.id)).toBe(true);
    expect(editor.isServicePaused(LINK_SERVICE.id)).toBe(false);
    expect(host.settings).toMatchObject({ paused: false, allowedEmailDomains: [] });
    expect(await editor.save()).toBe(true);
    expect(host.settings.services[1]).toMatchObject({ paused: true });
    expect(host.settings.allowedEmailDomains).toEqual(["acme.example"]);
  });

  it("is paused on top of what somebody else saved meanwhile", async () => {
    const { host, editor } = open(new FakeHost(settings));
    host.saveAsSomebodyElse({ allowedEmailDomains: ["theirs.example"] });
    await editor.setServicePaused(ACTING_SERVICE.id, true);
    expect(host.settings.allowedEmailDomains).toEqual(["theirs.example"]);
    expect(editor.isServicePaused(ACTING_SERVICE.id)).toBe(true);
  });

  it("keeps limits that aren’t shown, and sends those that are", async () => {
    const { host, editor } = open(new FakeHost(settings));
    editor.editService(ACTING_SERVICE.id, { purposes: ["identify"] });
    await editor.save();
    expect(host.settings.services[1]?.limits).toEqual(ACTING_SERVICE.limits);
    const [, service] = editor.draft.services;
    const limits = { ...service!.limits, ipAddresses: "203.0.113.0/24" };
    editor.editService(ACTING_SERVICE.id, { purposes: ["act"], limits });
    await editor.save();
    expect(host.settings.services[1]?.limits).toEqual({
      ...ACTING_SERVICE.limits,
      ipAddresses: ["203.0.113.0/24"],
    });
  });

  it("isn’t sent with hours that nobody can read", async () => {
    const { host, editor } = open(new FakeHost(settings));
    const [, service] = editor.draft.services;
    editor.editService(ACTING_SERVICE.id, { limits: { ...service!.limits, maxTokenAgeHours: "a day" } });
    expect(await editor.save()).toBe(false);
    expect(editor.findError("service-tool-maxTokenAgeSeconds")).toContain("Enter how many hours");
    expect(host.count("PUT", "/api/v1/settings")).toBe(0);
  });

  it("shows at its limits what the app refuses there", async () => {
    const { host, editor } = open(new FakeHost(settings));
    const [, service] = editor.draft.services;
    editor.editService(ACTING_SERVICE.id, {
      limits: { ...service!.limits, otherRequests: "GOT /x", ipAddresses: "203.0.113.1\noffice" },
    });
    host.refusal = [
      { field: "services[1].limits.requests[0].methods[0]", detail: "Must be one of them." },
      { field: "services[1].limits.ipAddresses[1]", detail: "Must be an IP address." },
    ];
    await editor.save();
    expect(editor.findError("service-tool-requests")).toBe("“GOT /x”: Must be one of them.");
    expect(editor.findError("service-tool-ipAddresses")).toBe("“office”: Must be an IP address.");
  });
});
