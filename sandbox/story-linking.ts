import assert from "node:assert/strict";

import { confirmInPopup, readTypedCode } from "./app-page.js";
import { ADA, GRACE, LINUS } from "./people.js";
import type { Stage } from "./stage.js";

/** Steps of the members: two ways to link, and what a service gets to know by it. */
export async function tellHowToLink(stage: Stage): Promise<void> {
  const { world, transcript } = stage;
  transcript.step(
    "Grace visits a tool behind Access",
    "She signs in to Access. Cloudflare hands the tool her Access JWT, the tool passes it on and asks who she is in Jira. " +
      "The app trusts the token (team, audience, signature, time), but nobody has shown whose account goes with it.",
  );
  assert.match(await stage.visitDemo(GRACE), /href="http/, "The demo service should say where to link.");

  await linkInPopup(stage);
  await linkByTyping(stage);

  transcript.step(
    "Grace visits the tool again",
    "The same question now has an answer: her Atlassian account. The tool holds no Jira password, no API token, no shared secret.",
  );
  const page = await stage.visitDemo(GRACE);
  assert.ok(page.includes(GRACE.accountId), "The demo service should know Grace's account.");

  transcript.step(
    "The admin sees the links and every change",
    "She can remove any link. The audit log has who did what, from which address, what it was before and after, and a " +
      "reference that finds the log line. Here in short, newest first: when, who, what, to what, and the reference.",
  );
  const admin = world.page(ADA);
  const links = (await admin.send("GET", "/api/v1/links")).expect(200).body as { items: unknown[] };
  assert.equal(links.items.length, 2, "The admin should see two links.");
  const audit = (await admin.send("GET", "/api/v1/audit?limit=20")).expect(200).body as {
    items: { action: string }[];
  };
  const created = audit.items.filter(({ action }) => action === "link.created");
  assert.equal(created.length, 2, "The audit log should tell of both links.");
}

async function linkInPopup(stage: Stage): Promise<void> {
  const { world, transcript } = stage;
  const page = world.page(GRACE);
  const browser = await stage.browserOf(GRACE);
  transcript.step(
    "Grace links: she proves both sides in one browser",
    "First side: the page in Jira starts an attempt with a context JWT, so it belongs to her Atlassian account. It lasts five " +
      "minutes and can be used once.",
  );
  const attempt = await page.beginLink();
  transcript.say(
    "Second side: the page opens a popup. Its start sets a cookie that ties it to the page; a link somebody was lured into " +
      "has no such cookie. Then it goes behind Access, where she signs in, and shows both sides. So far nothing has changed.",
  );
  await page.openPopup(attempt, browser);
  transcript.say("She clicks. The popup hands a code to the window that opened it, and to no other.");
  const code = await confirmInPopup(browser);
  transcript.say("The page brings the code back with a fresh context JWT. Only now is the link written.");
  const link = await page.finishLink(attempt, code);
  assert.equal(link.accountId, GRACE.accountId, "The link should be to Grace's account.");
}

async function linkByTyping(stage: Stage): Promise<void> {
  const { world, transcript } = stage;
  const page = world.page(LINUS);
  const browser = await stage.browserOf(LINUS);
  transcript.step(
    "Linus links without a script between the windows",
    "Up to the open popup all goes the same way. But some login pages cut the popup off from the window that opened it. " +
      "Then it shows a short code, with a warning, and he types it into the page in Jira.",
  );
  const attempt = await transcript.aside(() => page.beginLink());
  await transcript.aside(() => page.openPopup(attempt, browser));
  const typedCode = await readTypedCode(browser);
  transcript.say(
    `The popup shows ${typedCode}. It works for this attempt, this account and five minutes only.`,
  );
  const link = await page.finishLink(attempt, typedCode.toLowerCase());
  assert.equal(link.accountId, LINUS.accountId, "The link should be to Linus's account.");
}
