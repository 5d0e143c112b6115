import type { Host, Link, PageOf } from "../types.js";
import { AccountNames } from "./account-names.js";

/** A question to the app whose answer the test gives when it wants to. */
export interface Asked<Query, Item> {
  readonly query: Query;
  answer(page: Partial<PageOf<Item>>): Promise<void>;
  refuse(error: Error): Promise<void>;
}

/** Records what is asked; nothing is answered by itself. */
export function createQuestions<Query, Item>() {
  const asked: Asked<Query, Item>[] = [];
  const ask = (query: Query) =>
    new Promise<PageOf<Item>>((resolve, reject) =>
      asked.push({
        query,
        answer: async (page) => {
          resolve({ items: [], nextCursor: null, ...page });
          await settle();
        },
        refuse: async (error) => {
          reject(error);
          await settle();
        },
      }),
    );
  return { asked, ask };
}

/** Nobody's name can be seen. */
export function createNames(): AccountNames {
  const host = { findAccountNames: () => Promise.resolve(new Map()) } as unknown as Host;
  return new AccountNames(host, () => undefined);
}

export function buildLink(id: string): Link {
  return {
    id,
    accountId: `712020:${id}`,
    email: `${id}@acme.example`,
    issuer: "https://acme.cloudflareaccess.com",
    method: "proof",
    confirmedAt: null,
    standing: "proved",
    linkedAt: "2026-01-31T12:00:00.000Z",
    lastUsedAt: null,
  };
}

/** Until everything that only waits for an answer has gone on. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
