// A client that shows calls by Element Call: a page with the widget in a frame. The tests call `window.host`.

import { ClientWidgetApi, type IRoomEvent, type IWidget, type IWidgetApiRequest, Widget } from "matrix-widget-api";
import {
    ClientEvent,
    Direction,
    type MatrixClient,
    type MatrixEvent,
    MatrixEventEvent,
    type ReceivedToDeviceMessage,
    type Room,
    RoomStateEvent,
} from "matrix-js-sdk";
import { type Account, signIn } from "./account";
import { ElementCallDriver, rawEvent } from "./widget-driver";

/** Actions that Element Call takes part in beside those of the widget API. */
const JOINED = "io.element.join";
const HANG_UP = "im.vector.hangup";
const OTHER_ACTIONS = [JOINED, HANG_UP, "io.element.close", "io.element.device_mute", "set_always_on_screen"];


let client: MatrixClient;
let widget: ClientWidgetApi | undefined;
const actions: string[] = [];

const host = {
    async signIn(account: Account): Promise<void> {
        client = await signIn(account);
    },

    sees(roomId: string, userIds: string[]): boolean {
        const room = client.getRoom(roomId);
        return userIds.every((userId) => room?.getMember(userId)?.membership === "join");
    },

    /** Opens Element Call in the room's call, past its lobby. */
    open(roomId: string): void {
        const room = client.getRoom(roomId);
        if (!room) throw new Error(`${client.getUserId()} is not in ${roomId}`);
        const frame = document.createElement("iframe");
        frame.allow = "camera *; microphone *; display-capture *; autoplay *";
        frame.style.cssText = "width: 960px; height: 540px; border: 0";
        const definition: IWidget = {
            id: "call",
            creatorUserId: client.getUserId()!,
            type: "m.call",
            url: widgetUrl(client, roomId),
            waitForIframeLoad: false,
        };
        // It is listened to before it loads.
        document.body.append(frame);
        const driver = new ElementCallDriver(client, room, () => tellCreation(room));
        widget = new ClientWidgetApi(new Widget(definition), frame, driver);
        widget.setViewedRoomId(roomId);
        feed(widget, room);
        for (const action of OTHER_ACTIONS) {
            widget.on(`action:${action}`, (event: CustomEvent<IWidgetApiRequest>) => {
                event.preventDefault();
                actions.push(action);
                widget?.transport.reply(event.detail, {});
            });
        }
        frame.src = definition.url;
    },

    /** What Element Call told of itself, in order. */
    actions: (): string[] => actions,

    async hangUp(): Promise<void> {
        await widget?.transport.send(HANG_UP, {});
    },
};

function widgetUrl(client: MatrixClient, roomId: string): string {
    const parameters = new URLSearchParams({
        widgetId: "call",
        parentUrl: location.href,
        roomId,
        userId: client.getUserId()!,
        deviceId: client.getDeviceId()!,
        baseUrl: client.baseUrl,
        intent: "join_existing",
        skipLobby: "true",
        perParticipantE2EE: String(client.getRoom(roomId)?.hasEncryptionStateEvent() ?? false),
    });
    return `${location.origin}/element-call/index.html#?${parameters}`;
}

/** Tells that the room was created: together with the rest of its state, if that is about to be told. */
async function tellCreation(room: Room): Promise<void> {
    const creation = room.getLiveTimeline().getState(Direction.Forward)?.getStateEvents("m.room.create", "");
    if (creation) await widget?.feedStateUpdate(rawEvent(creation));
}

/** Passes on what happens in the room, and messages to this device. */
function feed(widget: ClientWidgetApi, room: Room): void {
    const isHere = (event: MatrixEvent) => event.getRoomId() === room.roomId;
    // A refusal means that the widget is not there yet, or no longer: it reads the room's state when it comes.
    const pass = (event: MatrixEvent) => void widget.feedEvent(rawEvent(event)).catch(() => {});
    client.on(ClientEvent.Event, (event) => {
        if (isHere(event) && !event.isEncrypted()) pass(event);
    });
    client.on(MatrixEventEvent.Decrypted, (event) => {
        if (isHere(event) && !event.isDecryptionFailure()) pass(event);
    });
    client.on(RoomStateEvent.Events, (event) => {
        if (isHere(event)) void widget.feedStateUpdate(rawEvent(event)).catch(() => {});
    });
    client.on(ClientEvent.ReceivedToDeviceMessage, ({ message, encryptionInfo }: ReceivedToDeviceMessage) => {
        void widget.feedToDevice(message as unknown as IRoomEvent, encryptionInfo !== null).catch(() => {});
    });
}

declare global {
    interface Window {
        host: typeof host;
    }
}

window.host = host;
