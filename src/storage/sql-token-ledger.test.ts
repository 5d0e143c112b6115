import { describe, expect, it } from "vitest";

import { minutesAfter, openTestDatabase } from "./test-database.fixture.js";

describe("the token ledger", () => {
  it("binds a token to its first use, for good", async () => {
    const database = await openTestDatabase();
    const bind = (token: string, use: string) =>
      database.write((stores) => stores.tokens.bind(token, use, minutesAfter(5)));
    expect(await bind("token-1", "one")).toEqual({ use: "one", isNew: true });
    expect(await bind("token-1", "two")).toEqual({ use: "one", isNew: false });
    expect(await bind("token-1", "one")).toEqual({ use: "one", isNew: false });
    expect(await bind("token-2", "two")).toEqual({ use: "two", isNew: true });
  });

  it("lets exactly one of many at once be the first", async () => {
    const database = await openTestDatabase();
    const uses = Array.from({ length: 20 }, (_, index) => `use ${index}`);
    const bound = await Promise.all(
      uses.map((use) => database.write((stores) => stores.tokens.bind("token", use, minutesAfter(5)))),
    );
    expect(bound.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(new Set(bound.map(({ use }) => use)).size).toBe(1);
  });

  it("forgets tokens that have expired, and no others", async () => {
    const database = await openTestDatabase();
    await database.write(async (stores) => {
      await stores.tokens.bind("expired", "one", minutesAfter(5));
      await stores.tokens.bind("live", "one", minutesAfter(6));
      await stores.tokens.deleteExpired(minutesAfter(5));
      expect(await stores.tokens.bind("expired", "two", minutesAfter(9))).toMatchObject({ isNew: true });
      expect(await stores.tokens.bind("live", "two", minutesAfter(9))).toMatchObject({ isNew: false });
    });
  });

  it.each([Number.NaN, Date.parse("9999-12-31T23:59:59.999Z") + 1])(
    "refuses a token that expires at %i, which would be forgotten too early or never",
    async (time) => {
      const database = await openTestDatabase();
      await expect(
        database.write((stores) => stores.tokens.bind("token", "one", new Date(time))),
      ).rejects.toMatchObject({ code: "malformed_request" });
    },
  );
});
