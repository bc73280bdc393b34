// What a story plays on: servers, a browser and the site of its pages. All of it ends with the story's file.

import { after, before, test } from "node:test";
import { startBrowser } from "./browser.mjs";
import { ElementCallUser } from "./element-call.mjs";
import { Homeserver } from "../../lib/homeserver.mjs";
import { Person } from "./person.mjs";
import { startSite } from "./site.mjs";

const STORY_MS = 150_000;

export class Stage {
    people = [];
    homeservers = [];
    closers = [];
    count = 0;

    async open() {
        await this.start();
        this.site = await startSite();
        this.closers.push(() => this.site.close());
        this.browser = await startBrowser();
        this.closers.push(() => this.browser.close());
    }

    /** The one server that most stories need; others override it. */
    async start() {
        await this.add({});
    }

    async add(options) {
        const homeserver = await Homeserver.start(options);
        this.closers.push(() => homeserver.stop());
        this.homeservers.push(homeserver);
        return homeserver;
    }

    get homeserver() {
        return this.homeservers[0];
    }

    /** Somebody new at a browser; their name is made unique. */
    person(name, { at = this.homeserver, path, kind = Person } = {}) {
        return this.bring(kind, name, at, path);
    }

    elementCallUser(name) {
        return this.bring(ElementCallUser, name, this.homeserver);
    }

    async bring(kind, name, homeserver, path) {
        this.count += 1;
        const { browser, site } = this;
        const person = await kind.come({ homeserver, browser, site }, `${name}${this.count}`, path);
        this.people.push(person);
        return person;
    }

    /** Between stories: nobody of the last one stays. */
    async clear() {
        await Promise.allSettled(this.people.map(({ page }) => page.context().close()));
        this.people = [];
    }

    /** The last one first, whatever fails. */
    async close() {
        for (const close of this.closers.reverse()) await Promise.resolve(close()).catch(console.error);
    }

    /** What a failure may have come from. */
    async tell() {
        for (const { name, complaints } of this.people) {
            if (complaints.length > 0) console.error(`-- the page of ${name} --\n${complaints.slice(-30).join("\n")}`);
        }
        for (const { name, process } of this.homeservers) {
            console.error(`-- the newest lines of ${name} --\n${process.lines.slice(-60).join("\n")}`);
        }
    }
}

/** The stage of a file's stories, opened before the first and closed after the last. */
export function stageOf(stage = new Stage()) {
    before(() => stage.open());
    after(() => stage.close());
    return stage;
}

/** A test that says why it failed, has an end, and leaves the stage empty. */
export function story(stage, name, play, patienceMs = STORY_MS) {
    test(name, async () => {
        let timer;
        const tooLong = new Promise((_, reject) => {
            timer = setTimeout(() => reject(new Error(`not over after ${patienceMs} ms`)), patienceMs);
        });
        try {
            await Promise.race([play(), tooLong]);
        } catch (error) {
            await stage.tell();
            throw error;
        } finally {
            clearTimeout(timer);
            await stage.clear();
        }
    });
}
