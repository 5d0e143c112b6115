import { afterEach, describe, expect, it, vi } from "vitest";

import { createPage, refusal, SERVICE } from "./account-state.fixture.js";
import { createServiceActions } from "./service-actions.js";

afterEach(() => vi.unstubAllGlobals());

function createScene() {
  const { page, focused, focus } = createPage();
  const api = {
    agree: vi.fn(() => Promise.resolve()),
    withdraw: vi.fn(() => Promise.resolve()),
  };
  const refresh = vi.fn(() => Promise.resolve());
  const actions = createServiceActions(() => page, { api, focus, refresh });
  return { page, focused, api, refresh, actions, standing: () => page.state.me?.services[0]?.standing };
}

describe("deciding about a service", () => {
  it("agrees to what is shown", async () => {
    const { api, actions, standing, page } = createScene();
    await actions.agree(SERVICE);
    expect(api.agree).toHaveBeenCalledExactlyOnceWith(SERVICE.serviceId, SERVICE.digest);
    expect(standing()).toBe("agreed");
    expect(page.state.deciding).toBeNull();
  });

  it("withdraws", async () => {
    const { api, actions, standing } = createScene();
    await actions.withdraw(SERVICE);
    expect(api.withdraw).toHaveBeenCalledExactlyOnceWith(SERVICE.serviceId);
    expect(standing()).toBe("withdrawn");
  });

  it("decides one thing at a time", async () => {
    const { api, actions } = createScene();
    await Promise.all([actions.agree(SERVICE), actions.agree(SERVICE), actions.withdraw(SERVICE)]);
    expect(api.agree).toHaveBeenCalledOnce();
    expect(api.withdraw).not.toHaveBeenCalled();
  });

  it("shows what has changed meanwhile, and asks again", async () => {
    const { api, actions, page, refresh, standing, focused } = createScene();
    api.agree.mockRejectedValue(refusal("consent_changed"));
    await actions.agree(SERVICE);
    expect(refresh).toHaveBeenCalledOnce();
    expect(standing()).toBe("undecided");
    expect(page.state.deciding).toMatchObject({ isBusy: false, shown: SERVICE });
    expect(focused).toEqual([`[data-service="builds"] [data-changed]`]);
  });

  it("looks again when the service is gone", async () => {
    const { api, actions, refresh, focused } = createScene();
    api.withdraw.mockRejectedValue(refusal("not_found"));
    await actions.withdraw(SERVICE);
    expect(refresh).toHaveBeenCalledOnce();
    expect(focused).toEqual(["[data-gone]"]);
  });

  it("keeps what was decided before when it fails, and lets them try again", async () => {
    const { api, actions, page, standing } = createScene();
    const error = refusal("store_unavailable");
    api.agree.mockRejectedValueOnce(error);
    await actions.agree(SERVICE);
    expect(page.state.deciding).toMatchObject({ isBusy: false, error, shown: null });
    expect(standing()).toBe("undecided");
    await actions.agree(SERVICE);
    expect(standing()).toBe("agreed");
  });
});
