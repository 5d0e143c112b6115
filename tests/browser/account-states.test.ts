import { ACCOUNT_STATES } from "./account-states.fixture.js";
import { describeStates } from "./describe-states.fixture.js";

describeStates("The account page", ACCOUNT_STATES);
