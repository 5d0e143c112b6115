import { expect, it } from "vitest";

import { runFixture, startFixture } from "./child-process.fixture.js";
import { execute } from "./raw-sql.fixture.js";
import { createTestFile, openTestDatabase } from "./test-database.fixture.js";

async function listStored(file: string): Promise<string[]> {
  const rows = await execute(file, "SELECT token_hash AS name FROM spent_tokens");
  return (rows as { name: string }[]).map(({ name }) => name);
}

it("loses nothing when two processes write at once", async () => {
  const file = createTestFile();
  const outputs = await Promise.all(
    ["a", "b"].map((prefix) => runFixture("writing-process.fixture.ts", [file, prefix, "100"])),
  );
  expect(outputs.map((lines) => lines.length)).toEqual([100, 100]);
  expect((await listStored(file)).sort()).toEqual(outputs.flat().sort());
});

it("keeps every write that was acknowledged before a kill -9", async () => {
  const file = createTestFile();
  const acknowledged: string[] = [];
  for (let round = 0; round < 5; round++) {
    const child = startFixture("writing-process.fixture.ts", [file, `round-${round}`, "1000000"]);
    await new Promise((resolve) => child.process.stdout.once("data", resolve));
    setTimeout(() => child.process.kill("SIGKILL"), Math.random() * 150);
    acknowledged.push(...(await child.ended));

    await (await openTestDatabase({ file })).close();
    expect(await listStored(file)).toEqual(expect.arrayContaining(acknowledged));
  }
  expect(acknowledged.length).toBeGreaterThan(5);
  expect(await execute(file, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
});
