import { createConnectHost } from "./connect-host.js";

// The page stands complete: all that is left is to look like the product around it.
void createConnectHost("jira")
  .start()
  .catch(() => undefined);
