import { describe, expect, it } from "vitest";

import { audienceOf } from "../../sandbox/access-team.js";
import { ADA, CLEO, createPerson, GRACE, LINUS } from "../../sandbox/people.js";
import { SERVICES } from "../../sandbox/world.js";
import { AUDIENCES } from "../../sandbox/world-parts.js";
import { prepareUse } from "./acting.fixture.js";
import {
  enterEmailDomains,
  openAdminPage,
  openFirstRun,
  openLinks,
  openSection,
  openSettings,
  OTHER_AUDIENCE,
  press,
} from "./admin-page.fixture.js";
import { useScenes } from "./use-scenes.fixture.js";

const scenes = useScenes({ siteCount: 21 });
const ACTIVE = "document.activeElement?.innerText || document.activeElement?.id";

describe("The admin page", () => {
  it(
    "sets the app up in three steps, by keyboard alone",
    scenes.play(async (scene) => {
      const frame = await openFirstRun(scene);
      const { keyboard } = frame.page();
      const typeInto = async (label: string, text: string) => {
        // Tab goes through everything; the test only says where it wants to be.
        for (let presses = 0; presses < 30; presses += 1) {
          const at = await frame.evaluate<string>(
            "document.activeElement?.labels?.[0]?.innerText ?? document.activeElement?.innerText ?? ''",
          );
          if (at.startsWith(label)) break;
          await keyboard.press("Tab");
        }
        await keyboard.type(text);
      };
      await frame.locator("#title").focus();
      await typeInto("Team domain", scene.world.team.domain);
      await keyboard.press("Enter");
      await frame.getByRole("heading", { name: "Step 2 of 3" }).waitFor();
      await expect.poll(() => frame.evaluate<string>(ACTIVE)).toContain("The Access application");

      await typeInto("AUD tag of this application", AUDIENCES.app);
      await typeInto("Name of the tool", "Demo service");
      await typeInto("AUD tag of the tool", AUDIENCES.demo);
      await keyboard.press("Enter");
      await expect.poll(() => frame.evaluate<string>(ACTIVE)).toContain("Try it");
      await frame.getByText("The linking window is behind Access").waitFor();

      await typeInto("Finish without linking", "");
      await keyboard.press("Enter");
      await frame.getByRole("heading", { name: "Trusted services" }).waitFor();
      expect(await scene.client(ADA).getSettings()).toMatchObject({
        teamDomain: scene.world.team.domain,
        services: [
          { audience: AUDIENCES.app, purposes: ["link"] },
          { label: "Demo service", audience: AUDIENCES.demo, purposes: ["identify"] },
        ],
      });
    }),
  );

  it(
    "takes over what already protects the linking window, with one click each",
    scenes.play(async (scene) => {
      const frame = await openFirstRun(scene);
      await press(frame, "Use it");
      await expect.poll(() => frame.getByLabel("Team domain").inputValue()).toBe(scene.world.team.domain);
      await expect.poll(() => frame.evaluate<string>("document.activeElement?.id")).toBe("team-domain");
      await press(frame, "Save and go on");
      await press(frame, "Use it");
      await expect
        .poll(() => frame.getByLabel("AUD tag of this application").inputValue())
        .toBe(AUDIENCES.app);
      await press(frame, "Save and go on");
      await frame.getByText("The linking window is behind Access").waitFor();
    }),
  );

  it(
    "goes on after a reload where the first run was left",
    scenes.play(async (scene) => {
      const frame = await openFirstRun(scene);
      await frame.getByLabel("Team domain").fill(scene.world.team.domain);
      await press(frame, "Save and go on");
      await frame.getByRole("heading", { name: "Step 2 of 3: The Access application" }).waitFor();
      const reloaded = await openAdminPage(scene);
      await reloaded.getByRole("heading", { name: "Step 2 of 3: The Access application" }).waitFor();
    }),
  );

  it(
    "goes on from the second step however long the team's keys take",
    scenes.play(async (scene) => {
      await scene.install("jira");
      await scene.client(ADA).saveSettings({ teamDomain: scene.world.team.domain });
      const frame = await openAdminPage(scene);
      scene.api.hold("POST", "/api/v1/settings/check");
      await frame.getByLabel("AUD tag of this application").fill(AUDIENCES.app);
      await press(frame, "Save and go on");
      await frame.getByRole("heading", { name: "Step 3 of 3: Try it" }).waitFor();
      await press(frame, "Change The Access application");
      const audience = frame.getByLabel("AUD tag of this application");
      expect(await audience.inputValue()).toBe(AUDIENCES.app);
      await audience.fill(OTHER_AUDIENCE);
      expect(await audience.inputValue()).toBe(OTHER_AUDIENCE);
    }),
  );

  it(
    "proves the set-up by linking the admin's own account",
    scenes.play(async (scene) => {
      const frame = await openSettings(scene);
      const popup = await scene.openPopup(frame, "Link my own account");
      await scene.signIn(popup, ADA);
      await popup.getByRole("button", { name: "Link", exact: true }).click();
      await frame.getByText(/Your own account is linked with .*, so linking works/).waitFor();
      expect(await frame.getByRole("button", { name: "Link my own account" }).count()).toBe(0);
      expect(await scene.client(ADA).listLinks()).toMatchObject([{ email: ADA.email }]);
    }),
  );

  it(
    "saves what was changed, and stays on the button",
    scenes.play(async (scene) => {
      const frame = await openSettings(scene);
      await enterEmailDomains(frame, "acme.example\n*.acme.example");
      await press(frame, "Save");
      await frame.getByText(/Saved at .* answered with 2 signing keys/).waitFor();
      expect(await frame.evaluate<string>(ACTIVE)).toBe("Save");
      const { allowedEmailDomains, services } = await scene.client(ADA).getSettings();
      expect(allowedEmailDomains).toEqual(["acme.example", "*.acme.example"]);
      expect(services).toHaveLength(2);
    }),
  );

  it(
    "adds, removes and brings back services before saving",
    scenes.play(async (scene) => {
      const frame = await openSettings(scene);
      await press(frame, "Remove Demo service");
      await press(frame, /^Undo/);
      await press(frame, "Remove This app");
      await press(frame, "Add a service");
      expect(await frame.evaluate<string>("document.activeElement?.labels[0].innerText")).toBe("Name");
      await frame.page().keyboard.type("Wiki");
      await frame.getByRole("group", { name: "Wiki" }).getByLabel("AUD tag").fill(OTHER_AUDIENCE);
      await press(frame, "Save");
      await frame.getByText(/Saved at/).waitFor();
      const { services } = await scene.client(ADA).getSettings();
      expect(services.map(({ label }) => label)).toEqual(["Demo service", "Wiki"]);
    }),
  );

  it(
    "leads to what has to be corrected, and keeps what was typed",
    scenes.play(async (scene) => {
      scene.errors.allowStatus(422);
      const frame = await openSettings(scene);
      const audience = frame.getByRole("group", { name: "Demo service" }).getByLabel("AUD tag");
      await audience.fill("1234");
      await press(frame, "Save");
      await frame.getByText("One thing needs to be corrected").waitFor();
      expect(await frame.locator(":focus").inputValue()).toBe("1234");
      expect(await audience.getAttribute("aria-invalid")).toBe("true");

      await audience.fill(OTHER_AUDIENCE);
      await press(frame, "Save");
      await frame.getByText(/Saved at/).waitFor();
      expect(await audience.getAttribute("aria-invalid")).toBe("false");
    }),
  );

  it(
    "keeps what was typed when the app can't be reached",
    scenes.play(async (scene) => {
      const frame = await openSettings(scene);
      await enterEmailDomains(frame, "acme.example");
      const undo = scene.api.cut("PUT", "/api/v1/settings");
      await press(frame, "Save");
      await frame.getByText("The app can’t be reached").waitFor();
      undo();
      await press(frame, "Save");
      await frame.getByText(/Saved at/).waitFor();
      expect((await scene.client(ADA).getSettings()).allowedEmailDomains).toEqual(["acme.example"]);
    }),
  );

  it(
    "shows both versions when two admins save, and saves what was chosen",
    scenes.play(async (scene) => {
      scene.errors.allowStatus(409);
      const frame = await openSettings(scene);
      const bea = createPerson("Bea Backup", { administers: ["jira"] });
      scene.site.accounts.set(bea.accountId, bea);
      const { services } = await scene.client(bea).getSettings();
      await scene.client(bea).saveSettings({
        allowedEmailDomains: ["bea.example"],
        services: services.map((service) => ({ ...service, label: `${service.label} (Bea)` })),
      });

      await enterEmailDomains(frame, "ada.example");
      await frame.getByRole("group", { name: "Demo service" }).getByLabel("Name").fill("Demo (Ada)");
      await press(frame, "Save");
      await frame.getByText(/Bea Backup saved on/).waitFor();
      // Nothing is stored before both were seen.
      expect((await scene.client(ADA).getSettings()).allowedEmailDomains).toEqual(["bea.example"]);

      await frame
        .getByRole("group", { name: /Demo service .*name/ })
        .getByLabel("Theirs")
        .check();
      await press(frame, "Save this");
      await frame.getByText(/Saved at/).waitFor();
      const { allowedEmailDomains, services: saved } = await scene.client(ADA).getSettings();
      expect([...allowedEmailDomains].sort()).toEqual(["ada.example", "bea.example"]);
      expect(saved.map(({ label }) => label)).toEqual(["This app (Bea)", "Demo service (Bea)"]);
    }),
  );

  it(
    "shows both versions in the first run, too, and goes on from there",
    scenes.play(async (scene) => {
      scene.errors.allowStatus(409);
      const frame = await openFirstRun(scene);
      await frame.getByLabel("Team domain").fill("mine.cloudflareaccess.com");
      await scene.client(ADA).saveSettings({ teamDomain: scene.world.team.domain });
      await press(frame, "Save and go on");
      await frame.getByRole("group", { name: "Team domain" }).getByLabel("Theirs").check();
      await press(frame, "Save this");
      await frame.getByRole("heading", { name: "Step 2 of 3: The Access application" }).waitFor();
      await frame.getByLabel("AUD tag of this application").fill(AUDIENCES.app);
      await press(frame, "Save and go on");
      await frame.getByRole("heading", { name: "Step 3 of 3: Try it" }).waitFor();
      expect((await scene.client(ADA).getSettings()).teamDomain).toBe(scene.world.team.domain);
    }),
  );

  it(
    "drops my changes for theirs",
    scenes.play(async (scene) => {
      scene.errors.allowStatus(409);
      const frame = await openSettings(scene);
      await enterEmailDomains(frame, "ada.example");
      await scene.client(ADA).saveSettings({ allowedEmailDomains: ["theirs.example"] });
      await press(frame, "Save");
      await press(frame, "Drop my changes");
      expect(await frame.getByLabel("Allowed e-mail domains").inputValue()).toBe("theirs.example");
      expect(await frame.getByText("Unsaved changes").count()).toBe(0);
    }),
  );

  it(
    "pauses at once without touching a draft, and resumes",
    scenes.play(async (scene) => {
      const frame = await openSettings(scene);
      await enterEmailDomains(frame, "acme.example");
      await press(frame, "Pause the app");
      await frame.getByRole("button", { name: "Resume the app" }).waitFor();
      expect(await scene.client(ADA).getSettings()).toMatchObject({ paused: true, allowedEmailDomains: [] });
      await press(frame, "Resume the app");
      await frame.getByRole("button", { name: "Pause the app" }).waitFor();
      await press(frame, "Save");
      await frame.getByText(/Saved at/).waitFor();
      expect(await scene.client(ADA).getSettings()).toMatchObject({
        paused: false,
        allowedEmailDomains: ["acme.example"],
      });
    }),
  );

  it(
    "finds a link, unlinks, and undoes it",
    scenes.play(async (scene) => {
      const frame = await openLinks(scene);
      const search = frame.getByLabel("Search by e-mail or account id");
      await search.pressSequentially("grace");
      await frame.getByRole("cell", { name: LINUS.email, exact: true }).waitFor({ state: "detached" });
      expect(await frame.locator(":focus").inputValue()).toBe("grace");

      await press(frame, `Unlink ${GRACE.email}`);
      expect(await frame.evaluate<string>(ACTIVE)).toBe("Keep it linked");
      await frame.page().keyboard.press("Escape");
      await frame.getByRole("button", { name: "Keep it linked" }).waitFor({ state: "detached" });
      expect(await frame.evaluate<string>(ACTIVE)).toMatch(/^Unlink\s/);

      await press(frame, `Unlink ${GRACE.email}`);
      await frame.getByRole("button", { name: "Unlink", exact: true }).click();
      await frame.getByRole("button", { name: "Undo" }).waitFor();
      expect(await frame.evaluate<string>(ACTIVE)).toBe("Undo");
      expect(await scene.client(GRACE).listLinks()).toEqual([]);

      await press(frame, "Undo");
      await frame.getByRole("button", { name: `Unlink ${GRACE.email}` }).waitFor();
      expect(await scene.client(GRACE).listLinks()).toMatchObject([{ email: GRACE.email }]);
    }),
  );

  it(
    "shows more links below the first, and keeps what can be undone in sight",
    scenes.play(async (scene) => {
      await scene.prepare();
      const item = (id: string) => ({
        id,
        accountId: `712020:${id}`,
        email: `${id}@acme.example`,
        issuer: `https://${scene.world.team.domain}`,
        method: "proof",
        linkedAt: "2026-01-31T12:00:00.000Z",
        lastUsedAt: null,
      });
      scene.api.reply("GET", "/api/v1/links", { items: [item("one")], nextCursor: "next" });
      scene.api.reply("DELETE", "/api/v1/links/one", null);
      const frame = await openSection(scene, "Links");
      scene.api.reply("GET", "/api/v1/links", { items: [item("two")], nextCursor: null });
      await press(frame, "Show more");
      await frame.getByRole("cell", { name: "two@acme.example", exact: true }).waitFor();
      expect(await frame.evaluate<string>(ACTIVE)).toContain("Unlink");

      await press(frame, "Unlink one@acme.example");
      await frame.getByRole("button", { name: "Unlink", exact: true }).click();
      await frame.getByRole("button", { name: "Undo" }).waitFor();
      await press(frame, "Audit log");
      await press(frame, "Links");
      await frame.getByRole("button", { name: "Undo" }).waitFor();
    }),
  );

  it(
    "tells in the audit log who did what, and finds one person's events",
    scenes.play(async (scene) => {
      await scene.prepare();
      await scene.link(GRACE);
      const frame = await openSection(scene, "Audit log");
      await frame.getByText(/^Grace Green \S+ linked grace@acme\.example\.$/).waitFor();
      // A name that is written from right to left mustn't turn around the words beside it.
      expect(await frame.locator(".sentence bdi").allInnerTexts()).toContain(GRACE.name);
      await frame.locator("summary").first().click();
      await press(frame, "Only what Grace Green did");
      await frame.getByText(/^Ada Admin \S+ changed/).waitFor({ state: "detached" });
      expect(await frame.getByRole("listitem").count()).toBe(1);
      await frame.getByLabel("From").fill("2020-01-01");
      await frame.getByLabel("To").fill("2020-01-02");
      await frame.getByText("Nothing happened that fits the filter").waitFor();
      await press(frame, "Show everything");
      await frame.getByText(/^Ada Admin \S+ changed/).waitFor();
    }),
  );

  it(
    "keeps what services did apart from what was changed, until somebody asks for it",
    scenes.play(async (scene) => {
      await prepareUse(scene);
      const frame = await openSection(scene, "Audit log");
      const linked = frame.getByText(/^Grace Green \S+ linked grace@acme\.example\.$/);
      const acted = frame.getByText(/acted for Grace Green/);
      await linked.waitFor();
      expect(await acted.count()).toBe(0);
      await frame.getByLabel("What").selectOption("What services did");
      await linked.waitFor({ state: "detached" });
      expect(await acted.count()).toBe(4);
      await frame.getByLabel("What").selectOption("Everything");
      await linked.waitFor();
      expect(await acted.count()).toBe(4);
      await frame.getByLabel("What").selectOption("Vouched for a person");
      await acted.first().waitFor({ state: "detached" });
      await frame.getByText("was vouched for to “Release planner”.").waitFor();
    }),
  );

  it(
    "folds services when there are many, and opens the one in which something is wrong",
    scenes.play(async (scene) => {
      const label = "Charts";
      const charts = { label, audience: audienceOf(label), purposes: ["identify"] } as const;
      await scene.prepare({ settings: { services: [...SERVICES, charts] } });
      const frame = await openAdminPage(scene);
      const name = frame.getByRole("group", { name: label }).getByLabel("Name");
      const fold = frame.locator("summary", { hasText: label }).first();
      expect(await name.isVisible()).toBe(false);
      await fold.click();
      await name.fill("");
      await fold.click();
      scene.errors.allowStatus(422);
      await press(frame, "Save");
      await frame.getByText("One thing needs to be corrected").waitFor();
      expect(await frame.evaluate<string>("document.activeElement.labels[0].innerText")).toBe("Name");
    }),
  );

  it(
    "says so when somebody lost the right to be here",
    scenes.play(async (scene) => {
      await scene.prepare({ products: ["confluence"] });
      const { frame } = await scene.openAppPage(CLEO, { module: "admin", product: "confluence" });
      scene.api.refuse("GET", "/api/v1/links", "not_admin");
      await press(frame, "Links");
      await frame.getByText("You don’t administer Confluence").waitFor();
    }),
  );

  it(
    "asks before unsaved changes are left behind",
    scenes.play(async (scene) => {
      const frame = await openSettings(scene);
      const asks = () =>
        frame.evaluate<boolean>("!window.dispatchEvent(new Event('beforeunload', { cancelable: true }))");
      expect(await asks()).toBe(false);
      await enterEmailDomains(frame, "acme.example");
      expect(await asks()).toBe(true);
      await press(frame, "Discard");
      expect(await asks()).toBe(false);
    }),
  );

  it(
    "keeps what was typed when a part of it doesn’t come, and is whole after a reload",
    scenes.play(async (scene) => {
      await scene.prepare();
      await scene.blockLaterParts();
      const frame = await openAdminPage(scene);
      await press(frame, "Audit log");
      const retry = frame.getByRole("button", { name: "Try again" });
      await retry.waitFor();
      await press(frame, "Settings");
      await enterEmailDomains(frame, "acme.example");
      await scene.client(ADA).saveSettings({ allowedEmailDomains: ["other.example"] });
      scene.errors.allowStatus(409);
      await press(frame, "Save");
      await frame.getByText("The app can’t be reached").waitFor();
      expect(await frame.getByLabel("Allowed e-mail domains").inputValue()).toBe("acme.example");
      await press(frame, "Discard");

      await press(frame, "Audit log");
      await retry.waitFor();
      await scene.context.unrouteAll();
      await retry.click();
      await frame.getByLabel("Team domain").waitFor();
      await press(frame, "Audit log");
      await frame.getByRole("combobox").first().waitFor();
    }),
  );
});
