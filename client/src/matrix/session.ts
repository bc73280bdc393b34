import {
  ClientEvent,
  createClient,
  Filter,
  HttpApiEvent,
  IndexedDBStore,
  type MatrixClient,
  MemoryStore,
  PendingEventOrdering,
  SyncState,
} from "matrix-js-sdk/lib/matrix";
import { Calls } from "~/calls/calls";
import { Commands } from "./commands";
import { Confirmations } from "./confirmations";
import { Connection } from "./connection";
import type { SessionContext } from "./context";
import { Creation } from "./creation";
import type { Credentials } from "./credentials";
import { DataExport } from "./data-export";
import { Devices } from "./devices";
import { Directs } from "./directs";
import { Drafts } from "./drafts";
import { Encryption } from "./encryption/encryption";
import { Identities } from "./encryption/identities";
import { SecretKeys } from "./encryption/secret-keys";
import { Verifications, verificationMethods } from "./encryption/verifications";
import { Directory } from "./hierarchy";
import { asDeviceId, asUserId, type DeviceId, type UserId } from "./ids";
import { Ignored } from "./ignore";
import { Inbox } from "./inbox";
import { quietLogger } from "./logger";
import { MediaUrls } from "./media";
import { Members } from "./members";
import { Membership } from "./membership";
import { Moderation } from "./moderation";
import { Notices } from "./notices";
import { Outbox } from "./outbox";
import { OwnApi } from "./own-api";
import { People } from "./people";
import { Permissions } from "./permissions";
import { Presences } from "./presence";
import { Privacy } from "./privacy";
import { Profiles } from "./profiles";
import { PushRules } from "./push-rules";
import { SendQueue } from "./queue";
import { RoomSettings } from "./room-details";
import { Rooms } from "./rooms";
import { Search } from "./search";
import { Sender } from "./send";
import { Changes } from "./slice";
import { Spaces } from "./spaces";
import { clearValues, isForgetful } from "./storage";
import { MessageActions, MessageLookup, Pins, Threads, Timelines, Typing } from "./timeline";
import { Tokens } from "./tokens";
import { Unread } from "./unread";
import { Uploads } from "./uploads";
import { WebPush } from "./web-push";

/** Events of a room that the first sync brings. */
const FIRST_EVENTS = 20;
/** Events of a room that a later one brings before it leaves a gap; each gap is a timeline more, and a request for who reads there. */
const LATER_EVENTS = 50;

/**
 * How long is waited until the stores are gone. What the SDK is about to do with its keys can hold them for half a minute; the
 * browser removes them once it lets go, and whoever was signed out need not look at a page that is none any more.
 */
const CLEARING_MS = 2_000;

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
  readonly moderation: Moderation;
  readonly presence: Presences;
  readonly profiles: Profiles;
  readonly ignored: Ignored;
  readonly privacy: Privacy;
  readonly pushRules: PushRules;
  readonly webPush: WebPush;
  readonly notices: Notices;
  readonly dataExport: DataExport;
  readonly permissions: Permissions;
  readonly settings: RoomSettings;
  readonly membership: Membership;
  readonly creation: Creation;
  readonly directory: Directory;
  readonly directs: Directs;
  readonly inbox: Inbox;
  readonly people: People;
  readonly unread: Unread;
  readonly timelines: Timelines;
  readonly messages: MessageLookup;
  readonly actions: MessageActions;
  readonly pins: Pins;
  readonly threads: Threads;
  readonly typing: Typing;
  readonly sender: Sender;
  readonly drafts: Drafts;
  readonly commands: Commands;
  readonly uploads: Uploads;
  readonly search: Search;
  readonly media: MediaUrls;
  readonly confirmations: Confirmations;
  readonly encryption: Encryption;
  readonly verifications: Verifications;
  readonly identities: Identities;
  readonly devices: Devices;
  readonly own: OwnApi;
  /** Called once, when the server no longer knows this session; `isSoft` keeps the keys. */
  readonly calls: Calls;
  /** Turns true once, when the server no longer knows this session; `isSoft` keeps the keys. */
  onLoggedOut: (isSoft: boolean) => void = () => {};
  private readonly tearDowns: (() => void)[] = [];

  private constructor(
    readonly client: MatrixClient,
    readonly tokens: Tokens,
    secrets: SecretKeys,
    queue: SendQueue,
    methods: readonly string[],
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
    this.settings = new RoomSettings(context);
    this.moderation = new Moderation(context, this.permissions, this.members);
    this.presence = new Presences(context);
    this.profiles = new Profiles(context);
    this.ignored = new Ignored(context);
    this.privacy = new Privacy(context);
    this.pushRules = new PushRules(context);
    this.webPush = new WebPush(context);
    this.notices = new Notices(context, this.rooms);
    this.dataExport = new DataExport(context, this.rooms);
    this.membership = new Membership(context);
    this.creation = new Creation(context, this.spaces);
    this.directory = new Directory(context);
    this.directs = new Directs(context);
    this.inbox = new Inbox(context);
    this.people = new People(context);
    this.unread = new Unread(context, this.rooms, this.spaces);
    this.timelines = new Timelines(context);
    this.messages = new MessageLookup(context);
    this.pins = new Pins(context);
    this.threads = new Threads(context);
    this.typing = new Typing(context);
    this.sender = new Sender(context, new Outbox(context, queue));
    this.actions = new MessageActions(context, this.sender);
    this.drafts = new Drafts(context);
    this.commands = new Commands(context);
    this.uploads = new Uploads(context, tokens);
    this.search = new Search(context);
    this.media = new MediaUrls(context, tokens);
    this.confirmations = new Confirmations(context);
    this.encryption = new Encryption(context, secrets, this.confirmations);
    this.identities = new Identities(context);
    this.verifications = new Verifications(context, this.identities, methods);
    this.devices = new Devices(context, this.confirmations, tokens);
    this.own = new OwnApi(tokens, client.baseUrl);
    tokens.onLocked = () => this.onLoggedOut(true);
    this.calls = new Calls(context);
    client.on(HttpApiEvent.SessionLoggedOut, (error) => this.onLoggedOut(error.data?.soft_logout === true));
  }

  /** Opens the account's stores and its keys. */
  static async begin(credentials: Credentials, baseUrl: string): Promise<Session> {
    const tokens = new Tokens(credentials, baseUrl);
    const isInMemory = await isForgetful();
    const store = isInMemory
      ? new MemoryStore()
      : new IndexedDBStore({ indexedDB: window.indexedDB, dbName: `echorift-sync:${credentials.userId}` });
    const secrets = new SecretKeys();
    const queue = new SendQueue();
    const methods = await verificationMethods();
    const client = createClient({
      baseUrl,
      userId: credentials.userId,
      deviceId: credentials.deviceId,
      accessToken: credentials.accessToken,
      fetchFn: tokens.fetch,
      scheduler: queue,
      store,
      logger: quietLogger,
      timelineSupport: true,
      useAuthorizationHeader: true,
      cryptoCallbacks: secrets.callbacks,
      verificationMethods: methods,
    });
    await Promise.all([
      store.startup(),
      client.initRustCrypto({
        useIndexedDB: !isInMemory,
        cryptoDatabasePrefix: cryptoDatabaseOf(credentials),
      }),
    ]);
    return new Session(client, tokens, secrets, queue, methods);
  }

  /**
   * Starts to sync and settles when there is something to show: what was stored, or else the server's first answer.
   * `onWaiting` tells that the server does not give it.
   */
  async ready(onWaiting: () => void): Promise<void> {
    const { client } = this;
    const isReady = new Promise<void>((resolve) => {
      client.on(ClientEvent.Sync, function look(state) {
        if (state === SyncState.Reconnecting || state === SyncState.Error) return onWaiting();
        if (state !== SyncState.Prepared && state !== SyncState.Syncing) return;
        client.off(ClientEvent.Sync, look);
        resolve();
      });
    });
    const filter = new Filter(this.userId);
    filter.setTimelineLimit(LATER_EVENTS);
    filter.setUnreadThreadNotifications(true);
    await client.startClient({
      filter,
      initialSyncLimit: FIRST_EVENTS,
      lazyLoadMembers: true,
      threadSupport: true,
      pendingEventOrdering: PendingEventOrdering.Detached,
    });
    await isReady;
    this.encryption.start();
  }

  /** Ends the session at the server and forgets it here, keys included. */
  async logOut(): Promise<void> {
    // A server that is away does not keep anybody signed in here.
    await this.tokens.revoke(() => this.client.logout(false)).catch(() => {});
    await this.forget();
  }

  /** Forgets the session here: credentials, drafts, what was synced, keys. */
  async forget(): Promise<void> {
    this.tokens.forget();
    this.close();
    await this.webPush.forget().catch(() => {});
    const cleared = this.client
      .clearStores({ cryptoDatabasePrefix: cryptoDatabaseOf(this.tokens.current) })
      .catch(() => {});
    await Promise.race([cleared, new Promise((resolve) => setTimeout(resolve, CLEARING_MS))]);
    await clearValues();
  }

  /** Stops syncing; everything stays for the next start. */
  close(): void {
    for (const tearDown of this.tearDowns.splice(0)) tearDown();
    this.client.stopClient();
  }
}

const cryptoDatabaseOf = ({ userId, deviceId }: Credentials) => `echorift-crypto:${userId}:${deviceId}`;
