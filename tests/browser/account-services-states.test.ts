import { ACCOUNT_SERVICES_STATES } from "./account-services-states.fixture.js";
import { describeStates } from "./describe-states.fixture.js";

describeStates("Tools on the account page", ACCOUNT_SERVICES_STATES);
