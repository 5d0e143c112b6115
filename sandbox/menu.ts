import type { Interface } from "node:readline/promises";

import { visibleText } from "./html.js";
import { ADA, GRACE, LINUS, OSCAR, type Person } from "./people.js";
import type { Stage } from "./stage.js";

interface Item {
  readonly letter: string;
  readonly label: string;
  readonly run: (menu: Menu) => Promise<void>;
}

const VISITORS = [GRACE, LINUS, OSCAR, ADA];

const ITEMS: readonly Item[] = [
  { letter: "v", label: "visit the demo service as …", run: async (menu) => menu.visit(await menu.askWho()) },
  { letter: "l", label: "link somebody", run: async (menu) => menu.link(await menu.askWho()) },
  { letter: "u", label: "unlink somebody", run: async (menu) => menu.unlink(await menu.askWho()) },
  { letter: "r", label: "rotate the team's keys", run: (menu) => menu.rotateKeys() },
  { letter: "o", label: "switch the team off, or on again", run: (menu) => menu.toggleTeam() },
  { letter: "s", label: "make the team slow, or quick again", run: (menu) => menu.toggleDelay() },
  { letter: "t", label: "show a fresh context JWT and what to do with it", run: (menu) => menu.showToken() },
  { letter: "a", label: "read the audit log", run: (menu) => menu.readAudit() },
];

/** What to try next, in the terminal, until somebody quits. */
export class Menu {
  readonly #stage: Stage;
  readonly #terminal: Interface;

  constructor(stage: Stage, terminal: Interface) {
    this.#stage = stage;
    this.#terminal = terminal;
  }

  /** Returns when somebody quits; rejects with an AbortError when the terminal is closed. */
  async run(): Promise<void> {
    for (;;) {
      console.log(`\n${ITEMS.map(({ letter, label }) => `  ${letter}  ${label}`).join("\n")}\n  q  quit`);
      const answer = (await this.#terminal.question("What next? ")).trim().toLowerCase();
      if (answer === "q") return;
      const item = ITEMS.find(({ letter }) => letter === answer);
      try {
        await item?.run(this);
      } catch (error) {
        if (error instanceof Error && error.name === "AbortError") throw error;
        this.#say(error instanceof Error ? error.message : String(error));
      }
    }
  }

  async askWho(): Promise<Person> {
    const names = VISITORS.map(({ name }, index) => `${index + 1} ${name}`).join(", ");
    const answer = await this.#terminal.question(`Who? ${names}: `);
    return VISITORS[Number(answer) - 1] ?? GRACE;
  }

  async visit(person: Person): Promise<void> {
    this.#say(`The page says: ${visibleText(await this.#stage.visitDemo(person))}`);
  }

  async link(person: Person): Promise<void> {
    await this.#stage.world.page(person).link(await this.#stage.browserOf(person));
    this.#say(`${person.name} is linked.`);
  }

  async unlink(person: Person): Promise<void> {
    await this.#stage.world.page(person).unlinkAll();
    this.#say(`${person.name} isn't linked any more.`);
  }

  async rotateKeys(): Promise<void> {
    await this.#stage.world.team.rotateKeys();
    this.#say(
      "A new key signs now; the old ones are still published. Whoever is signed in keeps their token.",
    );
  }

  async toggleTeam(): Promise<void> {
    const { behaviour } = this.#stage.world.team;
    behaviour.off = !behaviour.off;
    this.#say(
      behaviour.off
        ? "Nobody can sign in now, and the app can't fetch keys: it goes on with those it has."
        : "The team answers again.",
    );
    return Promise.resolve();
  }

  async toggleDelay(): Promise<void> {
    const { behaviour } = this.#stage.world.team;
    behaviour.delaySeconds = behaviour.delaySeconds > 0 ? 0 : 3;
    this.#say(behaviour.delaySeconds > 0 ? "The team takes three seconds now." : "The team is quick again.");
    return Promise.resolve();
  }

  async showToken(): Promise<void> {
    const { site, appUrl } = this.#stage.world;
    const token = await site.contextJwt("jira", ADA.accountId);
    this.#say(`For fifteen minutes, this is ${ADA.name} in Jira:`);
    console.log(`\n  curl -H 'Authorization: JWT ${token}' ${appUrl}/api/v1/settings`);
  }

  async readAudit(): Promise<void> {
    await this.#stage.world.page(ADA).send("GET", "/api/v1/audit?limit=5");
  }

  #say(text: string): void {
    this.#stage.transcript.say(text);
  }
}
