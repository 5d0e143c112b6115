/** Until when a person has been told what is new. */
export interface NewsMarkReader {
  /** Null for somebody who has never been told. */
  findSeenUntil(tenantId: string, accountId: string): Promise<Date | null>;
}

export interface NewsMarkStore extends NewsMarkReader {
  put(tenantId: string, accountId: string, seenUntil: Date): Promise<void>;
  deleteOfTenant(tenantId: string): Promise<void>;
}
