import { describe, expect, it, vi } from "vitest";

import { SingleFlight } from "./single-flight.js";

describe("SingleFlight", () => {
  it("works once for those who ask for the same thing at the same time", async () => {
    const flights = new SingleFlight<string>();
    const work = vi.fn(() => Promise.resolve("done"));
    const results = [flights.run("a", work), flights.run("a", work), flights.run("b", work)];
    expect(await Promise.all(results)).toEqual(["done", "done", "done"]);
    expect(work).toHaveBeenCalledTimes(2);
  });

  it("works again once it is done, whether it failed or not", async () => {
    const flights = new SingleFlight<string>();
    const work = vi.fn<() => Promise<string>>(() => Promise.reject(new Error("no luck")));
    const failures = await Promise.allSettled([flights.run("a", work), flights.run("a", work)]);
    expect(failures.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    work.mockResolvedValue("done");
    expect(await flights.run("a", work)).toBe("done");
    expect(await flights.run("a", work)).toBe("done");
    expect(work).toHaveBeenCalledTimes(3);
  });
});
