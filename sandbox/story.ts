import { tellHowToAct } from "./story-acting.js";
import { tellOfForge } from "./story-forge.js";
import { tellHowToInstall } from "./story-installing.js";
import { tellHowToLink } from "./story-linking.js";
import { tellWhatIsRefused } from "./story-refusals.js";
import type { Stage } from "./stage.js";

/**
 * The app's main job, once from the beginning to the end. Every step checks its outcome and throws when it isn't what
 * it should be. Afterwards the app is installed in both products again, and Grace is linked.
 */
export async function playStory(stage: Stage): Promise<void> {
  await tellHowToInstall(stage);
  await tellHowToLink(stage);
  await tellHowToAct(stage);
  const { forge } = stage.world.parts;
  if (forge) await tellOfForge(stage, forge.sites[0]);
  await tellWhatIsRefused(stage);
}
