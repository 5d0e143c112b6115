import { ADMIN_STATES } from "./admin-states.fixture.js";
import { describeStates } from "./describe-states.fixture.js";

describeStates("The admin page", ADMIN_STATES);
