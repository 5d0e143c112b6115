/** What of the page nobody sees first. */
export { AuditList } from "./audit-list.js";
export { auditListView } from "./audit-list-view.js";
export { conflictView } from "./conflict-view.js";
export { LinkList } from "./link-list.js";
export { linkListView } from "./link-list-view.js";
export { readConflict } from "./settings-conflict.js";
