import type { SessionContext } from "./context";
import { asUserId, type UserId } from "./ids";

/** People that this device has met: members of rooms, and those whose presence was told. */
export class People {
  constructor(private readonly context: SessionContext) {}

  known(): readonly { userId: UserId; name: string }[] {
    const { client } = this.context;
    const own = client.getSafeUserId();
    return client
      .getUsers()
      .filter(({ userId }) => userId !== own)
      .map(({ userId, displayName, rawDisplayName }) => ({
        userId: asUserId(userId),
        name: rawDisplayName || displayName || userId,
      }));
  }
}
