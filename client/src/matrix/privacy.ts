import { readAccountData, watchAccountData, writeAccountData } from "./account-data";
import type { SessionContext } from "./context";
import { DerivedSlice } from "./slice";

const INVITE_PERMISSION = "m.invite_permission_config";

/** What others may do to this account without asking. */
export class Privacy {
  /** One key, `"invites"`: whether the server refuses all invitations (CS API § Invite permission). */
  readonly invites: DerivedSlice<{ areBlocked: boolean }>;

  constructor(private readonly context: SessionContext) {
    this.invites = new DerivedSlice(context.changes, () => ({
      areBlocked: readAccountData(context, INVITE_PERMISSION).default_action === "block",
    }));
    watchAccountData(context, [INVITE_PERMISSION], () => this.invites.invalidate("invites"));
  }

  async blockInvites(areBlocked: boolean): Promise<void> {
    const { default_action: _, ...others } = readAccountData(this.context, INVITE_PERMISSION);
    await writeAccountData(this.context, INVITE_PERMISSION, {
      ...others,
      ...(areBlocked ? { default_action: "block" } : {}),
    });
  }
}
