import {
  ClientEvent,
  createClient,
  HttpApiEvent,
  IndexedDBStore,
  type MatrixClient,
  MemoryStore,
  PendingEventOrdering,
  SyncState,
} from "matrix-js-sdk";
import { Commands } from "./commands";
import { Connection } from "./connection";
import type { SessionContext } from "./context";
import { Creation } from "./creation";
import { type Credentials, forgetCredentials } from "./credentials";
import { Directs } from "./directs";
import { Drafts } from "./drafts";
import { Directory } from "./hierarchy";
import { asDeviceId, asUserId, type DeviceId, type UserId } from "./ids";
import { Inbox } from "./inbox";
import { MediaUrls } from "./media";
import { Members } from "./members";
import { Membership } from "./membership";
import { Outbox } from "./outbox";
import { OwnApi } from "./own-api";
import { People } from "./people";
import { Permissions } from "./permissions";
import { SendQueue } from "./queue";
import { Rooms } from "./rooms";
import { Search } from "./search";
import { Sender } from "./send";
import { Changes } from "./slice";
import { Spaces } from "./spaces";
import { isForgetful } from "./storage";
import { Timelines } from "./timeline";
import { Tokens } from "./tokens";
import { Unread } from "./unread";
import { Uploads } from "./uploads";

/** Events of a room that the first sync brings. */
const FIRST_EVENTS = 20;

/**
 * One logged-in account on this device: the SDK's client, and the parts of the store that views read.
 * Views never touch `client`; what they need of the protocol is a method of one of the parts.
 */
export class Session {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly connection: Connection;
  readonly rooms: Rooms;
  readonly spaces: Spaces;
  readonly members: Members;
  readonly permissions: Permissions;
  readonly membership: Membership;
  readonly creation: Creation;
  readonly directory: Directory;
  readonly directs: Directs;
  readonly inbox: Inbox;
  readonly people: People;
  readonly unread: Unread;
  readonly timelines: Timelines;
  readonly sender: Sender;
  readonly drafts: Drafts;
  readonly commands: Commands;
  readonly uploads: Uploads;
  readonly search: Search;
  readonly media: MediaUrls;
  readonly own: OwnApi;
  /** Turns true once, when the server no longer knows this session; `isSoft` keeps the keys. */
  onLoggedOut: (isSoft: boolean) => void = () => {};
  private readonly tearDowns: (() => void)[] = [];

  private constructor(
    readonly client: MatrixClient,
    readonly tokens: Tokens,
    queue: SendQueue,
  ) {
    this.userId = asUserId(client.getSafeUserId());
    this.deviceId = asDeviceId(client.getDeviceId() ?? "");
    const context: SessionContext = {
      client,
      changes: new Changes(),
      onClose: (tearDown) => this.tearDowns.push(tearDown),
    };
    this.connection = new Connection(context);
    this.rooms = new Rooms(context);
    this.spaces = new Spaces(context, this.rooms);
    this.members = new Members(context);
    this.permissions = new Permissions(context);
    this.membership = new Membership(context);
    this.creation = new Creation(context, this.spaces);
    this.directory = new Directory(context);
    this.directs = new Directs(context);
    this.inbox = new Inbox(context);
    this.people = new People(context);
    this.unread = new Unread(context, this.rooms, this.spaces);
    this.timelines = new Timelines(context);
    this.sender = new Sender(context, new Outbox(context, queue));
    this.drafts = new Drafts(context);
    this.commands = new Commands(context);
    this.uploads = new Uploads(context, tokens);
    this.search = new Search(context);
    this.media = new MediaUrls(context, tokens);
    this.own = new OwnApi(tokens, client.baseUrl);
    client.on(HttpApiEvent.SessionLoggedOut, (error) => this.onLoggedOut(error.data?.soft_logout === true));
  }

  /** Opens the account's stores and starts to sync; settles when there is something to show. */
  static async open(credentials: Credentials, baseUrl: string): Promise<Session> {
    const tokens = new Tokens(credentials, baseUrl);
    const isInMemory = await isForgetful();
    const store = isInMemory
      ? new MemoryStore()
      : new IndexedDBStore({ indexedDB: window.indexedDB, dbName: `echorift-sync:${credentials.userId}` });
    const queue = new SendQueue();
    const client = createClient({
      baseUrl,
      userId: credentials.userId,
      deviceId: credentials.deviceId,
      accessToken: credentials.accessToken,
      fetchFn: tokens.fetch,
      scheduler: queue,
      store,
      timelineSupport: true,
      useAuthorizationHeader: true,
    });
    await store.startup();
    await client.initRustCrypto({
      useIndexedDB: !isInMemory,
      cryptoDatabasePrefix: `echorift-crypto:${credentials.userId}:${credentials.deviceId}`,
    });
    const session = new Session(client, tokens, queue);
    const isReady = new Promise<void>((resolve) => {
      client.on(ClientEvent.Sync, function look(state) {
        if (state !== SyncState.Prepared && state !== SyncState.Syncing) return;
        client.off(ClientEvent.Sync, look);
        resolve();
      });
    });
    await client.startClient({
      initialSyncLimit: FIRST_EVENTS,
      lazyLoadMembers: true,
      threadSupport: true,
      pendingEventOrdering: PendingEventOrdering.Detached,
    });
    await isReady;
    return session;
  }

  /** Ends the session at the server and forgets it here, keys included. */
  async logOut(): Promise<void> {
    // A server that is away does not keep anybody signed in here.
    await this.client.logout(false).catch(() => {});
    this.close();
    await this.client.clearStores().catch(() => {});
    await forgetCredentials();
  }

  /** Stops syncing; everything stays for the next start. */
  close(): void {
    for (const tearDown of this.tearDowns.splice(0)) tearDown();
    this.client.stopClient();
  }
}
