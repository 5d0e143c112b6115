import { describeStates } from "./describe-states.fixture.js";
import { POPUP_STATES } from "./popup-states.fixture.js";

describeStates("The popup", POPUP_STATES);
