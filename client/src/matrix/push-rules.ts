import { type IPushRules, Method } from "matrix-js-sdk/lib/matrix";
import { watchAccountData } from "./account-data";
import type { SessionContext } from "./context";
import type { RoomId } from "./ids";
import {
  type AccountChoices,
  type AccountSwitch,
  accountChoices,
  changesForAccount,
  changesForKeyword,
  changesForRoom,
  type RoomLevel,
  type Rule,
  type RuleChange,
  type Rules,
  roomLevel,
} from "./push-choices";
import { DerivedSlice } from "./slice";

/** What this account wants to hear of (CS API § Push notifications), here and on all its devices. */
export class PushRules {
  /** One key, `"account"`. */
  readonly account: DerivedSlice<AccountChoices>;
  readonly rooms: DerivedSlice<{ level: RoomLevel }, RoomId>;
  /** One key, `"all"`: rises with every change, for what is worked out from several rooms. */
  readonly revision: DerivedSlice<{ revision: number }>;
  private changesSeen = 0;
  /** One change after the other: each is worked out from the rules that the one before left. */
  private queue: Promise<void> = Promise.resolve();

  constructor(private readonly context: SessionContext) {
    const { changes } = context;
    this.account = new DerivedSlice(changes, () => accountChoices(this.rules()), isSameChoices);
    this.rooms = new DerivedSlice(changes, (roomId) => ({ level: roomLevel(this.rules(), roomId) }));
    this.revision = new DerivedSlice(changes, () => ({ revision: this.changesSeen }));
    watchAccountData(context, ["m.push_rules"], () => this.renew());
  }

  setSwitch(what: AccountSwitch, isOn: boolean): Promise<void> {
    return this.change((rules) => changesForAccount(rules, what, isOn));
  }

  setKeyword(keyword: string, isWanted: boolean): Promise<void> {
    return this.change((rules) => changesForKeyword(rules, keyword, isWanted));
  }

  setRoom(roomId: RoomId, level: RoomLevel): Promise<void> {
    return this.change((rules) => changesForRoom(rules, roomId, level));
  }

  private change(decide: (rules: Rules) => readonly RuleChange[]): Promise<void> {
    const done = this.queue.then(async () => {
      const steps = decide(this.rules());
      if (steps.length === 0) return;
      try {
        for (const step of steps) await this.make(step);
      } finally {
        // Read anew instead of waiting for sync: the choice on screen is the server's at once.
        this.context.client.setPushRules(await this.context.client.getPushRules());
        this.renew();
      }
    });
    this.queue = done.catch(() => {});
    return done;
  }

  private async make(step: RuleChange): Promise<void> {
    const { http } = this.context.client;
    const path = `/pushrules/global/${step.kind}/${encodeURIComponent(step.id)}`;
    switch (step.do) {
      case "put":
        await http.authedRequest(Method.Put, path, undefined, step.body);
        return;
      case "delete":
        await http.authedRequest(Method.Delete, path);
        return;
      case "enable":
        await http.authedRequest(Method.Put, `${path}/enabled`, undefined, { enabled: step.enabled });
        return;
      case "act":
        await http.authedRequest(Method.Put, `${path}/actions`, undefined, { actions: step.actions });
    }
  }

  private renew(): void {
    this.account.invalidateAll();
    this.rooms.invalidateAll();
    this.changesSeen += 1;
    this.revision.invalidateAll();
  }

  private rules(): Rules {
    // Absent until the first sync: an account without rules hears of nothing yet.
    const global = (this.context.client.pushRules as IPushRules | undefined)?.global ?? {};
    const list = (rules: readonly unknown[] | undefined) => (rules ?? []) as readonly Rule[];
    return {
      override: list(global.override),
      content: list(global.content),
      room: list(global.room),
      sender: list(global.sender),
      underride: list(global.underride),
    };
  }
}

function isSameChoices(a: AccountChoices, b: AccountChoices): boolean {
  return (
    a.isSilent === b.isSilent &&
    a.channels === b.channels &&
    a.directs === b.directs &&
    a.invites === b.invites &&
    a.roomMentions === b.roomMentions &&
    a.keywords.join("\n") === b.keywords.join("\n")
  );
}
