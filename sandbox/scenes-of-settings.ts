import type { SceneGroup } from "./scene.js";
import { issuedSecondsAgo } from "./scenes-of-tokens.js";

export const SETTINGS_SCENES: SceneGroup = {
  title: "What the admin allows",
  scenes: [
    {
      id: "paused",
      title: "The app is paused",
      about: "Ada has paused the app in Jira: nobody is identified, nothing acts.",
      ending: { code: "paused" },
      play: async (run) => {
        await run.setOut();
        await run.changeSettings(() => ({ paused: true }));
        return run.call();
      },
    },
    {
      id: "service-paused",
      title: "The service is paused",
      about: "Ada has paused this one service. The others go on.",
      ending: { code: "paused" },
      play: async (run) => {
        await run.setOut({ paused: true });
        return run.call();
      },
    },
    {
      id: "purpose",
      title: "A service that may not act",
      about: "The service may ask who its visitors are, and nothing else.",
      ending: { code: "purpose_not_allowed" },
      play: async (run) => {
        await run.setOut({ purposes: ["identify"] });
        return run.call();
      },
    },
    {
      id: "service-key",
      title: "The service doesn't show its key",
      about: "Ada has made a key for the service. A person's token alone isn't enough from then on.",
      ending: { code: "service_key_required" },
      play: async (run) => {
        await run.makeKey(await run.setOut());
        return run.call();
      },
    },
    {
      id: "request",
      title: "A request outside the limits",
      about: "The service may read issues. It tries to list the projects.",
      ending: { code: "request_not_allowed" },
      play: async (run) => {
        await run.setOut();
        return run.call({ path: "/rest/api/3/project" });
      },
    },
    {
      id: "hidden-path",
      title: "A path that means something else",
      about:
        "The service may read any one issue, and hides a slash in the issue's name. What Jira would have to decode isn't passed on.",
      ending: { code: "request_not_allowed" },
      play: async (run) => {
        await run.setOut();
        return run.call({ path: "/rest/api/3/issue/SAND-1%2Fcomment" });
      },
    },
    {
      id: "token-too-old",
      title: "The sign-in is too long ago",
      about: "The service may act for a minute after a sign-in to Access. This one was an hour ago.",
      ending: { code: "token_too_old" },
      play: async (run) => {
        await run.setOut({ limits: { maxTokenAgeSeconds: 60 } });
        return run.call({ claims: issuedSecondsAgo(3600) });
      },
    },
    {
      id: "address",
      title: "A call from elsewhere",
      about: "The service may call from 203.0.113.0/24 only. This computer isn't there.",
      ending: { code: "ip_not_allowed" },
      play: async (run) => {
        await run.setOut({ limits: { ipAddresses: ["203.0.113.0/24"] } });
        return run.call();
      },
    },
    {
      id: "method",
      title: "A method that nobody may use",
      about: "The gateway passes on GET, HEAD, POST, PUT, PATCH and DELETE.",
      ending: { code: "method_not_allowed" },
      play: async (run) => run.call({ method: "OPTIONS" }),
    },
    {
      id: "browser",
      title: "A call from a browser",
      about:
        "A page of another site makes the call. Only services may: they have no visitor's cookies to abuse.",
      ending: { code: "browser_not_allowed" },
      play: async (run) => run.call({ headers: { origin: "https://elsewhere.example" } }),
    },
  ],
};
