// What Element Call, as a widget, asks of the client around it; done with the client's own connection to the server.

import {
    type Capability,
    type IOpenIDUpdate,
    type IRoomEvent,
    type IRtcTransportsResult,
    type ISendDelayedEventDetails,
    type ISendEventDetails,
    type IWidgetApiErrorResponseDataDetails,
    OpenIDRequestState,
    type SimpleObservable,
    WidgetDriver,
} from "matrix-widget-api";
import { Direction, MatrixError, type MatrixClient, type MatrixEvent, type Room } from "matrix-js-sdk";

/** An event as widgets read it: decrypted. */
export const rawEvent = (event: MatrixEvent) => event.getEffectiveEvent() as unknown as IRoomEvent;

export class ElementCallDriver extends WidgetDriver {
    /** `stateIsTold` settles when the widget has taken in the room's state. */
    constructor(
        private readonly client: MatrixClient,
        private readonly room: Room,
        private readonly stateIsTold: () => Promise<void>,
    ) {
        super();
    }

    /** Everything that it asks for: what comes from the project's own site is trusted. */
    override async validateCapabilities(requested: Set<Capability>): Promise<Set<Capability>> {
        return requested;
    }

    override async sendEvent(type: string, content: any, stateKey: string | null = null): Promise<ISendEventDetails> {
        const { roomId } = this.room;
        const { event_id: eventId } =
            stateKey === null
                ? await this.client.sendEvent(roomId, type as any, content)
                : await this.client.sendStateEvent(roomId, type as any, content, stateKey);
        return { roomId, eventId };
    }

    override async sendStickyEvent(stickyMs: number, type: string, content: any): Promise<ISendEventDetails> {
        const { roomId } = this.room;
        const sent = await this.client._unstable_sendStickyEvent(roomId, stickyMs, null, type as any, content);
        return { roomId, eventId: sent.event_id };
    }

    override async sendDelayedEvent(
        delay: number,
        type: string,
        content: any,
        stateKey: string | null = null,
    ): Promise<ISendDelayedEventDetails> {
        const { roomId } = this.room;
        const { delay_id: delayId } =
            stateKey === null
                ? await this.client._unstable_sendDelayedEvent(roomId, { delay }, null, type as any, content)
                : await this.client._unstable_sendDelayedStateEvent(roomId, { delay }, type as any, content, stateKey);
        return { roomId, delayId };
    }

    override async sendDelayedStickyEvent(
        delay: number,
        stickyMs: number,
        type: string,
        content: any,
    ): Promise<ISendDelayedEventDetails> {
        const { client, room } = this;
        const sent = await client._unstable_sendStickyDelayedEvent(
            room.roomId,
            stickyMs,
            { delay },
            null,
            type as any,
            content,
        );
        return { roomId: room.roomId, delayId: sent.delay_id };
    }

    override async cancelScheduledDelayedEvent(delayId: string): Promise<void> {
        await this.client._unstable_cancelScheduledDelayedEvent(delayId);
    }

    override async restartScheduledDelayedEvent(delayId: string): Promise<void> {
        await this.client._unstable_restartScheduledDelayedEvent(delayId);
    }

    override async sendScheduledDelayedEvent(delayId: string): Promise<void> {
        await this.client._unstable_sendScheduledDelayedEvent(delayId);
    }

    /** Media keys; nothing that it sends goes unencrypted. */
    override async sendToDevice(
        type: string,
        isEncrypted: boolean,
        contents: Record<string, Record<string, object>>,
    ): Promise<void> {
        if (!isEncrypted) throw new Error(`${type} is not to be sent in the clear`);
        for (const [userId, devices] of Object.entries(contents)) {
            for (const [deviceId, content] of Object.entries(devices)) {
                await this.client.encryptAndSendToDevice(type, [{ userId, deviceId }], content as any);
            }
        }
    }

    override async readRoomState(_roomId: string, type: string, stateKey?: string): Promise<IRoomEvent[]> {
        const state = this.room.getLiveTimeline().getState(Direction.Forward);
        const events = stateKey === undefined ? state?.getStateEvents(type) : [state?.getStateEvents(type, stateKey)];
        return (events ?? []).filter((event) => !!event).map(rawEvent);
    }

    /** Element Call begins with what it is told first, and without the room's state it finds itself outside. */
    override async readStickyEvents(): Promise<IRoomEvent[]> {
        await this.stateIsTold();
        return [...this.room._unstable_getStickyEvents()].map(rawEvent);
    }

    /** The newest first, up to the one that it knows. */
    override async readRoomTimeline(
        _roomId: string,
        type: string,
        _msgtype: string | undefined,
        stateKey: string | undefined,
        limit: number,
        since: string | undefined,
    ): Promise<IRoomEvent[]> {
        const newestFirst = this.room.getLiveTimeline().getEvents().toReversed();
        const known = newestFirst.findIndex((event) => event.getId() === since);
        return newestFirst
            .slice(0, known < 0 ? undefined : known)
            .filter((event) => event.getType() === type && (stateKey === undefined || event.getStateKey() === stateKey))
            .slice(0, limit || undefined)
            .map(rawEvent);
    }

    override async readEventRelations(): Promise<{ chunk: IRoomEvent[] }> {
        return { chunk: [] };
    }

    override askOpenID(observer: SimpleObservable<IOpenIDUpdate>): void {
        this.client.getOpenIdToken().then(
            (token) => observer.update({ state: OpenIDRequestState.Allowed, token }),
            () => observer.update({ state: OpenIDRequestState.Blocked }),
        );
    }

    override async getRtcTransports(): Promise<IRtcTransportsResult> {
        return { rtc_transports: (await this.client._unstable_getRTCTransports()) as any };
    }

    override async getRtcLivekitToken(request: any): Promise<any> {
        return this.client._unstable_getLivekitToken(request);
    }

    override async delegateRtcLivekitDelayedLeave(request: any): Promise<any> {
        return this.client._unstable_delegateDelayedLeave(request);
    }

    override getKnownRooms(): string[] {
        return [this.room.roomId];
    }

    /** What the server refused, in its own words: Element Call acts on the errcode. */
    override processError(error: unknown): IWidgetApiErrorResponseDataDetails | undefined {
        return error instanceof MatrixError ? { matrix_api_error: error.asWidgetApiErrorData() } : undefined;
    }
}
