import { describe, expect, it } from "vitest";

import { createGate } from "./fake-admin.fixture.js";
import { Task } from "./task.js";

const IGNORE = () => undefined;

describe("Task", () => {
  it("lets no older answer overwrite a newer one", async () => {
    const [older, newer] = [createGate<string>(), createGate<string>()];
    const task = new Task<string>(IGNORE);
    const first = task.run(() => older.passed);
    const second = task.run(() => newer.passed);
    newer.open("newer");
    expect(await second).toBe(true);
    older.open("older");
    expect(await first).toBe(false);
    expect(task.result).toBe("newer");
    expect(task.isBusy).toBe(false);
  });

  it("lets no older failure spoil a newer answer", async () => {
    const older = createGate<string>();
    const task = new Task<string>(IGNORE);
    const first = task.run(() => older.passed);
    await task.run(() => Promise.resolve("newer"));
    older.fail(new Error("older"));
    expect(await first).toBe(false);
    expect(task).toMatchObject({ result: "newer", error: null });
  });

  it("stays busy until the newest is done", async () => {
    const [older, newer] = [createGate<string>(), createGate<string>()];
    const task = new Task<string>(IGNORE);
    const first = task.run(() => older.passed);
    const second = task.run(() => newer.passed);
    older.open("older");
    await first;
    expect(task.isBusy).toBe(true);
    newer.open("newer");
    await second;
    expect(task.isBusy).toBe(false);
  });

  it("keeps the last result beside a failure", async () => {
    const task = new Task<string>(IGNORE);
    await task.run(() => Promise.resolve("good"));
    const failure = new Error("bad");
    expect(await task.run(() => Promise.reject(failure))).toBe(false);
    expect(task).toMatchObject({ result: "good", error: failure, isBusy: false });
  });

  it("forgets what is still to come when it is cleared", async () => {
    const gate = createGate<string>();
    const task = new Task<string>(IGNORE);
    const run = task.run(() => gate.passed);
    task.clear();
    gate.open("late");
    expect(await run).toBe(false);
    expect(task).toMatchObject({ result: null, isBusy: false });
  });
});
