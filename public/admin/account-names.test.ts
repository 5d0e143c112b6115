import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Host } from "../types.js";
import { AccountNames } from "./account-names.js";

const ADA = "712020:ada";
const NOBODY = "712020:nobody";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function createNames() {
  const asked: (readonly string[])[] = [];
  let answer: () => void = () => undefined;
  const answered = new Promise<ReadonlyMap<string, string>>((resolve) => {
    answer = () => resolve(new Map([[ADA, "Ada Admin"]]));
  });
  const findAccountNames = (accountIds: readonly string[]) => {
    asked.push(accountIds);
    return answered;
  };
  const onChange = vi.fn();
  const names = new AccountNames({ findAccountNames } as unknown as Host, onChange);
  return { names, asked, onChange, answer };
}

describe("AccountNames", () => {
  it("calls nobody nameless before the product has answered", async () => {
    const { names, onChange, answer } = createNames();
    const loaded = names.load([ADA, NOBODY]);
    expect(names.find(NOBODY)).toBeNull();
    expect(names.isNameless(NOBODY)).toBe(false);

    await vi.advanceTimersByTimeAsync(400);
    await loaded;
    expect(names.isNameless(NOBODY)).toBe(false);

    answer();
    await vi.waitFor(() => expect(onChange).toHaveBeenCalledOnce());
    expect(names.find(ADA)).toBe("Ada Admin");
    expect(names.isNameless(ADA)).toBe(false);
    expect(names.isNameless(NOBODY)).toBe(true);
    expect(names.isNameless("712020:stranger")).toBe(false);
  });

  it("asks for everybody once", async () => {
    const { names, asked, answer } = createNames();
    answer();
    await names.load([ADA, ADA]);
    await names.load([ADA]);
    await names.load([ADA, NOBODY]);
    expect(asked).toEqual([[ADA], [NOBODY]]);
  });
});
