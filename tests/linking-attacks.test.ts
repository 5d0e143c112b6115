import { describe, expect, it } from "vitest";

import type { Reply } from "../sandbox/http-client.js";
import { createPerson, LINUS } from "../sandbox/people.js";
import {
  ANY_CODE,
  ATTACKER,
  expectNothingLinked,
  expectUnchanged,
  expectUnclaimed,
  useAttackedWorld,
  VICTIM,
} from "./linking-attacks.fixture.js";
import { createScene, expectProblem } from "./linking-scene.fixture.js";

const linking = useAttackedWorld();

describe("a link that somebody is lured into", () => {
  it.each<[how: string, fetchSite: string | undefined]>([
    ["a link on another site", "cross-site"],
    ["a page of a neighbouring host", "same-site"],
    ["a link in a mail, or typing it", "none"],
    ["a browser that doesn't say where from", undefined],
    ["a header that is sent twice", "same-origin, cross-site"],
  ])("starts nothing at /link/start by %s: no cookie, no way on", async (_how, fetchSite) => {
    const scene = await createScene(linking);
    const attempt = await scene.page(ATTACKER).beginLink();
    await expectUnchanged(scene, async () => {
      const reply = await linking.world.parts.client.send({
        caller: "The victim's browser",
        method: "GET",
        url: attempt.url,
        headers: { accept: "application/json", "sec-fetch-site": fetchSite, "sec-fetch-mode": "navigate" },
      });
      expectProblem(reply, 403, "browser_not_allowed");
      expect(reply.headers).not.toHaveProperty("set-cookie");
      expect(reply.headers).not.toHaveProperty("location");
    });
  });

  it("straight to the popup warns its victim, and gives no code that a script of the attacker's could get", async () => {
    const scene = await createScene(linking);
    // The attacker has opened it in his own browser, so the attempt has a cookie: the victim hasn't.
    const { attempt } = await scene.beginInPopup(ATTACKER);
    const shown = (await scene.showPopup(attempt, { as: VICTIM })).expect(200);
    expect(shown.text).toMatch(/Did you come here from\s+Jira\s+yourself, just now\?/);
    expect(shown.text).toContain(ATTACKER.name);
    expect(shown.headers).not.toHaveProperty("set-cookie");

    const codes = await scene.getCodes(attempt, { as: VICTIM });
    expect(codes).toMatchObject({ code: null, typedCode: expect.stringMatching(/^[A-Z2-7]{8,}$/) as string });
    expect(await scene.attempts()).toMatchObject([{ code_hash: null }]);
    const page = await scene.clickInPopup(attempt, { as: VICTIM, headers: { accept: "text/html" } });
    expect(page.expect(200).text).toContain('data-code=""');
    expect(page.text).toContain("Give this code to nobody.");

    expectProblem(await scene.redeem(ATTACKER, attempt, ANY_CODE), 422, "validation_failed");
    await expectNothingLinked(scene);
  });
});

describe("a popup that would be believed", () => {
  it("tells an attacker who calls himself like his victim from the victim by the account's id", async () => {
    const scene = await createScene(linking);
    const impostor = createPerson("An Impostor");
    scene.site.accounts.set(impostor.accountId, { ...impostor, name: VICTIM.name });
    const attempt = await scene.page(impostor).beginLink();
    for (const reply of [
      await scene.showPopup(attempt, { as: VICTIM }),
      await scene.clickInPopup(attempt, { as: VICTIM, headers: { accept: "text/html" } }),
    ]) {
      expect(reply.expect(200).text).toContain(VICTIM.name);
      expect(reply.text).toContain(impostor.accountId);
      expect(reply.text).not.toContain(VICTIM.accountId);
    }
  });

  it("takes no link away from a victim who was sent the address, and offers no button for it", async () => {
    const scene = await createScene(linking);
    await scene.page(VICTIM).link(await linking.world.browser(VICTIM));
    const { attempt } = await scene.beginInPopup(ATTACKER);
    await expectUnchanged(scene, async () => {
      const shown = (await scene.showPopup(attempt, { as: VICTIM })).expect(200);
      expect(shown.text).toContain("already linked to another account");
      expect(shown.text).toMatch(/Did you come here from\s+Jira\s+yourself, just now\?/);
      expect(shown.text).toContain("You look after your own links on the Cloudflare Access page");
      expect(shown.text).not.toMatch(/<form|value="remove"/);
      for (const body of [{ action: "remove" }, new URLSearchParams({ action: "remove" })]) {
        expectProblem(await scene.clickInPopup(attempt, { as: VICTIM, body }), 403, "browser_not_allowed");
      }
    });
  });

  it("doesn't claim that a link was removed because its address says so", async () => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(ATTACKER);
    const claim = { id: `${attempt.id}?removed` };
    const lured = (await scene.showPopup(claim, { as: VICTIM })).expect(200);
    expect(lured.text).not.toContain("was removed");
    expect(lured.text).toContain("Nothing has been changed so far.");
    const own = (await scene.showPopup(claim, { as: VICTIM, cookie })).expect(200);
    expect(own.text).not.toContain("Nothing has been changed so far.");
  });

  it("is cut off from whoever opened it, unless that was our own page", async () => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const page = { as: VICTIM, headers: { accept: "text/html" } };
    const foreign = [await scene.showPopup(attempt, page), await scene.clickInPopup(attempt, page)];
    for (const { headers } of foreign) {
      expect(headers["cross-origin-opener-policy"]).toBe("same-origin-allow-popups");
    }
    const tied = { ...page, cookie };
    for (const reply of [await scene.showPopup(attempt, tied), await scene.clickInPopup(attempt, tied)]) {
      expect(reply.expect(200).headers).not.toHaveProperty("cross-origin-opener-policy");
    }
  });
});

describe("a click that somebody else's page makes", () => {
  const OURS = "ours";
  const CLICKS: [by: string, origin: string | undefined, fetchSite: string | undefined][] = [
    ["a form on another site", "https://evil.example", "cross-site"],
    ["another site in an old browser", "https://evil.example", undefined],
    ["another site that claims to be ours", "https://evil.example", "same-origin"],
    ["a sandboxed frame", "null", "cross-site"],
    ["a sandboxed frame in an old browser", "null", undefined],
    ["a sandboxed frame of our own", "null", "same-origin"],
    ["a neighbouring host", "http://evil.localhost", "same-site"],
    ["another port of our host", "http://localhost:1", "same-site"],
    ["our host by another scheme", "https", undefined],
    ["a host that begins like ours", "suffix", undefined],
    ["an empty origin", "", undefined],
    ["our origin, redirected through another site", OURS, "cross-site"],
    ["our origin, redirected through a neighbour", OURS, "same-site"],
    ["our origin, without a page", OURS, "none"],
    ["nobody who says where from", undefined, undefined],
    ["another site that leaves its origin out", undefined, "cross-site"],
    ["a neighbour that leaves its origin out", undefined, "same-site"],
  ];
  const originOf = (origin: string | undefined) => {
    const { appUrl } = linking.world;
    if (origin === OURS) return appUrl;
    if (origin === "https") return appUrl.replace("http:", "https:");
    return origin === "suffix" ? `${appUrl}.evil.example` : origin;
  };

  it.each(CLICKS)("is refused when it comes from %s, and changes nothing", async (_by, origin, fetchSite) => {
    const scene = await createScene(linking);
    await scene.page(LINUS).link(await linking.world.browser(VICTIM), VICTIM);
    const { attempt, cookie } = await scene.beginInPopup(ATTACKER);
    const headers = { origin: originOf(origin), "sec-fetch-site": fetchSite };
    await expectUnchanged(scene, async () => {
      for (const action of ["link", "remove"]) {
        const body = new URLSearchParams({ action, typed: "true" });
        const reply = await scene.clickInPopup(attempt, { as: VICTIM, cookie, headers, body });
        expectProblem(reply, 403, "browser_not_allowed");
      }
    });
  });

  it.each<[browser: string, origin: string | undefined, fetchSite: string | undefined]>([
    ["a browser of today", OURS, "same-origin"],
    ["a browser without Sec-Fetch-Site", OURS, undefined],
    ["a browser without Origin", undefined, "same-origin"],
  ])("is told apart from our own page's, in %s", async (_browser, origin, fetchSite) => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const headers = { origin: originOf(origin), "sec-fetch-site": fetchSite };
    (await scene.clickInPopup(attempt, { as: VICTIM, cookie, headers })).expect(200);
  });
});

describe("the cookie that ties the popup to its opener", () => {
  it("can't be read by scripts, sent by other sites, planted by neighbouring hosts, or outlive the attempt", async () => {
    const scene = await createScene(linking);
    const attempt = await scene.page(VICTIM).beginLink();
    const reply = await linking.world.parts.client.send({
      caller: "A browser",
      method: "GET",
      url: attempt.url,
      headers: { "sec-fetch-site": "same-origin" },
    });
    expect(reply.headers.location).toBe(`/access/link/${attempt.id}`);
    const [cookie = "", ...others] = reply.headers["set-cookie"] ?? [];
    expect(others).toEqual([]);
    const [pair, ...attributes] = cookie.split("; ");
    // RFC 6265bis §4.1.3.2: a browser takes __Host- only from the host itself, over https, for the whole host.
    expect(pair).toMatch(/^__Host-link-[0-9a-f]{16}=[\w-]{22}$/);
    expect(attributes.map((attribute) => attribute.toLowerCase()).sort()).toEqual([
      "httponly",
      "max-age=300",
      "path=/",
      "samesite=lax",
      "secure",
    ]);
    expect(pair).not.toContain(attempt.id);
  });

  it("of one attempt says nothing about another", async () => {
    const scene = await createScene(linking);
    const attackers = await scene.beginInPopup(ATTACKER);
    const victims = await scene.beginInPopup(VICTIM);
    const [name] = victims.cookie.split("=");
    const [, value] = attackers.cookie.split("=");
    for (const cookie of [attackers.cookie, `${name}=${value}`, `${name}=`, `${name}=null`]) {
      expect(await scene.getCodes(victims.attempt, { as: VICTIM, cookie })).toMatchObject({ code: null });
    }
    expect(await scene.getCodes(victims.attempt, { as: VICTIM, cookie: victims.cookie })).toMatchObject({
      typedCode: null,
    });
  });

  it("of the window before last no longer counts", async () => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const newer = await scene.openFromPage(attempt);
    expect(await scene.getCodes(attempt, { as: VICTIM, cookie })).toMatchObject({ code: null });
    expect(await scene.getCodes(attempt, { as: VICTIM, cookie: newer })).toMatchObject({ typedCode: null });
  });

  it("of the attacker's in the victim's browser links nothing: the page names the attacker's account, and waits", async () => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(ATTACKER);
    const shown = (await scene.showPopup(attempt, { as: VICTIM, cookie })).expect(200);
    expect(shown.text).toContain(ATTACKER.name);
    expect(shown.text).toContain(VICTIM.email);
    await expectUnclaimed(scene);
    // Nor does it, by itself, let anybody redeem or see anything.
    expectProblem(await scene.showPopup(attempt, { accessJwt: null, cookie }), 401, "access_jwt_missing");
    expectProblem(
      await scene.redeem(ATTACKER, attempt, cookie.split("=")[1] ?? ""),
      422,
      "validation_failed",
    );
  });
});

describe("the popup's pages", () => {
  it("can't be framed, run no script but the app's own file, are kept nowhere, and aren't cut off from their opener", async () => {
    const scene = await createScene(linking);
    const attempt = await scene.page(VICTIM).beginLink();
    const start = await linking.world.parts.client.send({
      caller: "A browser",
      method: "GET",
      url: attempt.url,
      headers: { "sec-fetch-site": "same-origin" },
    });
    const cookie = start.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
    const asPage = { as: VICTIM, cookie, headers: { accept: "text/html" } };
    const confirm = (await scene.showPopup(attempt, { as: VICTIM, cookie })).expect(200);
    const code = (await scene.clickInPopup(attempt, asPage)).expect(200);
    const replies = [
      start.expect(303),
      confirm,
      code,
      (await scene.clickInPopup(attempt, { as: VICTIM, cookie })).expect(200),
      (await scene.showPopup({ id: "gone" }, asPage)).expect(410),
      (
        await scene.clickInPopup(attempt, { ...asPage, headers: { origin: "null", accept: "text/html" } })
      ).expect(403),
    ];
    for (const { headers } of replies) {
      const policy = String(headers["content-security-policy"]).split(";");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("form-action 'self'");
      expect(policy).toContain("base-uri 'none'");
      const isPage = String(headers["content-type"]).startsWith("text/html");
      const scripts = policy.filter((directive) => /^(?:script|connect)-src/.test(directive));
      expect(scripts).toEqual(isPage ? ["script-src 'self'", "connect-src 'self'"] : []);
      expect(headers).not.toHaveProperty("cross-origin-opener-policy");
      expect(headers["cache-control"]).toContain("no-store");
      expect(headers["x-content-type-options"]).toBe("nosniff");
      // The address names the attempt: at most our own host learns it, and only from pages whose forms need that.
      const hasForm = [confirm, code].some((page) => page.headers === headers);
      expect(headers["referrer-policy"]).toBe(hasForm ? "same-origin" : "no-referrer");
    }
  });

  it("show names, addresses and attempts as text, whatever is in them", async () => {
    const scene = await createScene(linking);
    const hostile = createPerson(`<script>alert("name")</script>`, {
      email: `"<img/src=x/onerror=alert(1)>&'"@acme.example`,
      accountId: `"><script>alert('account')</script>`.replaceAll(" ", ""),
    });
    const html = { accept: "text/html" };
    const pages: Reply[] = [];
    for (const knownToTheSite of [false, true]) {
      // With a name, then under the id alone.
      if (knownToTheSite) scene.site.accounts.set(hostile.accountId, hostile);
      const { attempt, cookie } = await scene.beginInPopup(hostile);
      pages.push(await scene.showPopup(attempt, { as: hostile, cookie }));
      pages.push(await scene.showPopup(attempt, { as: hostile }));
      pages.push(await scene.clickInPopup(attempt, { as: hostile, cookie, headers: html }));
    }
    await scene.page(ATTACKER).link(await linking.world.browser(hostile), hostile);
    const { attempt } = await scene.beginInPopup(hostile);
    pages.push(await scene.showPopup(attempt, { as: hostile }));
    for (const page of pages) {
      expect(page.expect(200).text).toContain("&lt;img/src");
      expect(withoutOwnScript(page.text)).not.toMatch(/<(?:script|img)/i);
    }
    const lost = await scene.showPopup(
      { id: encodeURIComponent("<script>") },
      { as: hostile, headers: html },
    );
    expect(withoutOwnScript(lost.expect(410).text)).not.toMatch(/<script/i);
  });
});

function withoutOwnScript(html: string): string {
  return html.replace(
    /<script type="module" blocking="render" src="\/public\/[0-9a-f]+\/popup\.js"><\/script>/,
    "",
  );
}
