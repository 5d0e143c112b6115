import { describe, expect, it } from "vitest";

import { ADA, GRACE } from "../../sandbox/people.js";
import { OTHER_AUDIENCE, press } from "./admin-page.fixture.js";
import {
  builds,
  KEYS,
  openBuilds,
  openPretended,
  openServices,
  OVERVIEWS,
  prepareBuilds,
  unfold,
} from "./admin-services.fixture.js";
import { useScenes } from "./use-scenes.fixture.js";

const scenes = useScenes({ siteCount: 8 });
const FOCUSED_ID = "document.activeElement?.id";

describe("Trusted services on the admin page", () => {
  it(
    "are given limits, which are saved as they were shown",
    scenes.play(async (scene) => {
      const frame = await openBuilds(scene);
      await press(frame, "Add a service");
      await frame.page().keyboard.type("Wiki");
      const wiki = frame.getByRole("group", { name: "Wiki" });
      await wiki.getByLabel("AUD tag").fill(OTHER_AUDIENCE);
      await wiki.getByLabel("Identify").uncheck();
      await wiki.getByRole("checkbox", { name: /^Act\b/ }).check();
      await wiki.getByLabel("Create issues").check();
      await wiki.getByLabel("Other requests").fill("get, put /rest/api/3/version/*");
      await wiki.getByLabel("How old a person’s token may be").selectOption("8 hours");
      await wiki.getByLabel("Addresses it may call from").fill("203.0.113.7\n2001:db8::/32");
      await wiki.getByLabel("Ask Access whether").selectOption("Every 5 minutes");
      await wiki.getByLabel("An admin agrees for everybody").check();
      await press(frame, "Save");
      await frame.getByText(/Saved at/).waitFor();
      const { services } = await scene.client(ADA).getSettings();
      expect(services[2]).toMatchObject({
        label: "Wiki",
        purposes: ["act"],
        paused: false,
        limits: {
          requests: [
            { methods: ["POST"], path: "/rest/api/3/issue" },
            { methods: ["GET", "PUT"], path: "/rest/api/3/version/*" },
          ],
          maxTokenAgeSeconds: 28_800,
          ipAddresses: ["203.0.113.7", "2001:db8::/32"],
          consent: "given",
          liveCheckSeconds: 300,
        },
      });
    }),
  );

  it(
    "leads into folded limits to what has to be corrected",
    scenes.play(async (scene) => {
      scene.errors.allowStatus(422);
      const frame = await openBuilds(scene);
      await unfold(frame, "Limits");
      await frame.getByLabel("Addresses it may call from").fill("the office");
      await unfold(frame, "Limits");
      await press(frame, "Save");
      await frame.getByText("One thing needs to be corrected").waitFor();
      await expect.poll(() => frame.locator(":focus").inputValue()).toBe("the office");
    }),
  );

  it(
    "get a key that is told once, and lose it again",
    scenes.play(async (scene) => {
      const frame = await openBuilds(scene);
      const warning = frame.getByText("A token proves the person, not the service.");
      await warning.waitFor();
      await unfold(frame, "Service key");
      await press(frame, "Create a key");
      const field = frame.getByLabel("The new key");
      await field.waitFor();
      const key = await field.inputValue();
      expect(key).toMatch(/^sk_[\w-]{43}$/);
      expect(await frame.locator(":focus").inputValue()).toBe(key);
      await warning.waitFor({ state: "detached" });
      await press(frame, "Copy");
      await frame.getByText("Copied.").waitFor();
      await press(frame, "I have stored it");
      await field.waitFor({ state: "detached" });
      expect(await frame.content()).not.toContain(key);
      expect(await frame.evaluate<string>(FOCUSED_ID)).toMatch(/-keys$/);

      await press(frame, `Remove the key ending in ${key.slice(-4)}`);
      expect(await frame.evaluate<string>(FOCUSED_ID)).toMatch(/^keep-key-/);
      await press(frame, "Keep it");
      expect(await frame.evaluate<string>(FOCUSED_ID)).toMatch(/^remove-key-/);
      await frame.page().keyboard.press("Enter");
      await press(frame, "Remove this key");
      await warning.waitFor();
      const { body } = await scene.client(ADA).send("GET", OVERVIEWS);
      expect(body).toMatchObject({ items: [{ keys: [] }, { keys: [] }] });
    }),
  );

  it(
    "keep what was typed while a key is made",
    scenes.play(async (scene) => {
      const frame = await openBuilds(scene);
      const release = scene.api.hold("POST", KEYS);
      await unfold(frame, "Service key");
      await press(frame, "Create a key");
      await frame.getByRole("group", { name: "Builds", exact: true }).getByLabel("Name").fill("Builds 2");
      release();
      await frame.getByLabel("The new key").waitFor();
      await press(frame, "Save");
      await frame.getByText(/Saved at/).waitFor();
      expect((await scene.client(ADA).getSettings()).services[1]?.label).toBe("Builds 2");
      expect(await frame.getByLabel("The new key").inputValue()).toMatch(/^sk_/);
    }),
  );

  it(
    "are paused one by one, by keyboard",
    scenes.play(async (scene) => {
      const frame = await openBuilds(scene);
      await frame.getByRole("button", { name: "Pause Builds" }).focus();
      await frame.page().keyboard.press("Enter");
      await frame.getByText("Every call of this service is refused.").waitFor();
      expect((await scene.client(ADA).getSettings()).services.map(({ paused }) => paused)).toEqual([
        false,
        true,
      ]);
      await frame.page().keyboard.press("Enter");
      await frame.getByText("Every call of this service is refused.").waitFor({ state: "detached" });
      expect((await scene.client(ADA).getSettings()).services[1]?.paused).toBe(false);
    }),
  );

  it(
    "say how many people’s consents go with them",
    scenes.play(async (scene) => {
      await prepareBuilds(scene);
      await scene.link(GRACE);
      await scene.client(GRACE).agree("Builds");
      const frame = await openServices(scene);
      await press(frame, "Remove Builds");
      await frame.getByText("With it goes the consent of 1 person.").waitFor();
      await press(frame, "Save");
      await frame.getByText(/Saved at/).waitFor();
      await press(frame, "Audit log");
      await frame.getByText("What 1 person had agreed to “Builds” ended").waitFor();
    }),
  );

  it(
    "say that people are asked again only where they may do something else",
    scenes.play(async (scene) => {
      const frame = await openPretended(scene, { consents: 3 }, builds({ ipAddresses: ["203.0.113.0/24"] }));
      const note = frame.getByText("3 people have agreed to what it may do now.");
      await unfold(frame, "Limits");
      await frame.getByLabel("Addresses it may call from").fill("");
      expect(await note.count()).toBe(0);
      await frame.getByLabel("Comment on issues").uncheck();
      await note.waitFor();
      await frame.getByLabel("Comment on issues").check();
      await note.waitFor({ state: "detached" });
    }),
  );
});
