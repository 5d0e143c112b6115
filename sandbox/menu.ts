import type { Interface } from "node:readline/promises";

import { tellCurlCalls } from "./curl-calls.js";
import { visibleText } from "./html.js";
import { tellOwnToolTokens } from "./own-tool.js";
import { ADA, VISITORS, type Person } from "./people.js";
import type { Stage } from "./stage.js";

type Terminal = Pick<Interface, "question">;

interface Item {
  readonly letter: string;
  readonly label: string;
  /** `number` is what was typed after the letter: whom it is about. */
  readonly run: (menu: Menu, number: string | undefined) => Promise<void>;
}

const ITEMS: readonly Item[] = [
  {
    letter: "v",
    label: "visit the demo service as …",
    run: async (menu, number) => menu.visit(await menu.askWho(number)),
  },
  { letter: "l", label: "link somebody", run: async (menu, number) => menu.link(await menu.askWho(number)) },
  {
    letter: "u",
    label: "unlink somebody",
    run: async (menu, number) => menu.unlink(await menu.askWho(number)),
  },
  { letter: "r", label: "rotate the team's keys", run: (menu) => menu.rotateKeys() },
  { letter: "o", label: "switch the team off, or on again", run: (menu) => menu.toggleTeam() },
  { letter: "s", label: "make the team slow, or quick again", run: (menu) => menu.toggleDelay() },
  { letter: "t", label: "calls for curl, with fresh tokens", run: (menu) => menu.tellCalls() },
  {
    letter: "k",
    label: "a token of somebody for a tool of your own",
    run: async (menu, number) => menu.tellToken(await menu.askWho(number)),
  },
  {
    letter: "f",
    label: "uninstall the app from the site behind Forge, or install it again",
    run: (menu) => menu.toggleForge(),
  },
  { letter: "a", label: "read the audit log", run: (menu) => menu.readAudit() },
];

/** What to try next, in the terminal, until somebody quits. */
export class Menu {
  readonly #stage: Stage;
  readonly #terminal: Terminal;

  constructor(stage: Stage, terminal: Terminal) {
    this.#stage = stage;
    this.#terminal = terminal;
  }

  /** Returns when somebody quits; rejects with an AbortError when the terminal is closed. */
  async run(): Promise<void> {
    const { transcript } = this.#stage;
    const items = ITEMS.map(({ letter, label }) => `  ${letter}  ${label}\n`).join("");
    this.#say("Try: u 1 (unlink Grace), v 1 (the tool no longer knows her), l 1 (link again), v 1.");
    for (;;) {
      transcript.print(`\n${items}  q  quit`);
      const answer = (await this.#terminal.question("What next? ")).trim().toLowerCase();
      const [choice = "", number] = answer.split(/\s+/);
      if (choice === "q") return;
      const item = ITEMS.find(({ letter }) => letter === choice);
      if (item) await this.#try(() => item.run(this, number));
      else if (choice !== "") this.#say(`There is no ${choice}.`);
    }
  }

  /** Until it's somebody; the first of them for nothing but Enter. */
  async askWho(given?: string): Promise<Person> {
    const names = VISITORS.map(({ name }, index) => `${index + 1} ${name}`).join(", ");
    let answer = given;
    for (;;) {
      answer ??= (await this.#terminal.question(`Who? ${names}: `)).trim();
      const person = VISITORS[Number(answer || "1") - 1];
      if (person) return person;
      this.#say(`There is no ${answer}.`);
      answer = undefined;
    }
  }

  async visit(person: Person): Promise<void> {
    this.#say(`The page says: ${visibleText(await this.#stage.visitDemo(person))}`);
  }

  async link(person: Person): Promise<void> {
    await this.#stage.world.page(person).link(await this.#stage.browserOf(person));
    this.#say(`${person.name} is linked.`);
  }

  async unlink(person: Person): Promise<void> {
    const linkCount = await this.#stage.world.page(person).unlinkAll();
    this.#say(linkCount > 0 ? `${person.name} isn't linked any more.` : `${person.name} had no link.`);
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

  async tellCalls(): Promise<void> {
    await tellCurlCalls(this.#stage);
  }

  async tellToken(person: Person): Promise<void> {
    await tellOwnToolTokens(this.#stage, [person]);
  }

  async toggleForge(): Promise<void> {
    const { forgeSite } = this.#stage.world;
    if (forgeSite.products.length > 0) await forgeSite.uninstall();
    else (await forgeSite.install()).expect(204);
  }

  async readAudit(): Promise<void> {
    await this.#stage.world.page(ADA).send("GET", "/api/v1/audit?limit=20");
  }

  async #try(work: () => Promise<void>): Promise<void> {
    // What was told long ago has scrolled away.
    this.#stage.transcript.forget();
    try {
      await work();
    } catch (error) {
      if (error instanceof Error && error.name === "AbortError") throw error;
      this.#say(this.#explain(error));
    }
  }

  #explain(error: unknown): string {
    if (!(error instanceof Error)) return String(error);
    const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
    const isCutOff = code === "ECONNRESET" && this.#stage.world.team.behaviour.off;
    return isCutOff ? "The Access team is off: nobody can sign in." : error.message;
  }

  #say(text: string): void {
    this.#stage.transcript.say(text);
  }
}
