import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";

import { startExample } from "./examples.js";

it("says it when an example ends that had started", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "example-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = path.join(folder, "server.mjs");
  await writeFile(
    file,
    `console.log("Listening"); setTimeout(() => { throw new Error("It broke."); }, 200);`,
  );
  const said = vi.spyOn(console, "error").mockReturnValue();
  onTestFinished(() => said.mockRestore());

  await startExample(path.relative(path.join(import.meta.dirname, "../examples"), file), {});

  await vi.waitFor(() => expect(said).toHaveBeenCalled(), 5_000);
  expect(said.mock.calls[0]?.[1]).toMatchObject({ message: "It broke." });
});
