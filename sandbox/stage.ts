import type { Browser } from "./browser.js";
import type { Person } from "./people.js";
import type { Transcript } from "./transcript.js";
import type { World } from "./world.js";

/** A world with somebody who tells what happens in it, and browsers that stay signed in. */
export class Stage {
  readonly world: World;
  readonly transcript: Transcript;
  readonly #browsers = new Map<Person, Browser>();

  constructor(world: World, transcript: Transcript) {
    this.world = world;
    this.transcript = transcript;
    const { client, installKeys, oauth, forge } = world.parts;
    client.observer = transcript;
    installKeys.server.onRequest = (line) => transcript.heard("Atlassian's key server", line);
    if (forge) {
      forge.keys.server.onRequest = (line) => transcript.heard("Forge's key server", line);
      forge.api.server.onRequest = (line) => transcript.heard("api.atlassian.com", line);
    }
    oauth.server.onRequest = (line) => transcript.heard("Atlassian for a token of the person", line);
    world.site.server.onRequest = (line) => {
      if (line.includes("/rest/")) transcript.heard(line.includes(" /wiki/") ? "Confluence" : "Jira", line);
    };
    world.team.server.onRequest = (line) => {
      if (line.includes("/cdn-cgi/access/certs")) transcript.heard("the Access team for its keys", line);
    };
  }

  async browserOf(person: Person): Promise<Browser> {
    const browser = this.#browsers.get(person) ?? (await this.world.browser(person));
    this.#browsers.set(person, browser);
    return browser;
  }

  /** Visits the demo service in a browser, signing in to Access if need be. */
  async visitDemo(person: Person): Promise<string> {
    const browser = await this.browserOf(person);
    await browser.open(this.world.parts.demoUrl);
    return (await browser.signInIfAsked(person)).expect(200).text;
  }
}
