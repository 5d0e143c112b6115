import { json } from "./http-server.js";
import type { SceneGroup } from "./scene.js";

const ASKED = { limits: { liveCheckSeconds: 60 } };

export const ACCESS_SCENES: SceneGroup = {
  title: "What Access says at this moment",
  scenes: [
    {
      id: "session-ended",
      title: "The session has been ended",
      about:
        "The token is good for hours, but somebody has ended its session in Access. Ada wants the app to ask about that.",
      ending: { code: "access_jwt_expired" },
      play: async (run) => {
        await run.setOut(ASKED);
        const token = await run.sign();
        run.scene.world.team.endSession(token);
        return run.call({ token });
      },
    },
    {
      id: "session-unknown",
      title: "Access can't say whether the session lasts",
      about: "It answers 500. What can't be known isn't taken for a yes.",
      ending: { code: "upstream_failed" },
      play: async (run) => {
        await run.setOut(ASKED);
        run.answer(run.scene.world.team.server, /^\/cdn-cgi\/access\/get-identity$/, json(500, {}));
        return run.call();
      },
    },
  ],
};
