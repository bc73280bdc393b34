import { watchAccountData } from "./account-data";
import type { SessionContext } from "./context";
import { asUserId, type UserId } from "./ids";
import { DerivedSlice } from "./slice";

/** People whom this account does not want to hear: the server leaves their messages and invitations out (CS API § Ignoring users). */
export class Ignored {
  /** One key, `"all"`. */
  readonly list: DerivedSlice<readonly UserId[]>;
  readonly one: DerivedSlice<{ isIgnored: boolean }, UserId>;

  constructor(private readonly context: SessionContext) {
    const { client, changes } = context;
    this.list = new DerivedSlice<readonly UserId[]>(changes, () => client.getIgnoredUsers().map(asUserId));
    this.one = new DerivedSlice(changes, (userId) => ({ isIgnored: client.isUserIgnored(userId) }));
    watchAccountData(context, ["m.ignored_user_list"], () => {
      this.list.invalidateAll();
      this.one.invalidateAll();
    });
  }

  async add(userId: UserId): Promise<void> {
    const { client } = this.context;
    if (userId === client.getUserId() || client.isUserIgnored(userId)) return;
    await client.setIgnoredUsers([...client.getIgnoredUsers(), userId]);
  }

  async remove(userId: UserId): Promise<void> {
    const { client } = this.context;
    if (!client.isUserIgnored(userId)) return;
    await client.setIgnoredUsers(client.getIgnoredUsers().filter((ignored) => ignored !== userId));
  }
}
