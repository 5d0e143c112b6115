import { describe, expect, it } from "vitest";

import { countedNetwork, parseNetwork } from "./ip-network.js";

describe("parseNetwork", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7"],
    [" 203.0.113.0/24\n", "203.0.113.0/24"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["2001:DB8::/32", "2001:db8::/32"],
    ["::1/128", "::1/128"],
    ["::ffff:203.0.113.7", "::ffff:203.0.113.7"],
  ])("takes %j as %j", (text, network) => {
    expect(parseNetwork(text)).toBe(network);
  });

  it.each([
    "",
    "everybody",
    "example.com",
    "203.0.113",
    "203.0.113.07",
    "0x7f.0.0.1",
    "203.0.113.0/",
    "203.0.113.0/33",
    "203.0.113.0/-1",
    "203.0.113.0/8.0",
    "203.0.113.0/24/24",
    "203.0.113.7:80",
    "2001:db8::/129",
    "[::1]",
    "fe80::1%eth0",
    "fe80::1%eth0/64",
    "fe80::1/64%eth0",
  ])("refuses %j", (text) => {
    expect(parseNetwork(text)).toBeNull();
  });
});

describe("countedNetwork", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8:1:2::", "2001:db8:1:2"],
    ["2001:db8:1:2::6", "2001:db8:1:2"],
    ["2001:db8::6", "2001:db8:0:0"],
    ["2001:db8::3:4:5:6", "2001:db8:0:0"],
    ["2001:db8::2:3:4:5:6", "2001:db8:0:2"],
    ["::1", "0:0:0:0"],
    ["::", "0:0:0:0"],
    ["::1:2:3:4:5:6:7", "0:1:2:3"],
    ["::192.0.2.1", "0:0:0:0"],
  ])("counts %j as %j", (address, network) => {
    expect(countedNetwork(address, 64)).toBe(network);
  });

  it.each([
    ["203.0.113.7", "203.0.113.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1"],
    ["2001:db8::6", "2001:db8:0"],
    ["2001:db8:0:1::", "2001:db8:0"],
    ["::1", "0:0:0"],
  ])("counts %j as %j where customers are counted", (address, network) => {
    expect(countedNetwork(address, 48)).toBe(network);
  });
});
